//! `doctor`: what is wrong, step by step, from the variables to a login. No secret is sent before
//! `--login`.

mod env;
mod finding;
mod line;
mod login;
mod proxy;
mod report;
mod roots;
mod stores;
mod tls;
mod web;
mod x509;

use std::time::Duration;

use self::finding::{Finding, Step};
use self::line::Target;
use self::report::Report;
use super::{Call, runtime};
use crate::creds::Places;
use crate::provider::Provider;
use crate::stop::Stop;
use crate::text::Text;

/// How long one step may take, unless `--timeout` says otherwise.
const LIMIT: Duration = Duration::from_secs(5);

/// What is looked at.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) providers: &'a [Provider],
    /// Whether one token is asked for, with the secrets.
    pub(super) login: bool,
}

pub(super) fn run(call: Call<'_>, asked: Asked<'_>) -> Result<u8, Stop> {
    let runtime = runtime()?;
    let code = runtime.block_on(examine(call, asked));
    // A name that no DNS server answers for keeps its thread for longer than any step may last.
    runtime.shutdown_timeout(Duration::from_millis(200));
    code
}

async fn examine(call: Call<'_>, asked: Asked<'_>) -> Result<u8, Stop> {
    let places = Places::open(call.global)?;
    let limit = call.global.timeout.unwrap_or(LIMIT);
    let all = asked.providers.is_empty();
    let wanted = if all { &Provider::ALL[..] } else { asked.providers };
    let mut settings = Vec::new();
    for provider in wanted {
        let read = env::read(&places, *provider).await;
        if !all || !read.is_absent {
            settings.push((*provider, read));
        }
    }
    if settings.is_empty() {
        return Err(Stop::config(Text::NoneConfigured, Text::NoneConfiguredDo, &[]));
    }
    let mut report = Report::new(call.out, limit, settings.len() > 1);
    for (provider, read) in settings {
        report.begin(provider)?;
        let login = asked.login.then_some((call, &places, provider));
        examine_one(&mut report, read, login).await?;
    }
    report.begin_machine()?;
    stores::cache(&mut report, call).await?;
    stores::redis(&mut report).await?;
    report.end(asked.login)
}

/// The steps of a provider. Each needs the one before it: what is behind a fault cannot be seen.
async fn examine_one(
    report: &mut Report<'_>,
    read: env::Settings,
    login: Option<(Call<'_>, &Places, Provider)>,
) -> Result<(), Stop> {
    let is_complete = !read.variables.is_failure();
    report.tell(read.variables)?;
    report.tell(read.endpoint)?;
    let target = read.request.as_ref().and_then(|request| Target::of(request.uri()));
    let (Some(request), Some(target)) = (read.request, target) else {
        return report.skip_from(Step::Proxy, Step::Endpoint);
    };
    let Some(stream) = line::examine(report, &target).await? else {
        let failed = report.last_failure().unwrap_or(Step::Tcp);
        return report.skip_from(Step::Tls, failed);
    };
    if !tls::examine(report, &target, stream).await? {
        return report.skip_from(Step::Time, Step::Tls);
    }
    if !web::examine(report, request).await? {
        return report.skip_from(Step::Login, Step::Shape);
    }
    match login {
        None => report.tell(Finding::skip(Step::Login, Text::DoctorNoLogin, &[])),
        Some(_) if !is_complete => report.skip_from(Step::Login, Step::Env),
        Some((call, places, provider)) => login::examine(report, call, places, provider).await,
    }
}

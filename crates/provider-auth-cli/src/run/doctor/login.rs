//! The step `login`: one token, with the secrets, past the cache.

use auth_core::{ExposeSecret as _, JwtTimes};

use super::finding::{Finding, Step, advice};
use super::report::Report;
use crate::creds::Places;
use crate::past::Wish;
use crate::provider::Provider;
use crate::run::Call;
use crate::source::{Account, Got};
use crate::stop::Stop;
use crate::text::Text;
use crate::when::{now, span};

pub(super) async fn examine(
    report: &mut Report<'_>,
    call: Call<'_>,
    places: &Places,
    provider: Provider,
) -> Result<(), Stop> {
    let mut global = call.global.clone();
    global.timeout = Some(report.time_limit());
    let got = async {
        let account = Account::open(places, provider, Wish::Anew, &global, call.out).await?;
        account.token(call.out).await
    };
    let finding = match got.await {
        Ok(got) => good(&got),
        Err(Stop::Auth(failed)) => {
            let kind = failed.error.kind();
            let texts = (Text::DoctorLine, advice(kind));
            let values = [failed.error.message()];
            Finding::failure(Step::Login, kind, texts, &values)
        }
        Err(stop) => return Err(stop),
    };
    report.tell(finding)
}

fn good(got: &Got) -> Finding {
    let left = got.left.map(span).unwrap_or_else(|| "-".to_owned());
    let took = got.took.as_millis().to_string();
    let values = [left.as_str(), &took];
    // What its own times say, where it is a JWT: an issuer that lives in the future makes tokens
    // that an API refuses.
    let times = JwtTimes::peek(got.token.to_secret().expose_secret());
    let ahead = times.issued_at().and_then(|issued| issued.duration_since(now()).ok());
    match ahead.filter(|ahead| ahead.as_secs() > 60) {
        Some(ahead) => {
            let texts = (Text::DoctorIssuedAhead, Text::DoctorClockDo);
            Finding::warning(Step::Login, texts, &[&span(ahead)])
        }
        None => Finding::good(Step::Login, Text::DoctorLogin, &values),
    }
}

//! `curl`: becomes curl, which reads the headers from an inherited pipe.

use std::ffi::OsString;

use auth_core::Endpoint;

use super::child::{become_it, find, without_secrets};
use super::curl_args;
use super::{Call, block_on};
use crate::args::Wished;
use crate::creds::Places;
use crate::provider::Provider;
use crate::source::{Account, Got, wish};
use crate::stop::Stop;

pub(crate) struct Options {
    pub(crate) wish: Wished,
    pub(crate) host: Vec<String>,
}

#[cfg(unix)]
pub(crate) fn run(
    call: Call<'_>,
    provider: Provider,
    options: Options,
    args: &[OsString],
) -> Result<u8, Stop> {
    use rustix::fd::AsRawFd as _;

    let Call { global, out } = call;
    let curl = OsString::from("curl");
    let path = find(&curl)?;
    let places = Places::open(global)?;
    let more: Result<Vec<_>, _> = options.host.iter().map(|host| Endpoint::parse(host)).collect();
    let more = more.map_err(|error| error.with_provider(provider.name()))?;
    let (got, hosts) = block_on(async {
        let account = Account::open(&places, provider, wish(options.wish), global, out).await?;
        let hosts: Vec<_> = account.hosts().into_iter().chain(more).collect();
        let names: Vec<_> = hosts.iter().map(Endpoint::host).collect();
        let allowed = |scheme: &str, host: &str, port: Option<u16>| {
            hosts.iter().any(|own| own.is_same_origin(scheme, host, port))
        };
        // Before a token is fetched.
        curl_args::check(provider, args, &allowed, &names.join(", "))?;
        Ok::<_, Stop>((account.token(out).await?, hosts))
    })??;
    let pipe = super::child::filled_pipe(config(&got).as_bytes())?;
    let mut all = vec![OsString::from("-q")];
    all.extend(args.iter().cloned());
    all.extend(guards(&hosts).map(OsString::from));
    all.extend(["--config".into(), format!("/dev/fd/{}", pipe.as_raw_fd()).into()]);
    become_it(without_secrets(&path, &curl, &all))
}

#[cfg(not(unix))]
pub(crate) fn run(_: Call<'_>, provider: Provider, _: Options, _: &[OsString]) -> Result<u8, Stop> {
    use crate::text::Text;
    Err(Stop::usage(Text::UnixAlone, Text::UnixAloneDo, &[provider.name()]))
}

/// What curl is told last, so that nothing before it holds: no redirect, no other scheme, no
/// patterns in URLs, and no proxy for plain http, which is on loopback.
fn guards(hosts: &[Endpoint]) -> impl Iterator<Item = &'static str> {
    let is_plain = hosts.iter().any(Endpoint::is_plain_http);
    let is_tls = hosts.iter().any(|host| !host.is_plain_http());
    let schemes = match (is_tls, is_plain) {
        (true, true) => "=https,http",
        (false, true) => "=http",
        _ => "=https",
    };
    let proxy: &[_] = if is_plain { &["--noproxy", "*"] } else { &[] };
    let rest = ["--no-location", "--max-redirs", "0", "--globoff", "--no-verbose"];
    ["--proto", schemes].into_iter().chain(rest).chain(proxy.iter().copied())
}

/// A file of curl's options with the headers.
fn config(got: &Got) -> String {
    let mut lines = String::new();
    for (name, value) in got.token.headers() {
        let value = super::token::text(value.as_bytes());
        let value = value.replace('\\', r"\\").replace('"', "\\\"");
        lines.push_str(&format!("header = \"{}: {value}\"\n", super::token::title(name.as_str())));
    }
    lines
}

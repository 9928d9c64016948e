//! The step `proxy`: which one applies, by the rules of the real client, and whether it lets us
//! through. Of its setting only scheme, host and port are shown: it may have a password.

use std::error::Error as StdError;
use std::future::{Ready, ready};
use std::io;
use std::task::{Context, Poll};

use auth_core::ErrorKind;
use http::Uri;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tower_service::Service;

use super::finding::{Finding, Step};
use super::line::{Stream, Target, bare, dial, port};
use super::report::Report;
use super::tls;
use crate::settings::raw;
use crate::stop::Stop;
use crate::text::Text;
use crate::when::{millis_since, ticks};

/// How requests leave this machine.
pub(super) enum Way {
    Direct(Finding),
    Through(Proxy),
    /// The client would fail.
    Nowhere(Finding),
}

/// A proxy, and the variable that names it.
pub(super) struct Proxy {
    name: &'static str,
    intercept: Intercept,
    /// Whether `NO_PROXY` means to exclude the host, in a way that the client does not read.
    is_starred: bool,
}

/// The way to a target.
pub(super) fn way(target: &Target) -> Way {
    let none = Finding::good(Step::Proxy, Text::DoctorNoProxy, &[]);
    // As the client does: plain http goes through no proxy, and neither does a CGI program.
    if !target.is_tls || raw("REQUEST_METHOD").is_some() {
        return Way::Direct(none);
    }
    let named = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]].map(set);
    let named: Vec<_> =
        named.into_iter().flatten().filter(|(_, value)| !value.is_empty()).collect();
    let usable = named.iter().find(|(_, value)| {
        Matcher::builder().https(value.as_str()).build().intercept(&target.uri).is_some()
    });
    let url = |found| (found, Text::DoctorProxyUrlDo);
    let applying = Matcher::from_env().intercept(&target.uri);
    match (applying, usable, named.first()) {
        (Some(_), Some((name, value)), _) if is_cut_short(value) => {
            let texts = url(Text::DoctorProxyCutShort);
            Way::Nowhere(Finding::failure(Step::Proxy, ErrorKind::Config, texts, &[name]))
        }
        (Some(intercept), usable, _) => {
            // Windows knows a variable by its name in any case.
            let name = usable.map_or("HTTPS_PROXY", |(name, _)| name);
            let no = set(["NO_PROXY", "no_proxy"]);
            let is_starred = no.is_some_and(|(_, no)| is_starred(&no, &target.host));
            Way::Through(Proxy { name, intercept, is_starred })
        }
        (None, Some((name, _)), _) => {
            let values = [name, target.host.as_str()];
            Way::Direct(Finding::good(Step::Proxy, Text::DoctorNotProxied, &values))
        }
        (None, None, Some((name, _))) => {
            let texts = url(Text::DoctorProxyIgnored);
            Way::Direct(Finding::warning(Step::Proxy, texts, &[name]))
        }
        (None, None, None) => Way::Direct(none),
    }
}

/// The first of these names that is set, even if it is empty.
fn set(names: [&'static str; 2]) -> Option<(&'static str, String)> {
    names.into_iter().find_map(|name| Some((name, raw(name)?.into_string().ok()?)))
}

/// Whether an entry such as `*.example.com` is for this host. The client reads no star but a lone one.
fn is_starred(no_proxy: &str, host: &str) -> bool {
    let suffixes = no_proxy.split(',').filter_map(|entry| entry.trim().strip_prefix('*'));
    suffixes.filter(|suffix| suffix.starts_with('.')).any(|suffix| host.ends_with(suffix))
}

/// Whether a character of the user or the password ended the host's part of a URL, so that the user
/// stands where the host should.
fn is_cut_short(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once(['/', '?', '#']).is_some_and(|(_, rest)| rest.contains('@'))
}

/// Connects to the target through the proxy. `None` where a step failed.
pub(super) async fn through(
    report: &mut Report<'_>,
    target: &Target,
    proxy: &Proxy,
) -> Result<Option<Stream>, Stop> {
    let uri = proxy.intercept.uri();
    let scheme = uri.scheme_str().unwrap_or_default();
    let port = port(uri);
    let host = bare(uri).unwrap_or_default();
    let shown = format!("{scheme}://{}:{port}", uri.host().unwrap_or_default());
    let failure = |step, (found, advice), said: &str| {
        let values = [shown.as_str(), &target.host, said, proxy.name];
        let advice = if proxy.is_starred { Text::DoctorProxyStarDo } else { advice };
        let texts = (found, advice);
        Finding::failure(step, ErrorKind::Connect, texts, &values)
    };
    let skipped = Finding::skip(Step::Dns, Text::DoctorProxyResolves, &[]);
    if !["http", "https"].contains(&scheme) {
        let texts = (Text::DoctorProxyKind, Text::DoctorProxyKindDo);
        report.tell(failure(Step::Proxy, texts, scheme))?;
        report.skip_one(Step::Dns, Step::Proxy)?;
        report.skip_one(Step::Tcp, Step::Proxy)?;
        return Ok(None);
    }
    let applies = if target.is_loopback() {
        let texts = (Text::DoctorProxyLoopback, Text::DoctorProxyLoopbackDo);
        Finding::warning(Step::Proxy, texts, &[&shown, &target.host])
    } else if proxy.is_starred {
        let texts = (Text::DoctorProxyStar, Text::DoctorProxyStarDo);
        Finding::warning(Step::Proxy, texts, &[&shown, proxy.name, &target.host])
    } else {
        Finding::good(Step::Proxy, Text::DoctorProxy, &[&shown, proxy.name])
    };
    let began = ticks();
    let stream = match dial(report, (host.as_str(), port)).await {
        Ok(stream) => stream,
        Err(error) => {
            report.tell(applies)?;
            report.tell(skipped)?;
            let texts = (Text::DoctorProxyDown, Text::DoctorProxyDownDo);
            report.tell(failure(Step::Tcp, texts, &error.to_string()))?;
            return Ok(None);
        }
    };
    let took = millis_since(began);
    let connected = Finding::good(Step::Tcp, Text::DoctorConnected, &[&shown, &took]);
    let tunnel = match scheme {
        "https" => tls::handshake(report, Step::Proxy, &host, Box::new(stream)).await,
        _ => Ok((Box::new(stream) as Stream, applies.clone())),
    };
    let tunnel = match tunnel {
        Err(finding) => Err(finding),
        Ok((stream, _)) => tunnel_of(report, target, proxy, stream)
            .await
            .map_err(|(texts, said)| failure(Step::Proxy, texts, &said)),
    };
    let (finding, stream) = match tunnel {
        Ok(stream) => (applies, Some(stream)),
        Err(finding) => (finding, None),
    };
    for finding in [finding, skipped, connected] {
        report.tell(finding)?;
    }
    Ok(stream)
}

/// A tunnel through a proxy, or why there is none.
async fn tunnel_of(
    report: &Report<'_>,
    target: &Target,
    proxy: &Proxy,
    stream: Stream,
) -> Result<Stream, ((Text, Text), String)> {
    let intercept = &proxy.intercept;
    let auth = intercept.basic_auth();
    let mut tunnel = Tunnel::new(intercept.uri().clone(), Once(Some(stream)));
    if let Some(auth) = auth {
        tunnel = tunnel.with_auth(auth.clone());
    }
    // The error's type has no public name.
    match report.within(Step::Proxy, tunnel.call(target.uri.clone())).await {
        Some(Ok(stream)) => Ok(stream.into_inner()),
        None => Err(((Text::DoctorProxySilent, Text::DoctorProxySilentDo), report.limit())),
        Some(Err(error)) => {
            let said = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            let texts = match auth {
                _ if !said.contains("authorization required") => {
                    (Text::DoctorProxyRefuses, Text::DoctorProxyRefusesDo)
                }
                None => (Text::DoctorProxyAuth, Text::DoctorProxyAuthDo),
                Some(_) => (Text::DoctorProxyRejects, Text::DoctorProxyRejectsDo),
            };
            Err((texts, said.trim_start_matches("tunnel error: ").to_owned()))
        }
    }
}

/// A connector that has its one connection already.
struct Once(Option<Stream>);

impl Service<Uri> for Once {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Ready<io::Result<TokioIo<Stream>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let stream = self.0.take().map(TokioIo::new);
        ready(stream.ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_with_a_star_that_the_client_does_not_read_is_noticed() {
        let host = "pay.example.com";
        for (entries, expected) in [
            ("*.example.com", true),
            ("localhost, *.example.com", true),
            ("*.other.com,*pay.example.com", false),
            (".example.com", false),
            ("*", false),
        ] {
            assert_eq!(is_starred(entries, host), expected, "{entries}");
        }
        // Were this read one day, the advice would have to go.
        let read = |no: &str| {
            let matcher = Matcher::builder().https("http://proxy:3128").no(no).build();
            matcher.intercept(&Uri::from_static("https://pay.example.com/")).is_none()
        };
        assert!(read(".example.com") && read("example.com") && !read("*.example.com"));
    }

    #[test]
    fn a_password_that_ends_the_host_of_a_url_is_noticed() {
        for (url, expected) in [
            ("http://user:a#b@proxy:3128", true),
            ("http://user:3128/b@proxy:3128", true),
            ("user:a?b@proxy", true),
            ("http://user:p@ss@proxy:3128", false),
            ("http://user:a%23b@proxy:3128/", false),
            ("proxy:3128", false),
        ] {
            assert_eq!(is_cut_short(url), expected, "{url}");
        }
    }
}

//! The steps `proxy`, `dns` and `tcp`: how far a connection comes.

use std::future::{Ready, ready};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};

use auth_core::ErrorKind;
use http::Uri;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tower_service::Service;

use super::finding::{Finding, Step};
use super::report::Report;
use crate::run::all;
use crate::stop::Stop;
use crate::text::Text;
use crate::when::ticks;

/// Where a request goes.
pub(super) struct Target {
    pub(super) uri: Uri,
    pub(super) is_tls: bool,
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    port: u16,
}

impl Target {
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let is_tls = uri.scheme_str() == Some("https");
        let host = bare(uri)?;
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        Some(Self { uri: uri.clone(), is_tls, host, port })
    }

    /// Whether the name says that it is this machine. A name that DNS leads here does not count.
    fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.address().is_some_and(|address| address.is_loopback())
    }

    fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

fn bare(uri: &Uri) -> Option<String> {
    Some(uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned())
}

/// Connects to the target, or through the proxy that applies to it. `None` where a step failed. The
/// stream is `None` where a proxy of another kind is in between, which only the client speaks to.
pub(super) async fn examine(
    report: &mut Report<'_>,
    target: &Target,
) -> Result<Option<Option<TcpStream>>, Stop> {
    // As the client does: plain http goes through no proxy.
    let proxy = Matcher::from_env().intercept(&target.uri).filter(|_| target.is_tls);
    match proxy {
        Some(proxy) => through(report, target, &proxy).await,
        None => {
            report.tell(Finding::good(Step::Proxy, Text::DoctorNoProxy, &[]))?;
            let Some(addresses) = resolve(report, target).await? else {
                report.skip_one(Step::Tcp, Step::Dns)?;
                return Ok(None);
            };
            Ok(connect(report, &addresses).await?.map(Some))
        }
    }
}

async fn through(
    report: &mut Report<'_>,
    target: &Target,
    proxy: &Intercept,
) -> Result<Option<Option<TcpStream>>, Stop> {
    let uri = proxy.uri();
    let scheme = uri.scheme_str().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    let host = bare(uri).unwrap_or_default();
    // Never its user and password.
    let shown = format!("{scheme}://{}:{port}", uri.host().unwrap_or_default());
    let applies = |report: &mut Report<'_>| {
        report.tell(if target.is_loopback() {
            let texts = (Text::DoctorProxyLoopback, Text::DoctorProxyLoopbackDo);
            Finding::warning(Step::Proxy, texts, &[&shown, &target.host])
        } else {
            Finding::good(Step::Proxy, Text::DoctorProxy, &[&shown])
        })?;
        report.tell(Finding::skip(Step::Dns, Text::DoctorProxyResolves, &[]))
    };
    let began = ticks();
    let opened = report.within(Step::Tcp, TcpStream::connect((host.as_str(), port))).await;
    let opened = opened.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()));
    let stream = match opened {
        Ok(stream) => stream,
        Err(error) => {
            applies(report)?;
            let texts = (Text::DoctorProxyDown, Text::DoctorProxyDownDo);
            let values = [shown.as_str(), &error.to_string(), &target.host];
            report.tell(Finding::failure(Step::Tcp, ErrorKind::Connect, texts, &values))?;
            return Ok(None);
        }
    };
    let took = (ticks().saturating_sub(began)).as_millis().to_string();
    let connected = Finding::good(Step::Tcp, Text::DoctorConnected, &[&shown, &took]);
    if scheme != "http" {
        applies(report)?;
        report.tell(connected)?;
        return Ok(Some(None));
    }
    let mut tunnel = Tunnel::new(uri.clone(), Once(Some(stream)));
    if let Some(auth) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(auth.clone());
    }
    let made = report.within(Step::Proxy, tunnel.call(target.uri.clone())).await;
    let (texts, said) = match made {
        Some(Ok(stream)) => {
            applies(report)?;
            report.tell(connected)?;
            return Ok(Some(Some(stream.into_inner())));
        }
        None => ((Text::DoctorProxySilent, Text::DoctorProxySilentDo), report.limit()),
        // Its type has no public name.
        Some(Err(error)) => match error.to_string() {
            said if said.contains("authorization required") => {
                ((Text::DoctorProxyAuth, Text::DoctorProxyAuthDo), said)
            }
            said => ((Text::DoctorProxyRefuses, Text::DoctorProxyRefusesDo), said),
        },
    };
    let values = [shown.as_str(), &target.host, &said];
    report.tell(Finding::failure(Step::Proxy, ErrorKind::Connect, texts, &values))?;
    report.tell(Finding::skip(Step::Dns, Text::DoctorProxyResolves, &[]))?;
    report.tell(connected)?;
    Ok(None)
}

/// A connector that has its one connection already.
struct Once(Option<TcpStream>);

impl Service<Uri> for Once {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Ready<io::Result<TokioIo<TcpStream>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let stream = self.0.take().map(TokioIo::new);
        ready(stream.ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

async fn resolve(
    report: &mut Report<'_>,
    target: &Target,
) -> Result<Option<Vec<SocketAddr>>, Stop> {
    if let Some(address) = target.address() {
        report.tell(Finding::good(Step::Dns, Text::DoctorIsAddress, &[]))?;
        return Ok(Some(vec![SocketAddr::new(address, target.port)]));
    }
    let (host, began) = (target.host.as_str(), ticks());
    let found = report.within(Step::Dns, lookup_host((host, target.port))).await;
    let took = ticks().saturating_sub(began).as_millis().to_string();
    let addresses: Vec<_> = match found {
        Some(Ok(found)) => found.collect(),
        Some(Err(error)) => {
            let texts = (Text::DoctorNoHost, Text::DoctorNoHostDo);
            let values = [host, &error.to_string()];
            report.tell(Finding::failure(Step::Dns, ErrorKind::Connect, texts, &values))?;
            return Ok(None);
        }
        None => {
            let texts = (Text::DoctorDnsSilent, Text::DoctorDnsSilentDo);
            let values = [host, &report.limit()];
            report.tell(Finding::failure(Step::Dns, ErrorKind::Connect, texts, &values))?;
            return Ok(None);
        }
    };
    let listed: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
    let values = [host, &listed.join(", "), &took];
    report.tell(if target.is_loopback() {
        Finding::good(Step::Dns, Text::DoctorResolved, &values)
    } else if addresses.iter().all(|address| is_private(address.ip())) {
        Finding::warning(Step::Dns, (Text::DoctorPrivate, Text::DoctorPrivateDo), &values)
    } else if addresses.iter().all(SocketAddr::is_ipv6) {
        Finding::warning(Step::Dns, (Text::DoctorOnlyIpv6, Text::DoctorOnlyIpv6Do), &values)
    } else {
        Finding::good(Step::Dns, Text::DoctorResolved, &values)
    })?;
    Ok(Some(addresses))
}

/// An address that no public host has (RFC 6890).
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            // Carrier-grade NAT, which VPNs and captive portals use (RFC 6598).
            let [first, second, ..] = address.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || is_shared
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
    }
}

/// Tries every address, since a client tries them one after the other and waits for dead ones.
async fn connect(
    report: &mut Report<'_>,
    addresses: &[SocketAddr],
) -> Result<Option<TcpStream>, Stop> {
    let shared = &*report;
    let one = |address: &SocketAddr| {
        let address = *address;
        Box::pin(async move {
            let began = ticks();
            let opened = shared.within(Step::Tcp, TcpStream::connect(address)).await;
            let opened = opened.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()));
            (address, opened, ticks().saturating_sub(began).as_millis())
        })
    };
    let mut tries: Vec<_> = addresses.iter().map(one).collect();
    let tried = all(&mut tries).await;
    drop(tries);
    let (mut stream, mut worked, mut failed) = (None, None, Vec::new());
    for (address, opened, took) in tried {
        match opened {
            Ok(opened) => {
                stream = stream.or(Some(opened));
                worked = worked.or_else(|| Some((address.to_string(), took.to_string())));
            }
            Err(error) => failed.push((address, error)),
        }
    }
    let dead: Vec<_> = failed.iter().map(|(address, _)| address.to_string()).collect();
    let dead = dead.join(", ");
    let first = failed.first().map(|(_, error)| error);
    report.tell(match (worked, first) {
        (Some((address, took)), None) => {
            Finding::good(Step::Tcp, Text::DoctorConnected, &[&address, &took])
        }
        (Some((address, took)), Some(error)) => {
            let texts = (Text::DoctorSomeDead, Text::DoctorSomeDeadDo);
            Finding::warning(Step::Tcp, texts, &[&address, &took, &dead, &error.to_string()])
        }
        (None, Some(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            let texts = (Text::DoctorClosed, Text::DoctorClosedDo);
            Finding::failure(Step::Tcp, ErrorKind::Connect, texts, &[&dead])
        }
        (None, Some(error)) if error.kind() == io::ErrorKind::TimedOut => {
            let texts = (Text::DoctorFiltered, Text::DoctorFilteredDo);
            Finding::failure(Step::Tcp, ErrorKind::Connect, texts, &[&dead, &report.limit()])
        }
        (None, error) => {
            let why = error.map(ToString::to_string).unwrap_or_default();
            let texts = (Text::DoctorNoRoute, Text::DoctorNoRouteDo);
            Finding::failure(Step::Tcp, ErrorKind::Connect, texts, &[&dead, &why])
        }
    })?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_no_public_host_has_are_known() {
        for (address, expected) in [
            ("10.1.2.3", true),
            ("192.168.0.1", true),
            ("127.0.0.53", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("169.254.1.1", true),
            ("::ffff:10.0.0.1", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("2001:db8::1", false),
            ("203.0.113.9", false),
        ] {
            assert_eq!(is_private(address.parse().unwrap()), expected, "{address}");
        }
    }
}

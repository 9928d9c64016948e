//! The steps `dns` and `tcp`: how far a connection comes, if no proxy is in between.

use std::io;
use std::net::{IpAddr, SocketAddr};

use auth_core::ErrorKind;
use http::Uri;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, ToSocketAddrs, lookup_host};

use super::finding::{Finding, Step};
use super::proxy::{self, Way};
use super::report::Report;
use crate::run::all;
use crate::stop::Stop;
use crate::text::Text;
use crate::when::{millis_since, ticks};

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
        Some(Self { uri: uri.clone(), is_tls, host: bare(uri)?, port: port(uri) })
    }

    /// Whether the name says that it is this machine. A name that DNS leads here does not count.
    pub(super) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.address().is_some_and(|address| address.is_loopback())
    }

    fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

pub(super) fn bare(uri: &Uri) -> Option<String> {
    Some(uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned())
}

/// The port of a URL: that of its scheme unless it names one.
pub(super) fn port(uri: &Uri) -> u16 {
    let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    uri.port_u16().unwrap_or(usual)
}

/// Connects, within the time of a step.
pub(super) async fn dial(report: &Report<'_>, to: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let opened = report.within(Step::Tcp, TcpStream::connect(to)).await;
    opened.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
}

/// A connection, with or without TLS below.
pub(super) type Stream = Box<dyn Io>;

pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Connects to the target, or through the proxy that applies to it. `None` where a step failed.
pub(super) async fn examine(
    report: &mut Report<'_>,
    target: &Target,
) -> Result<Option<Stream>, Stop> {
    match proxy::way(target) {
        Way::Through(proxy) => proxy::through(report, target, &proxy).await,
        Way::Direct(finding) => {
            report.tell(finding)?;
            let Some(addresses) = resolve(report, target).await? else {
                report.skip_one(Step::Tcp, Step::Dns)?;
                return Ok(None);
            };
            connect(report, target, &addresses).await
        }
        Way::Nowhere(finding) => {
            report.tell(finding)?;
            report.skip_one(Step::Dns, Step::Proxy)?;
            report.skip_one(Step::Tcp, Step::Proxy)?;
            Ok(None)
        }
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
    let took = millis_since(began);
    let addresses: Vec<_> = match found {
        Some(Ok(found)) => found.collect(),
        Some(Err(error)) => {
            let said = error.to_string();
            // EAI_AGAIN in the words of glibc and musl: std has no kind for it.
            let is_down = ["Temporary failure", "Try again"].iter().any(|it| said.contains(it));
            let texts = if is_down {
                (Text::DoctorDnsDown, Text::DoctorDnsSilentDo)
            } else {
                (Text::DoctorNoHost, Text::DoctorNoHostDo)
            };
            let values = [host, &said];
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
    target: &Target,
    addresses: &[SocketAddr],
) -> Result<Option<Stream>, Stop> {
    let shared = &*report;
    let one = |address: &SocketAddr| {
        let address = *address;
        Box::pin(async move {
            let began = ticks();
            (address, dial(shared, address).await, millis_since(began))
        })
    };
    let mut tries: Vec<_> = addresses.iter().map(one).collect();
    let tried = all(&mut tries).await;
    drop(tries);
    let (mut stream, mut worked, mut failed) = (None, None, Vec::new());
    for (address, opened, took) in tried {
        match opened {
            Ok(opened) => {
                stream = stream.or_else(|| Some(Box::new(opened) as Stream));
                worked = worked.or_else(|| Some((address.to_string(), took)));
            }
            Err(error) => failed.push((address, error)),
        }
    }
    report.tell(match worked {
        Some((address, took)) => connected(&address, &took, &failed, target.is_loopback()),
        None => unconnected(&failed, &report.limit()),
    })?;
    Ok(stream)
}

type Failed = (SocketAddr, io::Error);

/// Those that failed in one way, and the words of the first.
fn of(failed: &[Failed], is_one: impl Fn(io::ErrorKind) -> bool) -> Option<(String, String)> {
    let ones: Vec<_> = failed.iter().filter(|(_, error)| is_one(error.kind())).collect();
    let (_, error) = ones.first()?;
    let listed: Vec<_> = ones.iter().map(|(address, _)| address.to_string()).collect();
    Some((listed.join(", "), error.to_string()))
}

/// What the addresses that failed mean beside one that works. A machine without IPv6 knows at once
/// that it has no way there, and loses nothing; `localhost` may have a server at one address alone.
fn connected(address: &str, took: &str, failed: &[Failed], is_loopback: bool) -> Finding {
    if let Some((dead, why)) = of(failed, |kind| kind == io::ErrorKind::TimedOut) {
        let texts = (Text::DoctorSomeDead, Text::DoctorSomeDeadDo);
        return Finding::warning(Step::Tcp, texts, &[address, took, &dead, &why]);
    }
    match of(failed, |kind| kind == io::ErrorKind::ConnectionRefused) {
        Some((closed, why)) if !is_loopback => {
            let texts = (Text::DoctorSomeDead, Text::DoctorSomeClosedDo);
            Finding::warning(Step::Tcp, texts, &[address, took, &closed, &why])
        }
        _ => Finding::good(Step::Tcp, Text::DoctorConnected, &[address, took]),
    }
}

/// What it means that no address works. One to which this machine has no way says nothing of the
/// host, so the others count.
fn unconnected(failed: &[Failed], limit: &str) -> Finding {
    let failure =
        |texts, values: &[&str]| Finding::failure(Step::Tcp, ErrorKind::Connect, texts, values);
    if let Some((silent, _)) = of(failed, |kind| kind == io::ErrorKind::TimedOut) {
        return failure((Text::DoctorFiltered, Text::DoctorFilteredDo), &[&silent, limit]);
    }
    if let Some((closed, _)) = of(failed, |kind| kind == io::ErrorKind::ConnectionRefused) {
        return failure((Text::DoctorClosed, Text::DoctorClosedDo), &[&closed]);
    }
    let (listed, why) = of(failed, |_| true).unwrap_or_default();
    failure((Text::DoctorNoRoute, Text::DoctorNoRouteDo), &[&listed, &why])
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;
    use crate::args::Lang;

    fn failed(all: &[(&str, io::ErrorKind)]) -> Vec<Failed> {
        all.iter().map(|(address, kind)| (address.parse().unwrap(), (*kind).into())).collect()
    }

    #[test]
    fn an_address_that_this_machine_has_no_way_to_says_nothing_of_the_host() {
        use io::ErrorKind::{ConnectionRefused, NetworkUnreachable, TimedOut};
        let (v6, v4) = ("[2001:db8::1]:443", "203.0.113.7:443");
        for (all, says) in [
            ([(v6, NetworkUnreachable), (v4, TimedOut)], "no answer from 203.0.113.7:443 in 5 s"),
            ([(v6, NetworkUnreachable), (v4, ConnectionRefused)], "closed: 203.0.113.7:443"),
            ([(v6, ConnectionRefused), (v4, TimedOut)], "no answer from 203.0.113.7:443"),
            (
                [(v6, NetworkUnreachable), (v4, NetworkUnreachable)],
                "cannot reach [2001:db8::1]:443, ",
            ),
        ] {
            let found = unconnected(&failed(&all), "5 s").found(Lang::En);
            assert!(found.contains(says), "{found}");
        }
        let beside = |kind, is_loopback| connected(v4, "9", &failed(&[(v6, kind)]), is_loopback);
        // A container without IPv6, and a server at 127.0.0.1 alone.
        assert_eq!(beside(NetworkUnreachable, false).state, State::Good);
        assert_eq!(beside(ConnectionRefused, true).state, State::Good);
        for (kind, advice) in [(TimedOut, "wait for it"), (ConnectionRefused, "operator")] {
            let found = beside(kind, false);
            assert_eq!(found.state, State::Warning);
            let said = found.advice(Lang::En).unwrap();
            assert!(said.contains(advice), "{said}");
        }
    }

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

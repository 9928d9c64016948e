//! The URL of a server, read strictly. No error quotes any of it: it holds a password.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use auth_core::Error;
use zeroize::Zeroizing;

const DEFAULT_PORT: u16 = 6379;
const SHAPE: &str = "write rediss://user:password@host:port/database, where all but the host may \
                     be left out";

/// What a URL says.
pub(super) struct Url {
    pub(super) has_tls: bool,
    pub(super) user: Option<Zeroizing<String>>,
    pub(super) password: Option<Zeroizing<String>>,
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
    /// Host and port, as errors show them.
    pub(super) address: Arc<str>,
    pub(super) database: u16,
}

impl Url {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| fault(SHAPE))?;
        let has_tls = match scheme {
            "rediss" => true,
            "redis" => false,
            "valkeys" => return Err(fault("begin it with rediss:// instead of valkeys://")),
            "valkey" => return Err(fault("begin it with redis:// instead of valkey://")),
            _ => return Err(fault("begin it with rediss://, or with redis:// for no TLS")),
        };
        if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err(fault("it holds a space or a line break"));
        }
        if rest.contains(['?', '#']) {
            return Err(fault("it takes no ? and no #: percent-encode them in a password"));
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, authority),
        };
        let (user, password) = login.map_or(Ok((None, None)), self::login)?;
        let (host, port) = self::place(place)?;
        let database = database(path)?;
        let shown =
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let address = shown.into();
        Ok(Self { has_tls, user, password, host, port, address, database })
    }

    /// Whether nobody else can read what is sent to this host.
    pub(super) fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => self.host == "localhost",
        }
    }
}

/// A user, if there is one, and a password.
type Login = (Option<Zeroizing<String>>, Option<Zeroizing<String>>);

fn login(text: &str) -> Result<Login, Error> {
    let (user, password) = text.split_once(':').ok_or_else(|| {
        fault("it has a user without a password: write user:password@, or :password@")
    })?;
    if password.contains([':', '@']) || user.contains('@') {
        return Err(fault("percent-encode : / @ % in the user and the password (%3A %2F %40 %25)"));
    }
    if password.is_empty() {
        return Err(fault("its password is empty: write user:password@, or leave out both"));
    }
    let user = (!user.is_empty()).then(|| decoded(user)).transpose()?;
    Ok((user, Some(decoded(password)?)))
}

/// Removes the percent-encoding.
fn decoded(text: &str) -> Result<Zeroizing<String>, Error> {
    let wrong = || {
        fault(
            "a % in its user or password is not followed by two hexadecimal digits of UTF-8 text: write %25 for a % itself",
        )
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let (high, low) = (digit().ok_or_else(wrong)?, digit().ok_or_else(wrong)?);
            u8::try_from(high.wrapping_shl(4) | low).map_err(|_| wrong())?
        } else {
            byte
        };
        bytes.push(byte);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong())?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn place(text: &str) -> Result<(String, u16), Error> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or_else(|| fault(SHAPE))?;
        let address: Ipv6Addr =
            host.parse().map_err(|_| fault("what stands in [ ] is not an IPv6 address"))?;
        (address.to_string(), port)
    } else {
        let end = text.find(':').unwrap_or(text.len());
        let (host, port) = text.split_at(end);
        (host.to_ascii_lowercase(), port)
    };
    if !host.contains(':') && !is_name(&host) {
        return Err(fault(
            "its host is not a name or an address: a password must be \
                          percent-encoded, and an IPv6 address stands in [ ]",
        ));
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => DEFAULT_PORT,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port != 0).ok_or_else(no_port)?
        }
        _ => return Err(no_port()),
    };
    Ok((host, port))
}

fn no_port() -> Error {
    fault("its port is not a number from 1 to 65535: a password must be percent-encoded")
}

/// A DNS name, or an IPv4 address that every parser reads the same way.
fn is_name(host: &str) -> bool {
    if host.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    name.len() <= 253 && name.split('.').all(is_label) && !is_number
}

fn database(path: &str) -> Result<u16, Error> {
    let is_number = path.bytes().all(|byte| byte.is_ascii_digit());
    match path {
        "" => Ok(0),
        _ if is_number => path.parse().map_err(|_| no_database()),
        _ => Err(no_database()),
    }
}

fn no_database() -> Error {
    fault("its database, after the last /, is not a number from 0 to 65535")
}

fn fault(what: &str) -> Error {
    Error::config(format!("the Redis URL cannot be read: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_who() {
        let none = (None, None);
        for (text, tls, login, address, database) in [
            ("rediss://r.example.com", true, none, "r.example.com:6379", 0),
            ("redis://localhost:1/", false, none, "localhost:1", 0),
            ("rediss://u:p@R.example.com/3", true, (Some("u"), Some("p")), "r.example.com:6379", 3),
            ("redis://:p%40%3a%25@127.0.0.1", false, (None, Some("p@:%")), "127.0.0.1:6379", 0),
            ("rediss://[::1]:6380/15", true, none, "[::1]:6380", 15),
            ("rediss://u:p%C3%9F@r_1", true, (Some("u"), Some("p\u{df}")), "r_1:6379", 0),
        ] {
            let url = Url::parse(text).unwrap();
            let user = url.user.as_ref().map(|text| text.as_str());
            let password = url.password.as_ref().map(|text| text.as_str());
            let read = (url.has_tls, (user, password), &*url.address, url.database);
            assert_eq!(read, (tls, login, address, database), "{text}");
        }
    }

    #[test]
    fn a_url_that_could_be_read_in_two_ways_is_refused_and_never_quoted() {
        for (text, says) in [
            ("", "rediss://user:password@host"),
            ("CANARY.example.com", "rediss://user"),
            ("http://CANARY", "begin it with rediss://"),
            ("REDIS://CANARY", "begin it with rediss://"),
            ("valkeys://CANARY", "rediss:// instead"),
            ("redis+unix:///CANARY", "begin it with"),
            ("redis://", "host"),
            ("redis://:CANARY@", "host"),
            ("redis://CANARY@host", "user without a password"),
            ("redis://u:@CANARY", "password is empty"),
            ("redis://u:CAN@ARY@host", "percent-encode"),
            ("redis://u:CAN:ARY@host", "percent-encode"),
            ("redis://u:CAN/ARY@host", "percent-encoded"),
            ("redis://:CANARY/x@host", "percent-encoded"),
            ("redis://u:CAN#ARY@host", "percent-encode"),
            ("redis://u:CANARY@host?x=1", "no ?"),
            ("redis://u:CANARY%@host", "write %25"),
            ("redis://u:CANARY%2@host", "write %25"),
            ("redis://u:CANARY%zz@host", "write %25"),
            ("redis://u:CANARY%ff@host", "write %25"),
            ("redis://u:CANARY@host:", "port"),
            ("redis://u:CANARY@host:0", "port"),
            ("redis://u:CANARY@host:65536", "port"),
            ("redis://u:CANARY@host:+1", "port"),
            ("redis://u:CANARY@::1", "[ ]"),
            ("redis://u:CANARY@[::g]", "IPv6"),
            ("redis://u:CANARY@127.1", "host"),
            ("redis://u:CANARY@0x7f.1", "host"),
            ("redis://u:CANARY@host/x", "database"),
            ("redis://u:CANARY@host/1/2", "database"),
            ("redis://u:CANARY@host/65536", "database"),
            ("redis://u:CANARY@host\n", "line break"),
            ("redis://u:CANARY @host", "space"),
        ] {
            let error = Url::parse(text).err().unwrap_or_else(|| panic!("{text} was read"));
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(says), "{text}: {shown}");
            assert!(!shown.contains("CAN") && !shown.contains("ARY"), "{text}: {shown}");
        }
    }

    #[test]
    fn only_this_host_is_loopback() {
        for (host, is) in [
            ("localhost", true),
            ("127.9.9.9", true),
            ("[::1]", true),
            ("localhost.example.com", false),
            ("10.0.0.1", false),
            ("[::2]", false),
        ] {
            let url = Url::parse(&format!("redis://{host}")).unwrap();
            assert_eq!(url.is_loopback(), is, "{host}");
        }
    }
}

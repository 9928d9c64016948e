//! Whether two URLs go to the same server.

use std::net::Ipv6Addr;

use super::Endpoint;

impl Endpoint {
    /// Whether a URL with this scheme, host and port goes to this endpoint's server. Paths are not
    /// compared.
    ///
    /// Without a port, on either side, the scheme's own port counts. A name must be spelled the same
    /// way but for the case of its letters; an IPv6 address, in brackets, may be spelled in any way.
    ///
    /// ```
    /// use auth_core::Endpoint;
    ///
    /// let api = Endpoint::parse("https://api.example.com/v1")?;
    /// assert!(api.is_same_origin("https", "API.example.com", Some(443)));
    /// assert!(!api.is_same_origin("https", "api.example.com", Some(8443)));
    /// assert!(!api.is_same_origin("http", "api.example.com", Some(443)));
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn is_same_origin(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        let (own_scheme, usual) = if self.is_plain_http() { ("http", 80) } else { ("https", 443) };
        let (own_host, own_port) = split_port(self.host());
        let own_port = own_port.and_then(|port| port.parse().ok());
        scheme.eq_ignore_ascii_case(own_scheme)
            && is_same_host(host, own_host)
            && port.unwrap_or(usual) == own_port.unwrap_or(usual)
    }
}

fn is_same_host(one: &str, other: &str) -> bool {
    // HTTP clients write `[0:0:0:0:0:0:0:1]` as `[::1]`.
    let address = |host: &str| -> Option<Ipv6Addr> {
        host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
    };
    match (address(one), address(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one.eq_ignore_ascii_case(other),
    }
}

/// Splits `host:port`, where the host may be a bracketed IPv6 address.
pub(super) fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rfind(':') {
        Some(colon) if !authority.ends_with(']') => {
            let (host, port) = authority.split_at(colon);
            (host, port.strip_prefix(':'))
        }
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_is_the_same_in_any_spelling() {
        let long = Endpoint::parse("http://[0:0:0:0:0:0:0:1]:8080").unwrap();
        assert!(long.is_same_origin("http", "[::1]", Some(8080)));
        for (host, port) in [("[::2]", 8080), ("::1", 8080), ("[::1]", 8081), ("[::1", 8080)] {
            assert!(!long.is_same_origin("http", host, Some(port)), "{host}");
        }
    }
}

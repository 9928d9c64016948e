//! Whether two URLs go to the same server.

use super::Endpoint;

impl Endpoint {
    /// Whether a URL with this scheme, host and port goes to this endpoint's server. Paths are not
    /// compared.
    ///
    /// Without a port, on either side, the scheme's own port counts. The host must be spelled the
    /// same way but for the case of its letters.
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
            && host.eq_ignore_ascii_case(own_host)
            && port.unwrap_or(usual) == own_port.unwrap_or(usual)
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

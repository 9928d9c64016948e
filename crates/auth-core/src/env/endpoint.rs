//! Endpoints as settings: a public host, or, in a variable ending in `_INTERNAL`, a private one.

use secrecy::ExposeSecret;

use super::EnvReader;
use crate::endpoint::Endpoint;

impl EnvReader<'_> {
    /// Reads an optional endpoint: `name`, or `name` with `_INTERNAL` for a host of the user's own
    /// network (see [`Endpoint::parse_internal`]). `path` is the path that the flow appends to it,
    /// or empty.
    ///
    /// ```
    /// use auth_core::Env;
    ///
    /// let env = Env::from_pairs([("ACME_BASE_URL_INTERNAL", "https://auth-proxy:8443")]);
    /// let read = env.read("acme", |vars| vars.optional_endpoint("ACME_BASE_URL", "v1/token"));
    /// let endpoint = read?;
    /// assert_eq!(endpoint.host(), "auth-proxy:8443");
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    pub fn optional_endpoint(&mut self, name: &str, path: &str) -> Option<Endpoint> {
        let internal = format!("{name}_INTERNAL");
        let whole = |endpoint: Endpoint| endpoint.with_path(path).map(|_| endpoint);
        match (self.look_up(name), self.look_up(&internal)) {
            (Some(_), Some(_)) => {
                self.faults.push(format!("{name} and {internal} are both set: unset one"));
                None
            }
            (Some(url), None) => self.parse(name, url.expose_secret(), |url| {
                Endpoint::parse_setting(url, &internal).and_then(whole)
            }),
            (None, Some(url)) => self.parse(&internal, url.expose_secret(), |url| {
                Endpoint::parse_internal(url).and_then(whole)
            }),
            (None, None) => None,
        }
    }

    /// As [`optional_endpoint`](Self::optional_endpoint), for a required one.
    ///
    /// ```
    /// use auth_core::Env;
    ///
    /// let env = Env::from_pairs([("ACME_KEY", "k-1")]);
    /// let made = env.read("acme", |vars| vars.required_endpoint("ACME_BASE_URL", "v1/token"));
    /// let error = made.unwrap_err();
    /// assert_eq!(error.message(), "set ACME_BASE_URL (or ACME_BASE_URL_FILE)");
    /// ```
    pub fn required_endpoint(&mut self, name: &str, path: &str) -> Option<Endpoint> {
        self.require(name, |vars| vars.optional_endpoint(name, path))
    }
}

#[cfg(test)]
mod tests {
    use crate::Env;

    #[test]
    fn a_refused_url_names_the_setting_to_use_instead() {
        for (pairs, says) in [
            (
                &[("A_URL", "https://auth-proxy:8443")][..],
                "A_URL: the endpoint URL has a host of one word",
            ),
            (&[("A_URL", "https://auth-proxy:8443")], "or set A_URL_INTERNAL instead"),
            (&[("A_URL", "https://10.0.0.1")], "or set A_URL_INTERNAL instead"),
            (&[("A_URL", "http://sandbox:8080")], "is plain http: use https"),
            (
                &[("A_URL_INTERNAL", "http://sandbox:8080")],
                "A_URL_INTERNAL: the endpoint URL is plain",
            ),
            (&[("A_URL", "https://a.example/v1/token/")], "ends in /v1/token, which is appended"),
            (&[("A_URL", "https://a.example"), ("A_URL_INTERNAL", "https://b")], "are both set"),
        ] {
            let env = Env::from_pairs(pairs.iter().copied());
            let made = env.read("acme", |vars| vars.optional_endpoint("A_URL", "v1/token"));
            let text = made.unwrap_err().to_string();
            assert!(text.contains(says) && !text.contains("Endpoint::"), "{text}");
        }
        for url in ["https://auth-proxy:8443", "https://10.0.0.1", "https://a.example"] {
            let env = Env::from_pairs([("A_URL_INTERNAL", url)]);
            let made = env.read("acme", |vars| vars.required_endpoint("A_URL", "v1/token"));
            assert!(made.is_ok(), "{url}");
        }
    }
}

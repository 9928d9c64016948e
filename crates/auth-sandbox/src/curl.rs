//! A token request as a command line, for a terminal or a page.

use crate::{Credentials, Handle, Provider};

impl<P> Handle<P> {
    /// The documented token request as a `curl` command, with the first account's credentials.
    ///
    /// ```
    /// # let sandbox = auth_sandbox::Sandbox::builder().fixed_credentials(true).start_blocking()?;
    /// assert!(sandbox.manis().curl().contains("-H 'x-merchant-id: sandbox-manis'"));
    /// # Ok::<(), auth_sandbox::Error>(())
    /// ```
    pub fn curl(&self) -> String {
        let (url, credentials) = (quoted(&self.token_url()), self.credentials());
        let (id, secret) = (credentials.id(), credentials.secret());
        match self.provider() {
            Provider::Digitalpaye => {
                let pair = quoted(&format!("{id}:{secret}"));
                format!("curl -X POST {url} -u {pair} -H 'X-Environment: Production'")
            }
            Provider::Digishare => {
                let body = json(&credentials, ["client_id", "client_secret"], true);
                format!("curl {url} --json {body}")
            }
            Provider::TresorPay => format!(
                "curl {url} -d grant_type=client_credentials -d scope=tresorpay \
                 --data-urlencode {} --data-urlencode {}",
                quoted(&format!("client_id={id}")),
                quoted(&format!("client_secret={secret}")),
            ),
            Provider::Papaya => {
                let body = json(&credentials, ["api_key", "client_secret"], false);
                format!("curl {url} --json {body}")
            }
            Provider::Manis => format!(
                "curl -X POST {url} -H {} -H {}",
                quoted(&format!("x-merchant-id: {id}")),
                quoted(&format!("x-secret: {secret}")),
            ),
        }
    }

    /// [`env`](Self::env) as lines for a POSIX shell: `export MANIS_SECRET=...`.
    ///
    /// ```
    /// # let sandbox = auth_sandbox::Sandbox::builder().fixed_credentials(true).start_blocking()?;
    /// assert!(sandbox.manis().exports().contains("export MANIS_MERCHANT_ID=sandbox-manis\n"));
    /// # Ok::<(), auth_sandbox::Error>(())
    /// ```
    pub fn exports(&self) -> String {
        let line = |(name, value): (&str, String)| format!("export {name}={}\n", quoted(&value));
        self.env().into_iter().map(line).collect()
    }
}

fn json(credentials: &Credentials, [id, secret]: [&str; 2], grant: bool) -> String {
    let mut body = serde_json::Map::new();
    if grant {
        body.insert("grant_type".to_owned(), "client_credentials".into());
    }
    body.insert(id.to_owned(), credentials.id().into());
    body.insert(secret.to_owned(), credentials.secret().into());
    quoted(&serde_json::Value::from(body).to_string())
}

/// As one word of a POSIX shell; plain words stay as they are.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_it_otherwise() {
        assert_eq!(quoted("http://127.0.0.1:8080/v1"), "http://127.0.0.1:8080/v1");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}

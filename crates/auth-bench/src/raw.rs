//! A raw exchange, with only the HTTP library and a shared client.
//!
//! It is the lower limit for an exchange, and the hand-written sources use it. It has the same time
//! limits as the engine's client and sends the same body; it wipes nothing, and checks only status
//! and shape.

use std::time::{Duration, Instant};

use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use raw_client::{Client, Url, redirect};
use serde::Deserialize;

use crate::timing::now;
use crate::{Failed, Outcome};

/// The body of every token request.
pub(crate) const BODY: &str = r#"{"secret":"made-up-secret"}"#;

/// A token as a hand-written cache keeps it: the complete header and its instants, computed once.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) header: HeaderValue,
    /// When four fifths of its lifetime are over.
    pub(crate) refresh_due: Instant,
    /// A twentieth of its lifetime before expiry, at most 10 s: the engine's margin.
    pub(crate) usable_until: Instant,
}

impl Token {
    fn new(token: &str, began: Instant, lifetime: Duration) -> Outcome<Self> {
        let mut header = HeaderValue::from_str(&format!("Bearer {token}"))?;
        header.set_sensitive(true);
        let margin = (lifetime / 20).min(Duration::from_secs(10));
        Ok(Self {
            header,
            refresh_due: began + lifetime - lifetime / 5,
            usable_until: began + lifetime - margin,
        })
    }

    /// Whether it may be handed out.
    pub(crate) fn is_good(&self, now: Instant) -> bool {
        now < self.usable_until
    }
}

/// The HTTP library and an address.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    client: Client,
    url: Url,
}

#[derive(Deserialize)]
struct Granted {
    token: String,
    expires_in_ms: u64,
}

impl Raw {
    /// A new client, which sets up TLS even if only plain http is used.
    pub(crate) fn new(url: &str) -> Outcome<Self> {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self { client, url: url.parse()? })
    }

    /// Asks for a token.
    pub(crate) async fn exchange(&self) -> Result<Token, Failed> {
        let began = now();
        let answer = self
            .client
            .post(self.url.clone())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .body(BODY)
            .send()
            .await?
            .error_for_status()?;
        let granted: Granted = serde_json::from_slice(&answer.bytes().await?)?;
        let lifetime = Duration::from_millis(granted.expires_in_ms);
        Token::new(&granted.token, began, lifetime)
    }

    /// Asks up to five times, with pauses of 200 ms, 400 ms, 800 ms and 1.6 s.
    pub(crate) async fn exchange_patiently(&self) -> Result<Token, Failed> {
        let mut pause = Duration::from_millis(200);
        for _ in 0..4 {
            if let Ok(token) = self.exchange().await {
                return Ok(token);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.exchange().await
    }
}

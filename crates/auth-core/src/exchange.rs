//! The interface between a provider and the engine: what to send, and how to read the answer.
//!
//! A flow is two pure functions. It does no I/O, reads no clock and is not async, so a reader can
//! compare it with the provider's document and a test needs no server. The engine decides when to
//! ask, how often, and what to keep ([`CachedTokenSource`](crate::CachedTokenSource)).

use http::response::Parts;

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::grant::Grant;
use crate::http::HttpRequest;
use crate::identity::Identity;
use crate::policy::{RefreshPolicy, RetryPolicy};
use crate::response::TokenResponse;

/// One provider's documented flow: exchanges credentials for a bearer token.
///
/// Implementations must be pure and cheap: the engine may call [`request`](Self::request) any
/// number of times, and once when a source is built, to find a missing setting early.
///
/// ```
/// use auth_core::{Endpoint, Error, Expiry, Grant, HttpRequest, Identity, TokenResponse};
/// use auth_core::{TokenExchange, TokenRequest};
/// use auth_core::{ExposeSecret, Scrubber, SecretString};
/// use auth_core::wire::{self, Number, Refusal, Text};
///
/// struct Acme { endpoint: Endpoint, secret: SecretString }
///
/// #[derive(serde::Deserialize)]
/// struct Granted { token: SecretString, #[serde(default)] expires_in: Number }
///
/// #[derive(serde::Deserialize, Default)]
/// struct Refused { #[serde(default)] error: Text }
/// impl Refusal for Refused {
///     fn code(&self) -> Option<&str> { self.error.get() }
/// }
///
/// impl TokenExchange for Acme {
///     fn provider(&self) -> &'static str { "acme" }
///     fn identity(&self) -> Identity { Identity::new("acme", &self.endpoint, &[]) }
///     fn request(&self) -> Result<HttpRequest, Error> {
///         TokenRequest::post(&self.endpoint.join("token"))
///             .json(&[("secret", (&self.secret).into())])
///     }
///     fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
///         let known = Scrubber::new([self.secret.expose_secret()]);
///         let granted: Granted = wire::read::<_, Refused>("ACME_SECRET", &known, response)?;
///         Grant::bearer(granted.token, granted.expires_in.lifetime())
///     }
/// }
///
/// // A recorded body tests it; no server is needed.
/// let acme = Acme {
///     endpoint: Endpoint::parse("https://pay.example.com")?,
///     secret: "made-up-secret".into(),
/// };
/// assert_eq!(acme.request()?.body(), r#"{"secret":"made-up-secret"}"#);
/// let answer = TokenResponse::recorded(200, r#"{"token":"made-up","expires_in":300}"#);
/// let grant = acme.read(&answer)?;
/// assert_eq!(grant.expiry(), Expiry::After(std::time::Duration::from_secs(300)));
/// # Ok::<(), auth_core::Error>(())
/// ```
pub trait TokenExchange: Send + Sync + 'static {
    /// Returns the provider's name in lower case, such as `digitalpaye`: for errors, logs, metrics.
    fn provider(&self) -> &'static str;

    /// Returns the account whose tokens these are, without any secret. Tokens of two flows with
    /// the same identity are interchangeable.
    fn identity(&self) -> Identity;

    /// Returns the complete token request: method, URL, headers, body. Never print it: `{:?}` shows
    /// the body, and with it the secret.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if a setting is missing.
    fn request(&self) -> Result<HttpRequest, Error>;

    /// Reads an answer of any status.
    ///
    /// # Errors
    /// The kind that [`wire::read`](crate::wire::read) derives from status and body.
    fn read(&self, response: &TokenResponse) -> Result<Grant, Error>;

    /// Reads an answer as the engine does: as [`read`](Self::read), and an error names the provider
    /// and the status. For a program that sends the request itself; not meant to be overridden.
    ///
    /// # Errors
    /// As for `read`.
    fn grant(&self, response: &TokenResponse) -> Result<Grant, Error> {
        let about =
            |error: Error| error.with_provider(self.provider()).with_status(response.status());
        self.read(response).map_err(about)
    }

    /// Returns where the provider's API is, so that the token is sent there and nowhere else. Only
    /// scheme, host and port count. By default none: the user says where.
    fn api_hosts(&self) -> Vec<Endpoint> {
        Vec::new()
    }

    /// Whether the head of an API's answer refuses the token, so that another one is worth a try.
    ///
    /// By default a 401, unless its `WWW-Authenticate` says `insufficient_scope` (RFC 6750 section
    /// 3.1). For a provider that says "forbidden" with a 401.
    fn refuses_token(&self, head: &Parts) -> bool {
        crate::challenge::refuses_token(head)
    }

    /// Returns how often and how long to try, unless the builder sets another policy.
    fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy::default()
    }

    /// Returns when to refresh and how long to keep a token, unless the builder sets another
    /// policy.
    ///
    /// Its `max_age` always caps a token whose expiry is an instant more than 400 days after the
    /// answer's `Date`, since the clock that wrote that `Date` may be years behind.
    fn refresh_policy(&self) -> RefreshPolicy {
        RefreshPolicy::default()
    }
}

//! The trait that each provider implements; the five are under `providers/`.

use std::time::Duration;

use http::StatusCode;

use crate::Provider;
use crate::answer::Answer;
use crate::request::Request;
use crate::shared::Shared;
use crate::tokens::Term;

/// The paths of a provider.
pub(crate) struct Paths {
    pub(crate) token: &'static str,
    pub(crate) api: &'static str,
}

/// Where a request goes.
pub(crate) enum Route {
    Token,
    Api,
    Nowhere(Answer),
}

/// A provider's rules and bodies. The server does everything else.
pub(crate) trait Behaviour: Send + Sync + 'static {
    fn provider(&self) -> Provider;

    /// The lifetime of a token, as documented or as its samples show.
    fn lifetime(&self) -> Duration;

    fn paths(&self) -> Paths;

    /// `POST` to the token path, its body within the cap. `Err` is the provider's refusal.
    fn token(&self, request: &Request, shared: &Shared, term: &Term) -> Result<Answer, Answer>;

    /// The id that a token request claims to be of, right or wrong.
    fn claimed(&self, request: &Request) -> Option<String>;

    /// Goes back to the settings of a fresh start.
    fn reset(&self) {}

    /// `GET` on the API path.
    fn api(&self, request: &Request, shared: &Shared) -> Result<Answer, Answer>;

    /// The provider's body for this status: the documented one, or one of the documented shape, or a
    /// gateway's.
    fn refuse(&self, status: StatusCode, request: &Request, shared: &Shared) -> Answer;

    /// The variables that point a client here.
    fn env(&self, shared: &Shared) -> Vec<(&'static str, String)>;

    /// No document has a query in a token URL, so a query makes it another URL.
    fn route(&self, request: &Request, shared: &Shared) -> Route {
        let Paths { token, api } = self.paths();
        match request.path() {
            path if path == token && request.uri.query().is_none() => Route::Token,
            path if path == api => Route::Api,
            _ => Route::Nowhere(self.refuse(StatusCode::NOT_FOUND, request, shared)),
        }
    }
}

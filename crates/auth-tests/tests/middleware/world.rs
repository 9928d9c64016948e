//! An API on a socket, a provider on a script, and a source between them.

use std::time::Duration;

use auth_core::{
    CachedTokenSource, Endpoint, Error, Expiry, Grant, HttpRequest, Identity, ManualClock,
    ScriptedClient, TokenExchange, TokenRequest, TokenResponse,
};

use crate::server::{Server, reply};

/// How the API answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    Accepts,
    /// 401 for the first token, 200 for any other.
    RefusesFirst,
    RefusesAll,
    Forbids,
    /// 401 that says `insufficient_scope`.
    LacksScope,
}

/// A flow with a header of its own, whose API is at `api`.
pub(crate) struct Acme {
    api: Endpoint,
}

impl TokenExchange for Acme {
    fn provider(&self) -> &'static str {
        "acme"
    }

    fn identity(&self) -> Identity {
        Identity::new("acme", &self.api, &[])
    }

    fn request(&self) -> Result<HttpRequest, Error> {
        TokenRequest::post(&self.api.join("token")).empty()
    }

    fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
        if response.status() != 200 {
            return Err(Error::new(auth_core::ErrorKind::Credentials, "no token today"));
        }
        let token = String::from_utf8(response.body().to_vec()).unwrap();
        let grant = Grant::bearer(token, Expiry::After(Duration::from_secs(3600)))?;
        let name = http::HeaderName::from_static("x-environment");
        Ok(grant.header(name, http::HeaderValue::from_static("Sandbox")))
    }

    fn api_hosts(&self) -> Vec<Endpoint> {
        vec![self.api.clone()]
    }
}

pub(crate) struct World {
    pub(crate) api: Server,
    pub(crate) provider: ScriptedClient,
    pub(crate) clock: ManualClock,
    pub(crate) tokens: CachedTokenSource<Acme>,
}

/// The tokens that the provider grants, one after the other.
pub(crate) const TOKENS: [(u16, &str); 3] = [(200, "one"), (200, "two"), (200, "three")];

impl World {
    pub(crate) async fn new(api: Api) -> Self {
        Self::of(
            Server::start(move |request| {
                let answer = answer(api, request.headers.get("authorization"));
                async move { answer }
            })
            .await,
        )
    }

    pub(crate) fn of(api: Server) -> Self {
        let (provider, clock) = (ScriptedClient::new(TOKENS), ManualClock::default());
        let tokens = CachedTokenSource::builder(Acme { api: api.endpoint.clone() })
            .http_client(provider.clone())
            .clock(clock.clone())
            .build()
            .unwrap();
        Self { api, provider, clock, tokens }
    }
}

fn answer(api: Api, authorization: Option<&Vec<String>>) -> Vec<u8> {
    let is_first = authorization.is_some_and(|values| values == &["Bearer one"]);
    match api {
        Api::RefusesFirst if !is_first => reply(200, &[], "fine"),
        Api::Accepts => reply(200, &[], "fine"),
        Api::RefusesFirst | Api::RefusesAll => reply(401, &[], "who are you?"),
        Api::Forbids => reply(403, &[], "no"),
        Api::LacksScope => {
            let challenge = "Bearer error=\"insufficient_scope\"";
            reply(401, &[("www-authenticate", challenge)], "not you")
        }
    }
}

//! A source of one provider's tokens for one call: credentials, cache, limits.

use std::time::{Duration, SystemTime};

use auth_core::{
    AccessToken, CachedTokenSource, Endpoint, Error, HttpClient, HttpRequest, HttpResponse,
    ReqwestClient, RetryPolicy, SharedTokenSource, TokenExchange as _, TokenSource as _,
    async_trait,
};

use crate::args::{Global, Wished};
use crate::cache;
use crate::creds::{Found, Places};
use crate::out::Out;
use crate::past::{Past, Wish};
use crate::provider::Provider;
use crate::run::while_it_lasts;
use crate::stop::Stop;
use crate::text::Text;
use crate::when;

/// A provider's account, ready to be asked.
pub(crate) struct Account {
    pub(crate) provider: Provider,
    source: SharedTokenSource,
    /// Where its credentials came from.
    pub(crate) place: Text,
    wish: Wish,
    is_pasted: bool,
}

/// A token, and how it came.
pub(crate) struct Got {
    pub(crate) token: AccessToken,
    pub(crate) how: How,
    /// When its request began; `None` for a token by hand.
    pub(crate) issued_at: Option<SystemTime>,
    /// How long it is valid; `None` if nobody says.
    pub(crate) left: Option<Duration>,
    pub(crate) took: Duration,
}

/// How a token came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Cache,
    Exchange,
    /// It was made by hand and stands in the settings.
    Settings,
}

impl How {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Exchange => "exchange",
            Self::Settings => "settings",
        }
    }
}

/// Sets up TLS when something is sent, since a cached token needs none.
#[derive(Debug)]
struct LateClient;

#[async_trait]
impl HttpClient for LateClient {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        ReqwestClient::shared()?.send(request).await
    }
}

/// What a call wants.
pub(crate) fn wish(wished: Wished) -> Wish {
    match wished {
        Wished { refresh: true, .. } => Wish::Anew,
        Wished { min_valid: Some(span), .. } => Wish::AtLeast(span),
        _ => Wish::Any,
    }
}

impl Account {
    /// Opens the account that the places configure.
    pub(crate) async fn open(
        places: &Places,
        provider: Provider,
        wish: Wish,
        global: &Global,
        out: &Out,
    ) -> Result<Self, Stop> {
        let (found, place) = places.find(provider).await?;
        Self::of(found, place, (provider, wish), global, out)
    }

    /// Opens the account of these credentials.
    pub(crate) fn of(
        found: Found,
        place: Text,
        (provider, wish): (Provider, Wish),
        global: &Global,
        out: &Out,
    ) -> Result<Self, Stop> {
        let (source, is_pasted) = match found {
            Found::Pasted(source) => (source, true),
            Found::Flow(flow) => {
                let request = flow.request();
                let is_plain = request.is_ok_and(|r| r.uri().scheme_str() == Some("http"));
                let retry = flow.retry_policy();
                let mut builder = CachedTokenSource::builder(flow);
                if !is_plain {
                    builder = builder.http_client(LateClient);
                }
                if let Some(limit) = global.timeout {
                    builder = builder.retry_policy(within(retry, limit));
                }
                if !global.no_cache
                    && let Some(store) = cache::open_or_warn(out)
                {
                    builder = builder.store(Past::new(store, wish));
                }
                (SharedTokenSource::new(builder.build()?), false)
            }
        };
        Ok(Self { provider, source, place, wish, is_pasted })
    }

    /// Where its token may go.
    pub(crate) fn hosts(&self) -> Vec<Endpoint> {
        self.source.api_hosts()
    }

    /// The first of these hosts, for a table.
    pub(crate) fn host(&self) -> String {
        self.hosts().first().map(|host| host.host().to_owned()).unwrap_or_default()
    }

    /// Gets a token. Says on a terminal whom it waits for after a second.
    pub(crate) async fn token(&self, out: &Out) -> Result<Got, Stop> {
        let began = when::ticks();
        let before = self.source.status().requests;
        let asking = (Text::Asking, self.provider.name());
        let token = while_it_lasts(out, asking, self.source.token()).await;
        let took = when::ticks().saturating_sub(began);
        let status = self.source.status();
        let is_asked = status.requests > before;
        let token = token.map_err(|error| {
            let was_sent = error.status().is_some();
            let error = error.with_provider(self.provider.name());
            Stop::failed(error, was_sent && !is_asked)
        })?;
        let how = match (self.is_pasted, is_asked) {
            (true, _) => How::Settings,
            (false, true) => How::Exchange,
            (false, false) => How::Cache,
        };
        let got = Got {
            issued_at: status.age.and_then(|age| when::now().checked_sub(age)),
            left: token.expires_at().map(|end| end.duration_since(when::now()).unwrap_or_default()),
            token,
            how,
            took,
        };
        self.warn_if_short(&got, out);
        Ok(got)
    }

    fn warn_if_short(&self, got: &Got, out: &Out) {
        if let (Wish::AtLeast(wanted), Some(left)) = (self.wish, got.left)
            // The clocks tick apart by a moment.
            && left + Duration::from_secs(1) < wanted
        {
            let spans = [when::span(left), when::span(wanted)];
            out.note(&Text::MinValidShort.with(out.lang, &[&spans[0], &spans[1]]));
        }
    }
}

/// The policy with a limit for all attempts.
fn within(policy: RetryPolicy, limit: Duration) -> RetryPolicy {
    policy.deadline(limit).attempt_timeout(limit.min(Duration::from_secs(10)))
}

//! The set-up of a cell: a provider, a socket in front of it, and a source.

use std::time::Duration;

use auth_core::{
    AccessToken, CachedTokenSource, HttpClient as _, HttpRequest, RefreshPolicy, RetryPolicy,
};
use auth_sandbox::{Credentials, Handle, Provider, Sandbox, Skew};

use super::check;
use super::client::{CountedClient, client};
use super::clock::MovedClock;
use super::front::{Front, Reads, Script, Step};
use super::rule::{Row, Takes, Trouble};
use crate::flows::{AnyFlow, Shape, flow};

/// The lifetime of every token.
const LIFE: Duration = Duration::from_secs(3_600);

/// A provider, a socket in front of it, and a source.
#[derive(Debug)]
pub struct Place {
    /// The provider.
    pub handle: Handle,
    /// The source.
    pub source: CachedTokenSource<AnyFlow>,
    /// The flow's `Debug`, plain and pretty.
    pub shown: String,
    pub(super) client: CountedClient,
    pub(super) clock: MovedClock,
    front: Option<Front>,
    /// How far off the provider's clock is during the fault.
    skew: Skew,
    _sandbox: Sandbox,
}

impl Place {
    /// Sets up without a fault. The provider accepts these credentials, or else random ones.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn set_up(
        row: &Row,
        provider: Provider,
        shape: Shape,
        credentials: Option<Credentials>,
    ) -> Self {
        // Digishare documents no form body, but the real server accepts one.
        let sandbox = Sandbox::builder().strict(shape == Shape::Usual).token_lifetime(LIFE);
        let sandbox = sandbox.start().await.unwrap();
        let handle = sandbox.handle(provider);
        if let Some(credentials) = credentials {
            handle.accept(credentials);
        }
        let front = match row.trouble {
            Trouble::Socket(_) | Trouble::NoTls => Some(Front::of(handle.port()).await),
            Trouble::Sandbox(_) | Trouble::Refused | Trouble::Clock(_) => None,
        };
        let mut variables = handle.env();
        if let Some(front) = &front {
            let (own, other) = (handle.base_url(), format!("http://{}", front.address()));
            for (_, value) in &mut variables {
                *value = value.replace(own, &other);
            }
        }
        let flow = flow(provider, shape, variables).unwrap();
        let usual = Duration::from_secs(5);
        let (attempt, deadline) = match row.takes {
            Takes::NoTime | Takes::ErrorBody => (usual, 2 * usual),
            Takes::AttemptLimit => (Takes::LIMIT, 2 * usual),
            Takes::Deadline => (usual, Takes::LIMIT),
        };
        let (client, clock) = (CountedClient::new(), MovedClock::default());
        // The number of attempts is the flow's own; only the time limits are set here.
        let source = CachedTokenSource::builder(flow.exchange.clone())
            .http_client(client.clone())
            .clock(clock.clone())
            .refresh_policy(RefreshPolicy::default())
            .retry_policy(
                brief(flow.exchange.retry_policy()).attempt_timeout(attempt).deadline(deadline),
            )
            .build()
            .unwrap();
        let shown = flow.shown;
        let skew = Skew::None;
        Self { handle, source, shown, client, clock, front, skew, _sandbox: sandbox }
    }

    /// Begins the fault.
    ///
    /// # Panics
    /// If this was set up for another row.
    pub fn begin(&mut self, row: &Row) {
        match &row.trouble {
            Trouble::Sandbox(fault) => self.handle.inject(fault.clone()),
            Trouble::Socket(script) => self.front.as_ref().unwrap().set(Some(script.clone())),
            // Port 1 is tcpmux, which no machine serves.
            Trouble::Refused => self.client.go_astray(Some(("http", "127.0.0.1:1".to_owned()))),
            Trouble::NoTls => {
                let front = self.front.as_ref().unwrap();
                let refusal = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
                let steps = vec![Step::Write(refusal)];
                front.set(Some(Script { reads: Reads::Something, steps }));
                self.client.go_astray(Some(("https", front.address().to_string())));
            }
            Trouble::Clock(skew) => self.skew = *skew,
        }
        self.set_clock();
        self.clock.run();
    }

    /// Ends the fault.
    pub fn end(&mut self) {
        self.clock.hold();
        self.handle.clear_faults();
        self.client.go_astray(None);
        if let Some(front) = &self.front {
            front.set(None);
        }
        self.skew = Skew::None;
        self.set_clock();
    }

    /// Moves the provider's clock along with the source's.
    fn set_clock(&self) {
        let moved = self.clock.moved();
        self.handle.set_clock_skew(match self.skew {
            Skew::Ahead(by) => Skew::Ahead(moved + by),
            Skew::Behind(by) if by > moved => Skew::Behind(by - moved),
            Skew::Behind(by) => Skew::Ahead(moved - by),
            _ => Skew::Ahead(moved),
        });
    }

    pub(super) fn move_on(&self, by: Duration) {
        self.clock.move_on(by);
        self.set_clock();
    }

    /// Requests that reached the provider or the socket in front of it.
    pub(super) fn arrived(&self) -> usize {
        let front = self.front.as_ref().map_or(0, Front::served);
        front + usize::try_from(self.handle.counters().token_requests).unwrap()
    }

    pub(super) async fn good_token(&self) -> Result<AccessToken, String> {
        self.source.token().await.map_err(|error| format!("no good token first: {error}"))
    }

    /// Checks the status that the provider's API answers to a token.
    pub(super) async fn check_api(&self, token: &AccessToken, status: u16) -> Result<(), String> {
        let mut request = HttpRequest::default();
        *request.uri_mut() = self.handle.api_url().parse().unwrap();
        token.apply(request.headers_mut());
        request.headers_mut().insert("accept", http::HeaderValue::from_static("application/json"));
        let answer = client().send(request).await.map_err(|error| error.to_string())?;
        let found = answer.status().as_u16();
        check(found == status, || format!("the API says {found} to the token, not {status}"))
    }
}

/// A flow's policy with very short pauses.
fn brief(policy: RetryPolicy) -> RetryPolicy {
    policy.backoff(Duration::from_millis(1), Duration::from_millis(2))
}

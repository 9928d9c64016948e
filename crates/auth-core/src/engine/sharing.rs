//! A flight of a source that shares a store with other processes: it claims a token or the right to
//! ask for one, and stores what it gets. The one file of the engine that asks a store.
//!
//! ```text
//! claim ── a token ──▶ adopt it
//!   │ the lease ──▶ ask the provider ── a token ──▶ settle; if another process was first, adopt its token
//!   │                                └─ an error ──▶ release, with what the provider said
//!   │ held by another process ──▶ wait, claim again
//!   │ the provider refused another process ──▶ that error
//!   ▼ unavailable ──▶ ask the provider, as without a store
//! ```

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::Method;

use super::attempt::{self, Attempts};
use crate::clock::{Clock as _, Moment, within};
use crate::error::{Error, ErrorKind};
use crate::exchange::TokenExchange;
use crate::panics::contained;
use crate::store::{Ask, Claim, Lease, Settled, StoredToken, TokenStore};
use crate::term::Term;
use crate::token::Token;

/// How long one call of a store may take. Stores have a limit of their own, which is far shorter;
/// this one is for a store that does not keep its promise.
const LIMIT: Duration = Duration::from_millis(2_500);
/// The first pause before a claim is repeated; each is half as long again as the last.
const FIRST_POLL: Duration = Duration::from_millis(5);
/// How often a token of the store may be unusable here (too little of it left for this source's
/// policy) before the source asks the provider without the store.
const UNUSABLE: u32 = 3;

/// A flight that got no token.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: Error,
    /// For how long nobody is to ask again, if another process was refused and a store says so.
    pub(super) told: Option<Duration>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, told: None }
    }
}

/// Asks for a token, through the store if the source has one.
pub(super) async fn fly<E: TokenExchange>(
    exchange: &E,
    asks: &(Method, Arc<str>),
    attempts: Attempts,
) -> Result<Token, Failed> {
    let parts = Arc::clone(&attempts.parts);
    let Some(store) = parts.store.as_deref() else {
        return attempt::fly(exchange, asks, attempts).await.map_err(Failed::from);
    };
    let request = exchange.request().map_err(|error| parts.report.sign(error))?;
    let identity = exchange.identity();
    let held = Arc::clone(&attempts.held);
    let ask = Ask::new(&identity, &request).instead_of(held.generation, held.is_none());
    Shared { store, ask, attempts }.fly(exchange, asks).await
}

struct Shared<'a> {
    store: &'a dyn TokenStore,
    ask: Ask<'a>,
    attempts: Attempts,
}

impl Shared<'_> {
    async fn fly<E: TokenExchange>(
        mut self,
        exchange: &E,
        asks: &(Method, Arc<str>),
    ) -> Result<Token, Failed> {
        let parts = Arc::clone(&self.attempts.parts);
        let (mut pause, mut unusable) = (FIRST_POLL, 0);
        loop {
            let asked = parts.clock.now();
            match self.call(self.store.claim(&self.ask)).await {
                Some(Claim::Token(stored)) => {
                    let generation = stored.generation;
                    if let Some(token) = self.adopted(stored, asked) {
                        return Ok(token);
                    }
                    unusable += 1;
                    if unusable == UNUSABLE {
                        break;
                    }
                    self.ask = self.ask.instead_of(Some(generation), false);
                }
                Some(Claim::Lease(lease)) => return self.lead(exchange, asks, lease).await,
                Some(Claim::Held { poll }) => {
                    if self.has_waited_enough()? {
                        break;
                    }
                    pause = pause.mul_f64(1.5).min(poll);
                    let spread = 0.5 + parts.jitter.draw().clamp(0.0, 1.0);
                    parts.clock.sleep(pause.mul_f64(spread)).await;
                }
                Some(Claim::Refused { error, left }) => {
                    let error = parts.report.sign(error);
                    parts.report.told(&error, left);
                    return Err(Failed { error, told: Some(left) });
                }
                Some(Claim::Unavailable) | None => break,
            }
        }
        let token = attempt::fly(exchange, asks, self.attempts.clone()).await?;
        Ok(self.settle(None, token).await)
    }

    /// Asks the provider as the holder of the lease, and stores what it grants.
    async fn lead<E: TokenExchange>(
        &self,
        exchange: &E,
        asks: &(Method, Arc<str>),
        lease: Lease,
    ) -> Result<Token, Failed> {
        let mut attempts = self.attempts.clone();
        if lease.is_probe {
            attempts = attempts.once();
        }
        let exchanged = self.renewing(&lease, attempt::fly(exchange, asks, attempts)).await;
        match exchanged {
            Ok(token) => Ok(self.settle(Some(lease), token).await),
            Err(error) => {
                // Without an answer, this host's network may be at fault: the others try for themselves.
                let said = error.status().is_some().then_some(&error);
                self.call(self.store.release(&self.ask, lease, said)).await;
                Err(error.into())
            }
        }
    }

    /// Runs an exchange, and renews the lease while it takes long. A lease that is lost all the same
    /// costs a request at most: `settle` decides by generation.
    async fn renewing<F: Future>(&self, lease: &Lease, exchange: F) -> F::Output {
        let Some(every) = lease.renew_every else {
            return exchange.await;
        };
        let mut renewals = pin!(async {
            loop {
                self.attempts.parts.clock.sleep(every).await;
                self.call(self.store.renew(&self.ask, lease)).await;
            }
        });
        let mut exchange = pin!(exchange);
        std::future::poll_fn(|cx| {
            let polled = exchange.as_mut().poll(cx);
            if polled.is_pending() {
                let _: Poll<()> = renewals.as_mut().poll(cx);
            }
            polled
        })
        .await
    }

    /// Stores a token, and returns the one to use: this one, or that of a process that was first.
    async fn settle(&self, lease: Option<Lease>, mut token: Token) -> Token {
        let asked = self.attempts.parts.clock.now();
        let settled = self.call(self.store.settle(&self.ask, lease, &token.offered(asked))).await;
        match settled {
            Some(Settled::Kept(generation)) => token.generation = Some(generation),
            Some(Settled::Superseded(stored)) => {
                return self.adopted(stored, asked).unwrap_or(token);
            }
            Some(Settled::Unpublished) | None => {}
        }
        token
    }

    /// A token of the store as one of this source, if it is usable here. Its time counts from
    /// `asked`, the moment before the store was asked. Its JWT and this machine's date are not looked
    /// at again: who got it judged it against the provider's clock.
    fn adopted(&self, stored: StoredToken, asked: Moment) -> Option<Token> {
        let parts = &self.attempts.parts;
        let StoredToken { generation, grant, left, lifetime } = stored;
        let term = Term::new(left, lifetime, asked, &parts.refresh, parts.jitter.draw());
        let mut token = Token::new(grant, term).ok()?;
        token.generation = Some(generation);
        let now = parts.clock.now();
        if !token.term.state(now).is_usable() {
            return None;
        }
        parts.report.adopted(&token.term, now);
        Some(token)
    }

    /// Whether the source stops waiting for the process that has the lease, and asks the provider
    /// itself: after the time of one attempt. While its own token is good it waits to the end of the
    /// flight, and then fails, since asking as well would not help an endpoint that is slow.
    fn has_waited_enough(&self) -> Result<bool, Error> {
        let Attempts { parts, began, held, .. } = &self.attempts;
        let waited = parts.clock.monotonic().saturating_sub(*began);
        if self.attempts.left().is_zero() {
            let text = format!(
                "no token in {waited:?}: another process has the lease and got none either: check the provider's status"
            );
            return Err(parts.report.sign(Error::new(ErrorKind::Timeout, text)));
        }
        let limit = parts.retry.attempt_timeout.min(parts.retry.deadline / 2);
        Ok(waited >= limit && !held.term.state(parts.clock.now()).is_usable())
    }

    /// What a store answers; `None` if it hangs or panics.
    async fn call<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        within(&self.attempts.parts.clock, LIMIT, contained(call)).await.flatten()
    }
}

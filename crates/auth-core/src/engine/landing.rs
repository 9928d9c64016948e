//! What changes the cached token: a flight that lands, an API that refused it, other credentials,
//! whether the program replaces them or a resolver finds them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Method;

use super::flight::End;
use super::memory::Failure;
use super::sharing::Failed;
use super::state::{Outcome, Replaced};
use super::throttle::Throttle;
use super::{Engine, proved};
use crate::clock::Clock as _;
use crate::error::Error;
use crate::error::runtime::is_shut_down;
use crate::exchange::TokenExchange;
use crate::identity::Identity;
use crate::status::LastFailure;
use crate::token::{AccessToken, Token};

impl<E: TokenExchange> Engine<E> {
    /// Stores the token or the failure of a flight, unless it no longer counts.
    pub(super) fn land(
        &self,
        epoch: u64,
        number: u64,
        began: Duration,
        result: Result<Token, Failed>,
    ) -> End<Outcome> {
        let now = self.parts.clock.now();
        // Later than that, this process or runtime was suspended, so a failure says nothing about
        // the provider. A token is judged by its own expiry.
        let in_time = now.monotonic <= began.saturating_add(self.limit());
        let draw = self.parts.jitter.draw();
        let mut state = self.locked();
        if epoch != state.epoch {
            drop(state);
            return End::Superseded;
        }
        let current = if state.current.as_ref().is_some_and(|current| current.number == number) {
            state.current.take()
        } else {
            None
        };
        let is_live = current.is_some();
        match (&result, &mut state.last_failure) {
            (Ok(_), Some(last)) => last.in_a_row = 0,
            (Ok(_), None) => {}
            (Err(Failed { error, .. }), last) if !is_shut_down(error) => {
                let in_a_row = last.as_ref().map_or(0, |last| last.in_a_row).saturating_add(1);
                let at = SystemTime::UNIX_EPOCH.checked_add(now.wall);
                let at = at.unwrap_or(SystemTime::UNIX_EPOCH);
                *last = Some(LastFailure { kind: error.kind(), at, in_a_row });
            }
            (Err(_), _) => {}
        }
        let (mut old_failure, mut remembered) = (None, None);
        let end = match result {
            Ok(mut token) => {
                let kept = self.kept.load();
                if kept.is_none() && token.generation.is_none() {
                    // The store may hold the refused token still: the next claim names it again.
                    token.generation = kept.generation;
                }
                drop(kept);
                let token = Arc::new(token);
                if is_live {
                    old_failure = state.failure.take();
                }
                if token.term.outlasts(&self.kept.load().term, now) || (is_live && in_time) {
                    self.kept.store(Arc::clone(&token));
                }
                End::Landed(Ok(AccessToken::from_arc(token)))
            }
            Err(Failed { error, told }) if is_live && in_time && !is_shut_down(&error) => {
                old_failure = state.failure.take();
                state.failure = match told {
                    Some(left) => Some(Failure::told(error.clone(), left, now.monotonic)),
                    None => Failure::after(
                        old_failure.as_ref(),
                        error.clone(),
                        began,
                        now.monotonic,
                        &self.parts.retry,
                        draw,
                    ),
                };
                let pause = state.failure.as_ref().and_then(|failure| failure.left(now.monotonic));
                remembered = pause.map(|pause| (error.kind(), pause));
                End::Landed(Err(error))
            }
            Err(_) => End::Lost,
        };
        drop(state);
        drop((current, old_failure));
        if let Some((kind, pause)) = remembered {
            self.parts.report.remembered(kind, pause);
        }
        end
    }

    pub(super) fn invalidate(&self, token: &AccessToken) {
        let now = self.parts.clock.monotonic();
        let mut state = self.locked();
        let is_kept = AccessToken::from_guard(self.kept.load()).ptr_eq(token);
        if is_kept && state.throttle.admits(now) {
            // A store still holds it: the next claim says that it is no good.
            let refused = token.generation().map(|it| Arc::new(Token::refused(Some(it))));
            self.kept.store(refused.unwrap_or_else(Token::none));
        }
    }

    pub(super) fn replace(&self, exchange: E) -> Result<(), Error> {
        let (identity, asks) = proved(&exchange, &self.parts.report)?;
        let mut state = self.locked();
        if identity != state.identity {
            self.kept.store(Token::none());
        }
        let exchange = std::mem::replace(&mut state.exchange, Arc::new(exchange));
        let resolver = state.resolver.take();
        let failure = state.failure.take();
        let current = state.current.take();
        state.identity = identity;
        state.asks = asks;
        state.epoch += 1;
        state.throttle = Throttle::default();
        // Dropped without the lock: the `Drop` of a caller's type may call this source.
        drop(state);
        drop((Replaced { current, failure }, exchange, resolver));
        Ok(())
    }

    /// Takes over what the resolver of a flight found, unless the flight was replaced.
    pub(super) fn take_over(
        &self,
        number: u64,
        exchange: Arc<E>,
        identity: Identity,
        asks: (Method, Arc<str>),
    ) {
        let mut state = self.locked();
        let is_live = state.current.as_ref().is_some_and(|current| current.number == number);
        if !is_live {
            drop(state);
            drop(exchange);
            return;
        }
        if identity != state.identity {
            self.kept.store(Token::none());
        }
        let old = std::mem::replace(&mut state.exchange, exchange);
        state.identity = identity;
        state.asks = asks;
        state.is_unread = false;
        // Dropped without the lock, as above.
        drop(state);
        drop(old);
    }

    /// Whether this failure of the resolver is the first since it last answered.
    pub(super) fn is_first_unread(&self) -> bool {
        !std::mem::replace(&mut self.locked().is_unread, true)
    }
}

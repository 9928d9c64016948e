//! Where a flight gets its exchange from: the source's own, or that of a resolver, which is asked
//! when the flight begins and once more if the provider rejects the credentials.

use std::sync::{Arc, Weak};
use std::time::Duration;

use http::Method;

use super::attempt::Attempts;
use super::parts::Parts;
use super::sharing::{Failed, fly};
use super::{Engine, proved};
use crate::clock::Clock as _;
use crate::error::{Error, ErrorKind};
use crate::exchange::TokenExchange;
use crate::resolver::{PATIENCE, Resolve, Resolver, ask};
use crate::token::Token;

/// The exchange of a flight, and the resolver that may find a newer one.
pub(super) struct Origin<E> {
    pub(super) exchange: Arc<E>,
    pub(super) asks: (Method, Arc<str>),
    pub(super) resolver: Option<Arc<dyn Resolver<E>>>,
    pub(super) source: Weak<Engine<E>>,
    /// The number of the flight.
    pub(super) number: u64,
}

impl<E: TokenExchange> Origin<E> {
    /// Asks for a token; with a resolver, using the credentials of now.
    ///
    /// Credentials that the resolver cannot find do not end the flight: it uses those that it has.
    /// After a rejection the resolver is asked again, and another request, if one comes of it, is
    /// sent once: the same one never is.
    pub(super) async fn fly(
        mut self,
        parts: Arc<Parts>,
        most: u32,
        held: Arc<Token>,
    ) -> Result<Token, Failed> {
        let attempts = Attempts { began: parts.clock.monotonic(), parts, most, held };
        let Some(resolver) = self.resolver.clone() else {
            return fly(&*self.exchange, &self.asks, attempts).await;
        };
        self.resolve(&*resolver, Resolve::Exchange, &attempts).await.ok();
        let refused = Arc::clone(&self.exchange);
        let failed = match fly(&*refused, &self.asks, attempts.clone()).await {
            Err(failed) if failed.error.kind() == ErrorKind::Credentials => failed,
            other => return other,
        };
        if attempts.left().is_zero() {
            return Err(failed);
        }
        match self.resolve(&*resolver, Resolve::AfterRejection, &attempts).await {
            Ok(()) if differ(&*refused, &*self.exchange) && !attempts.left().is_zero() => {
                fly(&*self.exchange, &self.asks, attempts.once()).await
            }
            Ok(()) => Err(failed),
            Err(cause) => {
                let error = failed.error;
                let text = format!(
                    "{}; they could not be read again: {}",
                    error.message(),
                    cause.message()
                );
                Err(Failed { error: error.with_message(text), ..failed })
            }
        }
    }

    /// Asks the resolver, and uses what it finds from here on. If it fails, the source warns once.
    async fn resolve(
        &mut self,
        resolver: &dyn Resolver<E>,
        why: Resolve,
        attempts: &Attempts,
    ) -> Result<(), Error> {
        let (clock, report) = (&attempts.parts.clock, &attempts.parts.report);
        let limit = PATIENCE.min(attempts.left() / 2);
        let found = ask(resolver, why, clock, limit).await.and_then(|exchange| {
            let (identity, asks) = proved(&exchange, report)?;
            Ok((Arc::new(exchange), identity, asks))
        });
        let source = self.source.upgrade();
        match found {
            Ok((exchange, identity, asks)) => {
                (self.exchange, self.asks) = (Arc::clone(&exchange), asks.clone());
                if let Some(source) = source {
                    source.take_over(self.number, exchange, identity, asks);
                }
                Ok(())
            }
            Err(error) => {
                if source.is_some_and(|source| source.is_first_unread()) {
                    report.unread(&error);
                }
                Err(error)
            }
        }
    }
}

/// Whether two exchanges send different requests. One that cannot be made differs from none.
fn differ<E: TokenExchange>(one: &E, other: &E) -> bool {
    let (Ok(one), Ok(other)) = (one.request(), other.request()) else {
        return false;
    };
    one.method() != other.method()
        || one.uri() != other.uri()
        || one.headers() != other.headers()
        || one.body() != other.body()
}

impl Attempts {
    /// How much of the flight's time is left.
    pub(super) fn left(&self) -> Duration {
        let spent = self.parts.clock.monotonic().saturating_sub(self.began);
        self.parts.retry.deadline.saturating_sub(spent)
    }

    pub(super) fn once(self) -> Self {
        Self { most: 1, ..self }
    }
}

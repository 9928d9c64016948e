//! A store that is looked past when a call wants more than any token: one that lives long enough, or
//! a proof from the provider itself. The provider is asked once, and the others get what it grants.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use auth_core::{
    Ask, Claim, Error, Generation, Lease, Offered, Settled, StoredToken, TokenStore, async_trait,
};

/// Which token a call wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// One that is valid.
    Any,
    /// One that is valid for so long, if the provider grants such.
    AtLeast(Duration),
    /// One that the provider grants now: for a proof.
    Anew,
}

/// A store, and which of its tokens is not enough.
pub(crate) struct Past<S> {
    store: S,
    wish: Wish,
    /// The token that is looked past.
    seen: Mutex<Option<Generation>>,
}

impl<S: TokenStore> Past<S> {
    pub(crate) fn new(store: S, wish: Wish) -> Self {
        Self { store, wish, seen: Mutex::default() }
    }

    fn seen(&self) -> Option<Generation> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_past(&self, generation: Generation) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(generation);
    }

    /// The lease in place of a token that is not enough, or what the store says instead.
    async fn instead(&self, ask: &Ask<'_>, generation: Generation) -> Claim {
        self.look_past(generation);
        self.store.claim(&ask.instead_of(Some(generation), false)).await
    }
}

/// Whether a token is replaced for a call that wants so much. One that lives no longer than that
/// from its first moment on is kept while it is in the first half of its life: asking again brings
/// little then.
fn is_short(token: &StoredToken, wanted: Duration) -> bool {
    token.left < wanted && (token.lifetime > wanted || token.left < token.lifetime / 2)
}

#[async_trait]
impl<S: TokenStore> TokenStore for Past<S> {
    async fn claim(&self, ask: &Ask<'_>) -> Claim {
        let is_first = self.seen().is_none();
        let claim = self.store.claim(ask).await;
        match (self.wish, claim) {
            (Wish::AtLeast(wanted), Claim::Token(token))
                if is_first && is_short(&token, wanted) =>
            {
                match self.instead(ask, token.generation).await {
                    Claim::Refused { .. } => Claim::Unavailable,
                    claim => claim,
                }
            }
            (Wish::Anew, Claim::Token(token)) => match self.instead(ask, token.generation).await {
                Claim::Lease(lease) => Claim::Lease(lease),
                _ => Claim::Unavailable,
            },
            // Another process's exchange is no proof of these credentials.
            (Wish::Anew, Claim::Held { .. }) => Claim::Unavailable,
            (Wish::AtLeast(_) | Wish::Anew, Claim::Refused { .. }) => Claim::Unavailable,
            (_, claim) => claim,
        }
    }

    async fn renew(&self, ask: &Ask<'_>, lease: &Lease) {
        self.store.renew(ask, lease).await;
    }

    async fn settle(&self, ask: &Ask<'_>, lease: Option<Lease>, token: &Offered<'_>) -> Settled {
        let is_led = lease.is_some();
        let have = self.seen().or(ask.have);
        let settled = self.store.settle(&ask.instead_of(have, false), lease, token).await;
        match settled {
            // The proof is of the token that was granted, and not of another's.
            Settled::Superseded(_) if self.wish == Wish::Anew && !is_led => Settled::Unpublished,
            settled => settled,
        }
    }

    async fn release(&self, ask: &Ask<'_>, lease: Lease, said: Option<&Error>) {
        self.store.release(ask, lease, said).await;
    }
}

impl<S: fmt::Debug> fmt::Debug for Past<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Past")
            .field("store", &self.store)
            .field("wish", &self.wish)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use auth_core::{Expiry, Grant};

    use super::*;

    #[test]
    fn a_younger_half_is_not_thrown_away_for_a_validity_that_will_not_come() {
        let token = |left, lifetime| {
            let (left, lifetime) = (Duration::from_secs(left), Duration::from_secs(lifetime));
            let grant = Grant::bearer("made-up", Expiry::After(left)).unwrap();
            StoredToken::new(Generation::new([1; 16]), grant, left, lifetime)
        };
        for (left, lifetime, wanted, short) in [
            (200, 300, 60, false),
            (50, 300, 60, true),
            (200, 300, 600, false),
            (140, 300, 600, true),
            (300, 300, 300, false),
            (299, 300, 300, false),
        ] {
            let is_short = is_short(&token(left, lifetime), Duration::from_secs(wanted));
            assert_eq!(is_short, short, "{left} of {lifetime}, {wanted} wanted");
        }
    }
}

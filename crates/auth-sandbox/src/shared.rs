//! The state that a provider's server and its handles share.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::plan::Plan;
use crate::tokens::{Term, Tokens};
use crate::{Counters, Credentials, Provider, Skew, clock};

/// One provider of one sandbox.
pub(crate) struct Shared {
    pub(crate) provider: Provider,
    pub(crate) address: SocketAddr,
    pub(crate) base_url: String,
    /// Whether to refuse requests that the document does not describe but the real server accepts.
    pub(crate) strict: bool,
    state: Mutex<State>,
}

/// The mutable state, behind one lock that is never held across an await.
pub(crate) struct State {
    pub(crate) credentials: Credentials,
    /// Accepted too, while a secret is being rotated.
    pub(crate) overlap: Option<Credentials>,
    pub(crate) lifetime: Duration,
    pub(crate) skew: Skew,
    pub(crate) counters: Counters,
    pub(crate) plan: Plan,
    pub(crate) tokens: Tokens,
    pub(crate) api_refuses: bool,
    /// Why requests were accepted that the document does not describe, each reason once.
    pub(crate) remarks: Vec<&'static str>,
}

impl Shared {
    pub(crate) fn new(
        provider: Provider,
        address: SocketAddr,
        lifetime: Duration,
        strict: bool,
    ) -> Self {
        Self {
            provider,
            address,
            base_url: format!("http://{address}"),
            strict,
            state: Mutex::new(State {
                credentials: Credentials::random(),
                overlap: None,
                lifetime,
                skew: Skew::None,
                counters: Counters::default(),
                plan: Plan::default(),
                tokens: Tokens::default(),
                api_refuses: false,
                remarks: Vec::new(),
            }),
        }
    }

    /// A panic under the lock leaves a counter off by one at worst.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The provider's wall time.
    pub(crate) fn now(&self) -> SystemTime {
        let skew = self.state().skew;
        skew.apply(clock::wall())
    }

    pub(crate) fn count(&self, add: impl FnOnce(&mut Counters)) {
        add(&mut self.state().counters);
    }

    /// Whether a request is accepted although the document requires more. Remembers the reason.
    pub(crate) fn overlooks(&self, reason: &'static str) -> bool {
        if self.strict {
            return false;
        }
        let mut state = self.state();
        if !state.remarks.contains(&reason) {
            state.remarks.push(reason);
        }
        true
    }

    pub(crate) fn credentials(&self) -> Credentials {
        self.state().credentials.clone()
    }

    /// The credentials to compare a request with that carries this secret.
    pub(crate) fn expected(&self, secret: &str) -> Credentials {
        let state = self.state();
        let overlap = state.overlap.as_ref().filter(|overlap| overlap.secret() == secret);
        overlap.unwrap_or(&state.credentials).clone()
    }

    /// The validity of a token that is issued now.
    pub(crate) fn term(&self) -> Term {
        let lifetime = self.state().lifetime;
        Term::starting(self.now(), lifetime)
    }

    /// Records a token that is about to be sent.
    pub(crate) fn issue(&self, token: &str, term: &Term, note: Option<&str>) {
        let mut state = self.state();
        state.tokens.enter(token, term, note);
        state.counters.tokens_issued += 1;
    }

    /// Whether the API route accepts `token`, whose use may be bound to `note`.
    pub(crate) fn accepts(&self, token: &str, note: Option<&str>) -> bool {
        let state = self.state();
        !state.api_refuses && state.tokens.check(token).is_some_and(|bound| bound == note)
    }

    /// Whether the API route refuses every token.
    pub(crate) fn api_refuses(&self) -> bool {
        self.state().api_refuses
    }
}

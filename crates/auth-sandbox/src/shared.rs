//! The state that a provider's server and its handles share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use crate::accounts::Accounts;
use crate::journal::Journal;
use crate::plan::Plan;
use crate::request::Request;
use crate::tokens::{Term, Tokens};
use crate::{Counters, Credentials, Provider, Skew, clock};

/// What a provider starts with, and goes back to.
pub(crate) struct Start {
    pub(crate) provider: Provider,
    pub(crate) address: SocketAddr,
    pub(crate) base_url: String,
    /// Whether other machines resolve the host of `base_url` by the user's own network alone.
    pub(crate) internal: bool,
    /// Whether to refuse requests that the document does not describe but the real server accepts.
    pub(crate) strict: bool,
    pub(crate) lifetime: Duration,
    pub(crate) first: Credentials,
    pub(crate) more: Vec<Credentials>,
}

/// One provider of one sandbox.
pub(crate) struct Shared {
    pub(crate) provider: Provider,
    pub(crate) address: SocketAddr,
    pub(crate) base_url: String,
    pub(crate) strict: bool,
    pub(crate) journal: Arc<Journal>,
    start: Start,
    /// Sent at each reset: what was held up ends.
    resets: watch::Sender<()>,
    state: Mutex<State>,
}

/// The mutable state, behind one lock that is never held across an await.
pub(crate) struct State {
    pub(crate) accounts: Accounts,
    pub(crate) lifetime: Duration,
    pub(crate) skew: Skew,
    pub(crate) counters: Counters,
    pub(crate) plan: Plan,
    pub(crate) tokens: Tokens,
    pub(crate) api_refuses: bool,
    /// Why requests were accepted that the document does not describe, each reason once.
    pub(crate) remarks: Vec<&'static str>,
}

impl State {
    fn new(start: &Start) -> Self {
        Self {
            accounts: Accounts::new(start.first.clone(), &start.more),
            lifetime: start.lifetime,
            skew: Skew::None,
            counters: Counters::default(),
            plan: Plan::default(),
            tokens: Tokens::default(),
            api_refuses: false,
            remarks: Vec::new(),
        }
    }
}

impl Shared {
    pub(crate) fn new(start: Start, journal: Arc<Journal>) -> Self {
        Self {
            provider: start.provider,
            address: start.address,
            base_url: start.base_url.clone(),
            strict: start.strict,
            journal,
            resets: watch::Sender::new(()),
            state: Mutex::new(State::new(&start)),
            start,
        }
    }

    /// As after a fresh start; requests that are being held up get no answer.
    pub(crate) fn reset(&self) {
        let mut state = self.state();
        *state = State::new(&self.start);
        self.resets.send_replace(());
    }

    /// The lifetime that tokens have without further words.
    pub(crate) fn usual_lifetime(&self) -> Duration {
        self.start.lifetime
    }

    /// Of the two names of a variable for a URL, the one that a client needs.
    pub(crate) fn url_name(&self, [name, internal]: [&'static str; 2]) -> &'static str {
        if self.start.internal { internal } else { name }
    }

    /// Ends with the next reset. To be taken under the lock under which a fault is taken.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.resets.subscribe()
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

    /// Counts for the provider, and for the account if it is one.
    pub(crate) fn count(&self, account: Option<&str>, add: impl Fn(&mut Counters)) {
        let mut state = self.state();
        add(&mut state.counters);
        if let Some(entry) = account.and_then(|id| state.accounts.get_mut(id)) {
            add(&mut entry.counters);
        }
    }

    /// Whether a request is accepted although the document requires more. Remembers the reason.
    pub(crate) fn overlooks(&self, request: &Request, reason: &'static str) -> bool {
        if self.strict {
            return false;
        }
        request.remark(reason);
        let mut state = self.state();
        if !state.remarks.contains(&reason) {
            state.remarks.push(reason);
        }
        true
    }

    pub(crate) fn credentials(&self) -> Credentials {
        self.state().accounts.first().credentials.clone()
    }

    /// The credentials to compare a request with that carries this pair.
    pub(crate) fn expected(&self, id: &str, secret: &str) -> Credentials {
        self.state().accounts.expected(id, secret).clone()
    }

    /// Why this pair is refused.
    pub(crate) fn diagnosis(&self, id: &str, secret: &str) -> String {
        self.state().accounts.diagnosis(id, secret)
    }

    /// Why the API route refuses this token.
    pub(crate) fn token_diagnosis(&self, token: Option<&str>) -> &'static str {
        let state = self.state();
        match token {
            None => "no Authorization: Bearer header",
            Some(_) if state.api_refuses => "the API route is set to refuse every token",
            Some(token) => state.tokens.diagnosis(token),
        }
    }

    /// The validity of a token that is issued now.
    pub(crate) fn term(&self) -> Term {
        let lifetime = self.state().lifetime;
        Term::starting(self.now(), lifetime)
    }

    /// Records a token that is about to be sent.
    pub(crate) fn issue(&self, token: &str, account: &str, term: &Term, note: Option<&str>) {
        let mut state = self.state();
        state.tokens.enter(token, account, term, note);
        state.counters.tokens_issued += 1;
        if let Some(entry) = state.accounts.get_mut(account) {
            entry.counters.tokens_issued += 1;
        }
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

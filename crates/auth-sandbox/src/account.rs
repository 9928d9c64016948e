//! A test's handle on one account of a provider.

use std::fmt;
use std::sync::Arc;

use crate::shared::Shared;
use crate::{Counters, Credentials, Fault};

/// A handle on one account of a provider, from [`Handle::account`](crate::Handle::account).
///
/// An account has faults and counters of its own. Its faults come before those of the provider, which
/// apply to every account.
///
/// ```
/// use auth_sandbox::{Credentials, Fault, Provider, Sandbox};
///
/// let sandbox = Sandbox::builder()
///     .account(Provider::Manis, Credentials::new("shop-1", "made-up-1"))
///     .account(Provider::Manis, Credentials::new("shop-2", "made-up-2"))
///     .start_blocking()?;
/// let second = sandbox.manis().account("shop-2").unwrap();
/// second.inject(Fault::Status(503)); // shop-1 works
/// second.rotate_secret();
/// assert_eq!(second.counters().token_requests, 0);
/// # Ok::<(), auth_sandbox::Error>(())
/// ```
#[derive(Clone)]
pub struct Account {
    shared: Arc<Shared>,
    id: String,
}

impl Account {
    pub(crate) fn new(shared: &Arc<Shared>, id: String) -> Self {
        Self { shared: Arc::clone(shared), id }
    }

    pub(crate) fn find(shared: &Arc<Shared>, id: &str) -> Option<Self> {
        let known = shared.state().accounts.get(id).is_some();
        known.then(|| Self::new(shared, id.to_owned()))
    }

    /// The id that the account is found by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The credentials that are accepted now; `None` once [`Handle::accept`](crate::Handle::accept) has
    /// removed the account.
    pub fn credentials(&self) -> Option<Credentials> {
        self.shared.state().accounts.get(&self.id).map(|entry| entry.credentials.clone())
    }

    /// This account's counters. Requests that name no account of the provider are counted by
    /// [`Handle::counters`](crate::Handle::counters) alone.
    pub fn counters(&self) -> Counters {
        let state = self.shared.state();
        state.accounts.get(&self.id).map(|entry| entry.counters).unwrap_or_default()
    }

    /// As [`Handle::inject`](crate::Handle::inject), for this account alone.
    pub fn inject(&self, fault: Fault) {
        if let Some(entry) = self.shared.state().accounts.get_mut(&self.id) {
            entry.plan.stand(fault);
        }
    }

    /// As [`Handle::inject_times`](crate::Handle::inject_times), for this account alone.
    pub fn inject_times(&self, fault: Fault, times: u32) {
        if let Some(entry) = self.shared.state().accounts.get_mut(&self.id) {
            entry.plan.count(fault, times);
        }
    }

    /// Removes this account's own faults.
    pub fn clear_faults(&self) {
        if let Some(entry) = self.shared.state().accounts.get_mut(&self.id) {
            entry.plan.clear();
        }
    }

    /// Replaces the secret with a new random one. `None` once the account has been removed.
    pub fn rotate_secret(&self) -> Option<Credentials> {
        let mut state = self.shared.state();
        let entry = state.accounts.get_mut(&self.id)?;
        Some(entry.rotate(Credentials::random_secret(), false))
    }

    /// Revokes every token that was issued to this account.
    pub fn revoke_tokens(&self) {
        self.shared.state().tokens.revoke(&self.id);
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("provider", &self.shared.provider)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

//! A test's handle on one provider.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::behaviour::Behaviour;
use crate::shared::Shared;
use crate::{Account, Counters, Credentials, Fault, Provider, Skew};

/// A handle on one provider of a [`Sandbox`](crate::Sandbox): its URLs, credentials, counters and
/// faults.
///
/// Clones are cheap and refer to the same provider; changes take effect with the next request. A handle
/// does not keep the sandbox running: its ports close when the sandbox is dropped.
///
/// `P` adds methods of one provider: [`Handle<Papaya>`](crate::providers::Papaya) has token names,
/// [`Handle<Manis>`](crate::providers::Manis) the unit of `expiresAt`. A plain `Handle` is any of the
/// five, for tests that run over all of them.
///
/// ```
/// use auth_sandbox::{Fault, Sandbox};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), auth_sandbox::Error> {
/// let sandbox = Sandbox::start().await?;
/// for provider in sandbox.handles() {
///     provider.inject_times(Fault::Status(503), 1);
///     // ... a client that points at provider.base_url() retries once ...
/// }
/// # Ok(())
/// # }
/// ```
pub struct Handle<P = AnyProvider> {
    shared: Arc<Shared>,
    behaviour: Arc<dyn Behaviour>,
    own: Arc<P>,
}

/// The provider of a [`Handle`] that may be any of the five.
///
/// ```
/// use auth_sandbox::{Fault, Handle, Provider, Sandbox};
///
/// /// Works with any provider.
/// fn break_once(provider: &Handle) {
///     provider.inject_times(Fault::Status(503), 1);
/// }
///
/// let sandbox = Sandbox::builder().start_blocking()?;
/// break_once(&sandbox.papaya().any());
/// break_once(&sandbox.handle(Provider::Manis));
/// # Ok::<(), auth_sandbox::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct AnyProvider;

impl<P> Handle<P> {
    pub(crate) fn new(shared: Arc<Shared>, own: Arc<P>) -> Self
    where
        P: Behaviour,
    {
        Self { shared, behaviour: Arc::<P>::clone(&own), own }
    }

    /// This handle without its type.
    pub fn any(&self) -> Handle {
        Handle {
            shared: Arc::clone(&self.shared),
            behaviour: Arc::clone(&self.behaviour),
            own: Arc::new(AnyProvider),
        }
    }

    /// Which provider this is.
    pub fn provider(&self) -> Provider {
        self.shared.provider
    }

    /// The base URL, such as `http://127.0.0.1:40123`, without a final slash. It is an origin, but for a
    /// sandbox [on one port](crate::SandboxBuilder::one_port), where the provider's name follows.
    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.shared.address.port()
    }

    /// The full URL of the token endpoint.
    pub fn token_url(&self) -> String {
        format!("{}{}", self.base_url(), self.behaviour.paths().token)
    }

    /// The full URL of the API route that a token from here gives access to, with `GET`.
    pub fn api_url(&self) -> String {
        format!("{}{}", self.base_url(), self.behaviour.paths().api)
    }

    /// The credentials that are accepted now; with several accounts, those of the first.
    pub fn credentials(&self) -> Credentials {
        self.shared.credentials()
    }

    /// The environment variables that point a client here, by name and value.
    ///
    /// The values include the secret: pass them to a child process or a terminal, not to a log.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        self.behaviour.env(&self.shared)
    }

    /// This provider's counters.
    pub fn counters(&self) -> Counters {
        self.shared.state().counters
    }

    /// Resets the counters to zero.
    pub fn reset_counters(&self) {
        let mut state = self.shared.state();
        state.counters = Counters::default();
        state.accounts.all_mut().for_each(|entry| entry.counters = Counters::default());
    }

    /// Why this provider accepted requests that its document does not describe, each reason once and
    /// in the order in which they came up. Always empty in a [strict](crate::SandboxBuilder::strict)
    /// sandbox, which refuses such requests.
    ///
    /// ```
    /// # let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
    /// // At the end of a test: the client followed the document.
    /// assert!(sandbox.digishare().remarks().is_empty());
    /// # Ok::<(), auth_sandbox::Error>(())
    /// ```
    pub fn remarks(&self) -> Vec<&'static str> {
        self.shared.state().remarks.clone()
    }

    /// Fails in this way from the next token request on, until [`clear_faults`](Self::clear_faults).
    /// Replaces an earlier standing fault.
    pub fn inject(&self, fault: Fault) {
        self.shared.state().plan.stand(fault);
    }

    /// Fails in this way for the next `times` token requests, after those of earlier calls and before
    /// any standing fault.
    pub fn inject_times(&self, fault: Fault, times: u32) {
        self.shared.state().plan.count(fault, times);
    }

    /// Removes all faults, those of single accounts included. A response that is being sent does not change.
    pub fn clear_faults(&self) {
        let mut state = self.shared.state();
        state.plan.clear();
        state.accounts.all_mut().for_each(|entry| entry.plan.clear());
    }

    /// Sets the lifetime of tokens issued from now on.
    ///
    /// On the wire it is rounded down to whole seconds; the API route accepts a token for the exact
    /// span. Papaya also rounds `valid_until` down to the minute, so a lifetime below one minute may have
    /// expired on arrival: see [`set_valid_until`](Handle::set_valid_until).
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.shared.state().lifetime = lifetime;
    }

    /// Skews the provider's whole clock: `Date`, `iat`, `exp` and every absolute expiry.
    /// How long the API route accepts a token does not change.
    pub fn set_clock_skew(&self, skew: Skew) {
        self.shared.state().skew = skew;
    }

    /// Replaces the secret with a new random one and returns the new credentials. Tokens that were
    /// issued under the old secret stay valid.
    pub fn rotate_secret(&self) -> Credentials {
        let mut state = self.shared.state();
        state.accounts.first_mut().rotate(Credentials::random_secret(), false)
    }

    /// Accepts these credentials from now on, and no others.
    pub fn accept(&self, credentials: Credentials) {
        self.shared.state().accounts.accept(credentials);
    }

    /// Accepts these credentials too, until [`accept`](Self::accept) or
    /// [`rotate_secret`](Self::rotate_secret) is called: a rotation with an overlap, in which old and
    /// new secrets are good.
    ///
    /// ```
    /// use auth_sandbox::Credentials;
    ///
    /// # let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
    /// let manis = sandbox.manis();
    /// let new = Credentials::new(manis.credentials().id(), "made-up-secret");
    /// manis.also_accept(new.clone());
    /// // ... the service under test gets the new secret ...
    /// manis.accept(new);
    /// # Ok::<(), auth_sandbox::Error>(())
    /// ```
    pub fn also_accept(&self, credentials: Credentials) {
        self.shared.state().accounts.first_mut().overlap = Some(credentials);
    }

    /// Revokes every token issued so far: the API route answers them with 401.
    pub fn revoke_tokens(&self) {
        self.shared.state().tokens.revoke_all();
    }

    /// Whether the API route refuses every token with 401, new ones included.
    pub fn set_refuse_api_calls(&self, refuse: bool) {
        self.shared.state().api_refuses = refuse;
    }

    /// The account of this id, for faults and counters of its own.
    pub fn account(&self, id: &str) -> Option<Account> {
        Account::find(&self.shared, id)
    }

    /// The credentials of every account, in the order in which they were added.
    pub fn accounts(&self) -> Vec<Credentials> {
        self.shared.state().accounts.all().map(|entry| entry.credentials.clone()).collect()
    }

    /// Accepts these credentials too, as an account of its own, or gives the account of this id a
    /// new secret.
    ///
    /// ```
    /// use auth_sandbox::Credentials;
    ///
    /// # let sandbox = auth_sandbox::Sandbox::builder().start_blocking()?;
    /// let papaya = sandbox.papaya();
    /// let account = papaya.add_account(Credentials::new("tenant-2", "made-up-secret"));
    /// assert_eq!((account.id(), papaya.accounts().len()), ("tenant-2", 2));
    /// # Ok::<(), auth_sandbox::Error>(())
    /// ```
    pub fn add_account(&self, credentials: Credentials) -> Account {
        let id = credentials.id().to_owned();
        self.shared.state().accounts.set(credentials);
        Account::new(&self.shared, id)
    }

    /// Goes back to how this provider started: its accounts, secrets and settings; no faults, tokens,
    /// counters or remarks. A request that is being held up gets no answer. What the journal holds
    /// stays.
    pub fn reset(&self) {
        self.behaviour.reset();
        self.shared.reset();
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn own(&self) -> &P {
        &self.own
    }
}

// A derived impl would require `P: Clone`.
impl<P> Clone for Handle<P> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            behaviour: Arc::clone(&self.behaviour),
            own: Arc::clone(&self.own),
        }
    }
}

impl<P> fmt::Debug for Handle<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("provider", &self.provider())
            .field("base_url", &self.base_url())
            .finish_non_exhaustive()
    }
}

//! The seam to a store, in which several processes share one token: what the engine asks of it.
//!
//! Nothing here fails. A store that is down answers [`Claim::Unavailable`], and the engine asks the
//! provider as it does without one, so an outage of the store is never an error of a caller's.

use std::any::Any;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{HeaderName, HeaderValue};

use crate::error::Error;
use crate::grant::Grant;
use crate::http::HttpRequest;
use crate::identity::Identity;

/// A place where processes share their tokens, such as a Redis server or a folder: see the crate
/// `auth-store`, which has both, and a way to make another one of two functions.
///
/// The lease saves requests; it does not keep tokens right. Two processes may hold it at once (one
/// was suspended), and both may ask the provider. What keeps tokens right is the generation: a token
/// is stored only by the holder of the lease, or in place of the token that its finder knew.
///
/// Instants never leave a store: it counts leases and lifetimes on its own clock and returns spans,
/// so no process's clock matters to another.
///
/// # If the caller goes away
/// Any of the futures may be dropped at any await. A lease that is dropped is free again at once, or
/// after its span.
///
/// ```
/// use std::time::Duration;
/// use auth_core::{Ask, Claim, Lease, Offered, Settled, TokenStore, async_trait};
///
/// /// Shares nothing: each process asks for itself.
/// #[derive(Debug)]
/// struct Nothing;
///
/// #[async_trait]
/// impl TokenStore for Nothing {
///     async fn claim(&self, _: &Ask<'_>) -> Claim { Claim::Unavailable }
///     async fn renew(&self, _: &Ask<'_>, _: &Lease) {}
///     async fn settle(&self, _: &Ask<'_>, _: Option<Lease>, _: &Offered<'_>) -> Settled {
///         Settled::Unpublished
///     }
///     async fn release(&self, _: &Ask<'_>, _: Lease, _: Option<&auth_core::Error>) {}
/// }
/// ```
#[async_trait]
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// Asks for a token that the caller does not have yet, or for the right to get one. One atomic
    /// step.
    async fn claim(&self, ask: &Ask<'_>) -> Claim;

    /// Keeps the lease for another span, if it is still the caller's.
    async fn renew(&self, ask: &Ask<'_>, lease: &Lease);

    /// Stores a token for the others and gives the lease back.
    ///
    /// Without a lease (the store did not answer the claim) only in place of the token that
    /// [`Ask::have`] names.
    async fn settle(&self, ask: &Ask<'_>, lease: Option<Lease>, token: &Offered<'_>) -> Settled;

    /// Gives the lease back without a token. `said` is what the provider answered; `None` if it
    /// answered nothing, since a broken network may be this host's alone.
    async fn release(&self, ask: &Ask<'_>, lease: Lease, said: Option<&Error>);
}

/// Who asks a store, and what it has.
///
/// ```
/// use auth_core::{Ask, Endpoint, Identity, TokenRequest};
///
/// let host = Endpoint::parse("https://pay.example.com")?;
/// let (account, request) = (Identity::new("acme", &host, &["a"]), TokenRequest::post(&host).empty()?);
/// let ask = Ask::new(&account, &request);
/// assert!(ask.have.is_none() && !ask.is_refused);
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Ask<'a> {
    /// The account. The record's name is made of it.
    pub identity: &'a Identity,
    /// The request that would be sent: for its fingerprint alone, never to be stored or logged.
    pub request: &'a HttpRequest,
    /// The stored token that the caller has and wants to replace.
    pub have: Option<Generation>,
    /// Whether an API refused that token (401).
    pub is_refused: bool,
}

impl<'a> Ask<'a> {
    /// Asks for any token of the account.
    #[must_use]
    pub fn new(identity: &'a Identity, request: &'a HttpRequest) -> Self {
        Self { identity, request, have: None, is_refused: false }
    }

    /// Asks for another token than this one; `is_refused` says whether an API refused it.
    #[must_use]
    pub fn instead_of(mut self, have: Option<Generation>, is_refused: bool) -> Self {
        (self.have, self.is_refused) = (have, is_refused && have.is_some());
        self
    }
}

impl fmt::Debug for Ask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing of the request: its body holds the secret.
        f.debug_struct("Ask")
            .field("identity", self.identity)
            .field("have", &self.have)
            .field("is_refused", &self.is_refused)
            .finish_non_exhaustive()
    }
}

/// Names one token of an account: 16 random bytes, drawn by the store.
///
/// ```
/// use auth_core::Generation;
/// assert_eq!(Generation::new([1; 16]).as_bytes(), &[1; 16]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Generation([u8; 16]);

impl Generation {
    /// Makes a generation of 16 random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What a store answers to a claim.
///
/// ```
/// use auth_core::Claim;
///
/// fn may_ask_the_provider(claim: &Claim) -> bool {
///     matches!(claim, Claim::Lease(_) | Claim::Unavailable)
/// }
/// assert!(may_ask_the_provider(&Claim::Unavailable));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Claim {
    /// A token that the caller did not have. Or the very one that an API refused, if such claims
    /// come too often: refusing all tokens must not make a fleet ask the provider without end.
    Token(StoredToken),
    /// The right to ask the provider.
    Lease(Lease),
    /// Another process is asking the provider.
    #[non_exhaustive]
    Held {
        /// How long to wait until the next claim, at most.
        poll: Duration,
    },
    /// The provider refused this very request, or any, when another process sent it.
    #[non_exhaustive]
    Refused {
        /// What the provider answered.
        error: Error,
        /// How long nobody is to ask again.
        left: Duration,
    },
    /// The store does not answer.
    Unavailable,
}

impl Claim {
    /// Another process is asking the provider: claim again after `poll` at most.
    #[must_use]
    pub fn held(poll: Duration) -> Self {
        Self::Held { poll }
    }

    /// The provider refused, and nobody is to ask it for `left`.
    #[must_use]
    pub fn refused(error: Error, left: Duration) -> Self {
        Self::Refused { error, left }
    }
}

/// What a store did with a token.
///
/// ```
/// use auth_core::{Generation, Settled};
/// assert!(matches!(Settled::Kept(Generation::new([1; 16])), Settled::Kept(_)));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Settled {
    /// It is stored under this generation.
    Kept(Generation),
    /// Another process stored this one first.
    Superseded(StoredToken),
    /// It is not stored: the store does not answer, or the token that the caller knew is gone. The
    /// caller uses its token, and nobody else does.
    Unpublished,
}

/// A token that a store holds.
///
/// ```
/// use std::time::Duration;
/// use auth_core::{Expiry, Generation, Grant, StoredToken};
///
/// let left = Duration::from_secs(200);
/// let grant = Grant::bearer("made-up", Expiry::After(left))?;
/// let stored = StoredToken::new(Generation::new([1; 16]), grant, left, Duration::from_secs(300));
/// assert!(!format!("{stored:?}").contains("made-up"));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct StoredToken {
    /// Its name.
    pub generation: Generation,
    /// The token and its headers.
    pub grant: Grant,
    /// How long until it expires.
    pub left: Duration,
    /// How long it lives in all.
    pub lifetime: Duration,
}

impl StoredToken {
    /// Makes a stored token. `left` is capped by `lifetime`: no clock gives a token more time.
    #[must_use]
    pub fn new(generation: Generation, grant: Grant, left: Duration, lifetime: Duration) -> Self {
        Self { generation, grant, left: left.min(lifetime), lifetime }
    }
}

/// A token that is offered to a store.
///
/// ```
/// use std::time::Duration;
/// use auth_core::Offered;
///
/// let life = Duration::from_secs(300);
/// let offered = Offered::new("Bearer", "made-up", &[], life, life);
/// assert_eq!((offered.token_type(), offered.secret()), ("Bearer", "made-up"));
/// assert!(!format!("{offered:?}").contains("made-up"));
/// ```
#[derive(Clone, Copy)]
pub struct Offered<'a> {
    pub(crate) token_type: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) headers: &'a [(HeaderName, HeaderValue)],
    pub(crate) left: Duration,
    pub(crate) lifetime: Duration,
}

impl<'a> Offered<'a> {
    /// Offers a token with this scheme, such as `Bearer`, and the headers beside it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use auth_core::Offered;
    ///
    /// let (left, lifetime) = (Duration::from_secs(299), Duration::from_secs(300));
    /// let offered = Offered::new("Bearer", "made-up", &[], left, lifetime);
    /// assert_eq!(offered.left(), left);
    /// assert!(!format!("{offered:?}").contains("made-up"));
    /// ```
    #[must_use]
    pub const fn new(
        token_type: &'a str,
        secret: &'a str,
        headers: &'a [(HeaderName, HeaderValue)],
        left: Duration,
        lifetime: Duration,
    ) -> Self {
        Self { token_type, secret, headers, left, lifetime }
    }

    /// Returns the authentication scheme.
    #[must_use]
    pub const fn token_type(&self) -> &'a str {
        self.token_type
    }

    /// Returns the token. Wipe every copy.
    #[must_use]
    pub const fn secret(&self) -> &'a str {
        self.secret
    }

    /// Returns the headers beside `Authorization`.
    #[must_use]
    pub const fn headers(&self) -> &'a [(HeaderName, HeaderValue)] {
        self.headers
    }

    /// Returns how long until the token expires.
    #[must_use]
    pub const fn left(&self) -> Duration {
        self.left
    }

    /// Returns how long it lives in all.
    #[must_use]
    pub const fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

impl fmt::Debug for Offered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offered")
            .field("token_type", &self.token_type)
            .field("secret", &"[redacted]")
            .field("left", &self.left)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// The right to ask the provider for an account's token.
///
/// ```
/// use std::time::Duration;
/// use auth_core::Lease;
///
/// let lease = Lease::new(7_u64).renewed_every(Duration::from_millis(1_667));
/// assert_eq!(lease.holder::<u64>(), Some(&7));
/// ```
pub struct Lease {
    holder: Box<dyn Any + Send + Sync>,
    pub(crate) renew_every: Option<Duration>,
    pub(crate) is_probe: bool,
}

impl Lease {
    /// Makes a lease that holds what the store needs to know it by. Dropping it drops that.
    pub fn new<T: Send + Sync + 'static>(holder: T) -> Self {
        Self { holder: Box::new(holder), renew_every: None, is_probe: false }
    }

    /// Sets how often the engine renews it while the provider is being asked. By default never.
    #[must_use]
    pub fn renewed_every(mut self, span: Duration) -> Self {
        self.renew_every = Some(span);
        self
    }

    /// Says that the last request of the fleet failed, so that one attempt is enough.
    #[must_use]
    pub fn probe(mut self, is_probe: bool) -> Self {
        self.is_probe = is_probe;
        self
    }

    /// Returns what the store put into it.
    #[must_use]
    pub fn holder<T: 'static>(&self) -> Option<&T> {
        self.holder.downcast_ref()
    }

    /// Takes out what the store put into it.
    #[must_use]
    pub fn into_holder<T: 'static>(self) -> Option<T> {
        self.holder.downcast().ok().map(|holder| *holder)
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("renew_every", &self.renew_every)
            .field("is_probe", &self.is_probe)
            .finish_non_exhaustive()
    }
}

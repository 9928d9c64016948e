//! Opens a Redis store: what it needs, and one try whether it is there.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use auth_core::{Clock as _, Env, Error, ExposeSecret as _, SecretString, SystemClock};

use super::settings::{self, Certificates, KEY, Settings};
use super::trouble::Trouble;
use super::url::Url;
use super::{RedisBackend, RedisStore, dial};
use crate::key::StoreKey;
use crate::shared::SharedStore;
use crate::trace;

/// How long opening a store waits for its server.
const FIRST_TRY: Duration = Duration::from_secs(1);
/// How long a server that does not answer is then asked whether it has TLS where the URL has none,
/// or the reverse: many say nothing to the other kind, or hang up.
const SECOND_LOOK: Duration = Duration::from_millis(300);
/// As a cluster has it, several records are on several servers: with this many, surely.
const SPREAD: usize = 16;

/// Opens a [`RedisStore`]: made by its `builder` and `read_env`.
///
/// ```no_run
/// use auth_store::{RedisStore, StoreKey};
///
/// # async fn example(key: StoreKey, pem: &[u8]) -> Result<(), auth_core::Error> {
/// let store = RedisStore::builder("rediss://app:made-up@redis.internal")
///     .key(key)
///     .trust(pem)?
///     .connect()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use = "it opens nothing until `connect` is awaited"]
pub struct RedisBuilder {
    from: From,
    key: Option<StoreKey>,
    is_unsealed: bool,
    in_the_clear: bool,
    certificates: Certificates,
}

enum From {
    Url(SecretString),
    Env(Env),
}

impl RedisBuilder {
    pub(super) fn of_url(url: SecretString) -> Self {
        Self::of(From::Url(url))
    }

    pub(super) fn of_env(env: Env) -> Self {
        Self::of(From::Env(env))
    }

    fn of(from: From) -> Self {
        let certificates = Certificates::default();
        Self { from, key: None, is_unsealed: false, in_the_clear: false, certificates }
    }

    /// Sets the key that all processes of the fleet have, in place of `AUTH_STORE_KEY`.
    ///
    /// ```
    /// use auth_store::{RedisStore, StoreKey};
    ///
    /// let builder = RedisStore::builder("redis://localhost").key(StoreKey::new([7; 32]));
    /// ```
    pub fn key(mut self, key: StoreKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Allows a store without a key. Read access to the server, its backups or its replication then
    /// reveals the tokens and lets one test guesses of an account's name; and what the provider refused is
    /// remembered by each process alone.
    ///
    /// ```
    /// use auth_store::RedisStore;
    ///
    /// let builder = RedisStore::builder("redis://localhost").unsealed();
    /// ```
    pub fn unsealed(mut self) -> Self {
        self.is_unsealed = true;
        self
    }

    /// Allows `redis://` to another host. Anyone who can read the network then has the server's
    /// password, sealed records or not.
    ///
    /// ```
    /// use auth_store::RedisStore;
    ///
    /// let builder = RedisStore::builder("redis://10.0.0.5").in_the_clear();
    /// ```
    pub fn in_the_clear(mut self) -> Self {
        self.in_the_clear = true;
        self
    }

    /// Trusts the authorities of these certificates (PEM) besides the system's, in place of
    /// `AUTH_STORE_REDIS_CA`.
    ///
    /// ```
    /// use auth_store::RedisStore;
    ///
    /// let error = RedisStore::builder("rediss://redis.internal").trust(b"no PEM").unwrap_err();
    /// assert!(error.message().starts_with("no certificate in PEM"));
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](auth_core::ErrorKind::Config) if there is no certificate in it.
    pub fn trust(mut self, pem: &[u8]) -> Result<Self, Error> {
        self.certificates.roots = settings::certificates(pem)?;
        Ok(self)
    }

    /// Presents this certificate (PEM, with those between it and its authority), in place of
    /// `AUTH_STORE_REDIS_CERT` and `AUTH_STORE_REDIS_CERT_KEY`.
    ///
    /// ```no_run
    /// use auth_store::RedisStore;
    ///
    /// # fn example(chain: &[u8], key: &[u8]) -> Result<(), auth_core::Error> {
    /// let builder = RedisStore::builder("rediss://redis.internal").client_certificate(chain, key)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](auth_core::ErrorKind::Config) if either is not there.
    pub fn client_certificate(mut self, chain: &[u8], key: &[u8]) -> Result<Self, Error> {
        let key = settings::private_key(key)?;
        self.certificates.client = Some((settings::certificates(chain)?, key));
        Ok(self)
    }

    /// Reads the settings, tries for 1 s to reach the server, and opens the store whether it was
    /// reached or not.
    ///
    /// # If the caller goes away
    /// The attempt ends with it, and nothing stays.
    ///
    /// # Errors
    /// As [`RedisStore::connect`].
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), auth_core::Error> {
    /// use auth_store::RedisStore;
    ///
    /// let store = RedisStore::builder("redis://localhost").unsealed().connect().await?;
    /// # Ok(()) }
    /// ```
    pub async fn connect(self) -> Result<RedisStore, Error> {
        let (backend, key) = self.read()?;
        if let Err(trouble) = backend.reach().await {
            let proves = trouble.proves;
            let error = trouble.at_start();
            if proves {
                return Err(error);
            }
            trace::not_reached(&error);
        }
        Ok(match key {
            Some(key) => SharedStore::sealed(backend, key),
            None => SharedStore::unsealed(backend),
        })
    }

    fn read(self) -> Result<(RedisBackend, Option<StoreKey>), Error> {
        let mut certificates = self.certificates;
        let (url, key, env) = match self.from {
            From::Url(url) => (Url::parse(url.expose_secret())?, self.key, None),
            From::Env(env) => {
                let read = settings::read(&env)?;
                certificates = certificates.or(read.certificates);
                (read.url, self.key.or(read.key), Some(env))
            }
        };
        let key = key.filter(|_| !self.is_unsealed);
        if key.is_none() && !self.is_unsealed {
            return Err(Error::config(format!(
                "set {KEY} (or {KEY}_FILE), or allow a store without a key with unsealed(): it has \
                 the tokens as they are"
            )));
        }
        Ok((RedisBackend::new(Settings::new(url, env, self.in_the_clear, certificates)?), key))
    }
}

impl Certificates {
    fn or(self, other: Self) -> Self {
        let roots = if self.roots.is_empty() { other.roots } else { self.roots };
        Self { roots, client: self.client.or(other.client) }
    }
}

impl RedisBackend {
    /// Whether the server serves us, so that a wrong setting shows at the start and not at the first
    /// token: every command that the store needs, on a record of its own.
    async fn reach(&self) -> Result<(), Trouble> {
        let trouble = match within(FIRST_TRY, self.prove()).await {
            Some(Ok(())) => return Ok(()),
            Some(Err(trouble)) if trouble.proves => return Err(trouble),
            Some(Err(trouble)) => trouble,
            None => Trouble::broken(self.settings.host(), "does not answer within 1 s"),
        };
        let url = self.settings.url()?;
        let is_other = dial::is_other_kind(&self.settings, &url);
        match within(SECOND_LOOK, is_other).await {
            Some(true) if url.has_tls => Err(Trouble::no_tls(&url.address)),
            Some(true) => Err(Trouble::wants_tls(&url.address)),
            _ => Err(trouble),
        }
    }

    async fn prove(&self) -> Result<(), Trouble> {
        const NAME: &str = "pa1:is-it-there";
        const RECORD: &[u8] = b"0123456789abcdef";
        self.read_named(NAME).await?;
        // Another process that starts may be between its two; either outcome is fine.
        self.swap_named(NAME, None, Some(RECORD), FIRST_TRY).await?;
        self.swap_named(NAME, Some(RECORD), None, FIRST_TRY).await?;
        if self.is_cluster() {
            for number in 0..SPREAD {
                self.read_named(&format!("{NAME}-{number}")).await?;
            }
        }
        Ok(())
    }
}

/// The future's output, or `None` if it takes longer.
async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let (mut future, mut limit) = (pin!(future), SystemClock.sleep(limit));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => limit.as_mut().poll(cx).map(|()| None),
    })
    .await
}

impl fmt::Debug for RedisBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBuilder")
            .field("key", &self.key)
            .field("is_unsealed", &self.is_unsealed)
            .field("in_the_clear", &self.in_the_clear)
            .finish_non_exhaustive()
    }
}

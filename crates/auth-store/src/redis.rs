//! Redis or Valkey: one string a record, two scripts, one connection.

mod builder;
mod dial;
mod heard;
mod link;
mod scripts;
mod settings;
mod trouble;
mod url;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::{Cmd, Value};
use async_trait::async_trait;
use auth_core::{Env, Error, SecretString};
use tokio::sync::OnceCell;

pub use self::builder::RedisBuilder;
use self::link::{Link, Place};
use self::settings::Settings;
use self::trouble::Trouble;
use crate::backend::{Backend, Snapshot};
use crate::key::{RecordName, StoreKey};
use crate::shared::SharedStore;

/// A store on a Redis or Valkey server: see [`RedisBackend`] for what the server must allow.
///
/// ```no_run
/// use auth_store::RedisStore;
///
/// # async fn example() -> Result<(), auth_core::Error> {
/// let store = RedisStore::connect_env().await?; // AUTH_STORE_REDIS_URL and AUTH_STORE_KEY
/// # Ok(()) }
/// ```
pub type RedisStore = SharedStore<RedisBackend>;

impl SharedStore<RedisBackend> {
    /// Opens a store on the server of this URL, sealed with this key:
    /// `rediss://user:password@redis.example.com:6379/0`. All but the host may be left out.
    ///
    /// Tries to reach the server once, for 1 s. A server that is down is no error, so that no
    /// process needs it to start.
    ///
    /// ```no_run
    /// use auth_store::{RedisStore, StoreKey};
    ///
    /// # async fn example(key: StoreKey) -> Result<(), auth_core::Error> {
    /// let store = RedisStore::connect("rediss://app:made-up@redis.example.com", key).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # If the caller goes away
    /// The attempt ends with it, and nothing stays.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](auth_core::ErrorKind::Config) if a setting is wrong, or if the server
    /// answers something that proves it: a wrong password, a missing permission, TLS where there is
    /// none, HTTP, a cluster, a Sentinel. Later the same answers only make the store unavailable.
    pub async fn connect(url: impl Into<SecretString>, key: StoreKey) -> Result<Self, Error> {
        Self::builder(url).key(key).connect().await
    }

    /// Opens the store that the environment names: [`read_env`](Self::read_env), then
    /// [`connect`](RedisBuilder::connect).
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), auth_core::Error> {
    /// let store = auth_store::RedisStore::connect_env().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_env() -> Result<Self, Error> {
        Self::read_env(&Env::process()).connect().await
    }

    /// Begins a store on the server of this URL.
    ///
    /// ```no_run
    /// use auth_store::RedisStore;
    ///
    /// # async fn example() -> Result<(), auth_core::Error> {
    /// // On a network that nobody else can read, and whose server may know the tokens.
    /// let store = RedisStore::builder("redis://10.0.0.5").in_the_clear().unsealed().connect().await?;
    /// # Ok(()) }
    /// ```
    pub fn builder(url: impl Into<SecretString>) -> RedisBuilder {
        RedisBuilder::of_url(url.into())
    }

    /// Begins a store from variables. Each may also be given as a file, `NAME_FILE`; they are read
    /// by [`connect`](RedisBuilder::connect).
    ///
    /// | variable | what it is |
    /// |---|---|
    /// | `AUTH_STORE_REDIS_URL` | the URL, as [`connect`](Self::connect) takes it. Its file is read again at each connection, so a password may be rotated there. |
    /// | `AUTH_STORE_KEY` | the key: 32 random bytes in base64 |
    /// | `AUTH_STORE_REDIS_CA` | certificates to trust besides those of the system (PEM) |
    /// | `AUTH_STORE_REDIS_CERT`, `AUTH_STORE_REDIS_CERT_KEY` | a client certificate and its key (PEM) |
    ///
    /// ```no_run
    /// use auth_core::Env;
    /// use auth_store::RedisStore;
    ///
    /// # async fn example() -> Result<(), auth_core::Error> {
    /// let store = RedisStore::read_env(&Env::process()).in_the_clear().connect().await?;
    /// # Ok(()) }
    /// ```
    pub fn read_env(env: &Env) -> RedisBuilder {
        RedisBuilder::of_env(env.clone())
    }
}

/// Records on a Redis or Valkey server (Redis 6.2 or later, any Valkey).
///
/// Each record is a string named `pa1:` and 43 characters, which expires by itself. The server needs
/// nothing prepared: no module, no loaded script, no persistence. It may lose records at any time.
///
/// # What its user must be allowed
/// With an access list, these permissions are enough, and nothing else is ever sent but `AUTH` and
/// `HELLO`, which every user may:
///
/// ```text
/// ACL SETUSER app on >password resetkeys ~pa1:* -@all +eval +time +get +getrange +set +del
/// ```
///
/// A URL with a database other than 0 needs `+select` too.
///
/// # Connections
/// One for each process, made when the first call needs it and again when it breaks, does not answer
/// in time, or answers that this server is not the one to ask any more (`READONLY` after a failover).
/// If the name has several addresses, all are tried at once. A call from another tokio runtime makes
/// a new connection, since a connection is driven by the runtime that made it.
///
/// TLS is rustls with the system's certificates, whatever the process has set as its default.
///
/// # What it does not do
/// A cluster of several nodes and Sentinel are not supported: name one primary, or the endpoint that a
/// managed service keeps in front of it. The crate `redis` copies the password and the records that
/// it sends into memory that is not wiped; records are sealed unless
/// [`unsealed`](RedisBuilder::unsealed).
///
/// ```no_run
/// use auth_store::{RedisStore, StoreKey};
///
/// # async fn example(key: StoreKey) -> Result<(), auth_core::Error> {
/// let store = RedisStore::connect("redis://localhost", key).await?;
/// assert_eq!(format!("{:?}", store.backend()), "RedisBackend(localhost:6379)");
/// # Ok(()) }
/// ```
pub struct RedisBackend {
    settings: Settings,
    slot: Mutex<Option<Arc<Slot>>>,
}

/// The connection, or the place for one that is being made, of one runtime.
struct Slot {
    place: Place,
    link: OnceCell<Link>,
}

impl RedisBackend {
    fn new(settings: Settings) -> Self {
        Self { settings, slot: Mutex::default() }
    }

    async fn read_named(&self, name: &str) -> Result<Snapshot, Trouble> {
        let value = self.call(&scripts::read(name)).await?;
        scripts::snapshot(value).ok_or_else(|| self.unexpected())
    }

    async fn swap_named(
        &self,
        name: &str,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        keep: Duration,
    ) -> Result<bool, Trouble> {
        let value = self.call(&scripts::swap(name, old, new, keep)).await?;
        scripts::swapped(&value).ok_or_else(|| self.unexpected())
    }

    /// Whether the server said so, on the connection that there is.
    fn is_cluster(&self) -> bool {
        let slot = self.locked();
        slot.as_ref().and_then(|slot| slot.link.get()).is_some_and(Link::is_cluster)
    }

    fn unexpected(&self) -> Trouble {
        Trouble::broken(self.settings.host(), "answered a script with something else")
    }

    /// Sends a command, on a new connection if there is none. A connection that turns out to be
    /// broken, or to lead to the wrong server, is replaced once: both commands may come twice.
    async fn call(&self, command: &Cmd) -> Result<Value, Trouble> {
        let (first_used, first) = self.call_once(command).await;
        match first {
            Err(trouble) if trouble.condemns && first_used => self.call_once(command).await.1,
            outcome => outcome,
        }
    }

    /// The outcome, and whether the connection was there before.
    async fn call_once(&self, command: &Cmd) -> (bool, Result<Value, Trouble>) {
        let place = match Place::here() {
            Ok(place) => place,
            Err(trouble) => return (false, Err(trouble)),
        };
        let slot = self.slot(place);
        // A call that is given up condemns its connection: it may be silent for ever.
        let pending = Pending { backend: self, slot: &slot, is_over: false };
        let was_there = slot.link.initialized();
        let link = slot.link.get_or_try_init(|| dial::dial(&self.settings)).await;
        let outcome = match link {
            Ok(link) => link.send(command).await,
            Err(trouble) => Err(trouble),
        };
        pending.over(outcome.as_ref().err());
        (was_there, outcome)
    }

    /// The slot of this runtime, a new one if the last was another's.
    fn slot(&self, place: Place) -> Arc<Slot> {
        let mut last = self.locked();
        let slot = last.take().filter(|slot| slot.place == place);
        let slot = slot.unwrap_or_else(|| Arc::new(Slot { place, link: OnceCell::new() }));
        *last = Some(Arc::clone(&slot));
        slot
    }

    /// Makes the next call use a new connection. Calls under way keep the old one.
    fn condemn(&self, slot: &Arc<Slot>) {
        let mut last = self.locked();
        if last.as_ref().is_some_and(|last| Arc::ptr_eq(last, slot)) {
            *last = None;
        }
    }

    fn locked(&self) -> MutexGuard<'_, Option<Arc<Slot>>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Backend for RedisBackend {
    async fn read(&self, name: &RecordName) -> Result<Snapshot, Error> {
        self.read_named(name.as_str()).await.map_err(Trouble::passing)
    }

    async fn swap(
        &self,
        name: &RecordName,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        keep: Duration,
    ) -> Result<bool, Error> {
        self.swap_named(name.as_str(), old, new, keep).await.map_err(Trouble::passing)
    }
}

impl fmt::Debug for RedisBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisBackend({})", self.settings.host())
    }
}

/// A call that has no outcome yet.
struct Pending<'a> {
    backend: &'a RedisBackend,
    slot: &'a Arc<Slot>,
    is_over: bool,
}

impl Pending<'_> {
    fn over(mut self, trouble: Option<&Trouble>) {
        self.is_over = !trouble.is_some_and(|trouble| trouble.condemns);
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.backend.condemn(self.slot);
        }
    }
}

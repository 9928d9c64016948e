//! The system's keyring: one item a provider and profile, with credentials and never a token.
//!
//! A keyring that is locked asks its user, or nobody where there is no screen. So each call has a
//! thread of its own and 3 s, and what fails is an error: nothing falls back to a file.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::time::Duration;

use auth_core::{Env, Error, Resolve, Resolver, TokenExchange, async_trait};
use keyring::{Entry, Error as Fault};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::creds::env;
use crate::envfile::Pairs;
use crate::out::printable;
use crate::provider::Provider;
use crate::stop::Stop;
use crate::text::Text;

/// Without a space: some keyrings refuse one.
const SERVICE: &str = "provider-auth";
const PATIENCE: Duration = Duration::from_secs(3);
/// Set once it did not answer: it is not asked again for the next provider.
static SILENT: OnceLock<()> = OnceLock::new();

/// The item of a provider and a profile.
pub(crate) struct Keys {
    provider: Provider,
    item: String,
}

impl Keys {
    pub(crate) fn new(provider: Provider, profile: &str) -> Self {
        Self { provider, item: format!("{profile}/{}", provider.name()) }
    }

    /// Stores credentials in place of those that are there.
    pub(crate) fn store(&self, pairs: &Pairs) -> Result<(), Stop> {
        let map: Map<String, Value> =
            pairs.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        let text = Zeroizing::new(Value::Object(map).to_string());
        let stored = self.call(move |entry| entry.set_password(&text));
        let stored =
            stored.and_then(|stored| stored.ok_or_else(|| "there is none here".to_owned()));
        stored.map_err(|cause| stop(&cause))
    }

    /// Removes them; says whether there were any.
    pub(crate) fn remove(&self) -> Result<bool, Stop> {
        let removed = self.call(|entry| match entry.delete_credential() {
            Ok(()) => Ok(true),
            Err(Fault::NoEntry) => Ok(false),
            Err(error) => Err(error),
        });
        removed.map(Option::unwrap_or_default).map_err(|cause| stop(&cause))
    }

    fn load(&self) -> Result<Option<Env>, String> {
        let text = self.call(|entry| match entry.get_password() {
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(Fault::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })?;
        let Some(text) = text.flatten() else { return Ok(None) };
        let map: Map<String, Value> =
            serde_json::from_str(&text).map_err(|_| "the item is not ours".to_owned())?;
        let pairs: Pairs = map
            .into_iter()
            .filter_map(|(name, value)| Some((name, Zeroizing::new(value.as_str()?.to_owned()))))
            .collect();
        Ok(Some(env(&pairs)))
    }

    /// Calls the keyring on a thread that is left behind if it does not answer. `None` if this machine
    /// has no keyring.
    fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Entry) -> Result<T, Fault> + Send + 'static,
    ) -> Result<Option<T>, String> {
        let silent = || format!("no answer in {PATIENCE:?}");
        if SILENT.get().is_some() {
            return Err(silent());
        }
        let (done, answered) = mpsc::channel();
        let item = self.item.clone();
        std::thread::spawn(move || {
            let answer = Entry::new(SERVICE, &item).and_then(|entry| call(&entry));
            let _ = done.send(answer);
        });
        match answered.recv_timeout(PATIENCE) {
            Ok(Err(Fault::NoDefaultStore)) => Ok(None),
            Ok(answer) => answer.map(Some).map_err(|error| printable(&error.to_string())),
            Err(_) => {
                SILENT.get_or_init(|| ());
                Err(silent())
            }
        }
    }
}

fn stop(cause: &str) -> Stop {
    Stop::config(Text::KeyringFailed, Text::KeyringFailedDo, &[cause])
}

#[async_trait]
impl Resolver<Arc<dyn TokenExchange>> for Keys {
    async fn resolve(&self, _: Resolve) -> Result<Option<Arc<dyn TokenExchange>>, Error> {
        match self.load() {
            Ok(None) => Ok(None),
            Ok(Some(env)) => self.provider.read_env(&env).map(Some),
            Err(cause) => {
                let text = format!("{cause}: unlock it, or use --env-file or --profile");
                Err(Error::config(text))
            }
        }
    }
}

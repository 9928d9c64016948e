//! Credentials in variables and in the files that they name, read anew for each exchange.

use std::fmt;

use async_trait::async_trait;

use super::{Resolve, Resolver};
use crate::env::Env;
use crate::error::Error;

/// How often files that change meanwhile are read.
const READINGS: u32 = 3;

/// Reads variables, and the files that `NAME_FILE` variables name, for each exchange: a rotated
/// file is used without a restart.
///
/// Files are small and local, so they are read where the exchange runs. Relative paths start from
/// the working directory of when this is made. If a file changes while several are read, all are
/// read again, at most three times, so that the key of an old pair is not sent with the secret of
/// the new one.
///
/// A set of variables of which none is set is absent ([`Chain`](super::Chain) goes on); half a set
/// is an error.
///
/// ```
/// use auth_core::secret::Charset;
/// use auth_core::{Env, FromEnv};
///
/// let env = Env::from_pairs([("ACME_SECRET", "made-up-secret")]);
/// let found = FromEnv::new(env, |env| {
///     env.read("acme", |vars| vars.required_secret("ACME_SECRET", Charset::Text))
/// });
/// assert!(found.read().is_ok());
/// ```
pub struct FromEnv<E> {
    env: Env,
    read: Box<Read<E>>,
}

type Read<E> = dyn Fn(&Env) -> Result<E, Error> + Send + Sync;

impl<E> FromEnv<E> {
    /// Reads these variables with a function such as `Digitalpaye::read_env`.
    pub fn new(env: Env, read: impl Fn(&Env) -> Result<E, Error> + Send + Sync + 'static) -> Self {
        Self { env: env.in_this_folder(), read: Box::new(read) }
    }

    /// Reads them now.
    ///
    /// # Errors
    /// That of the function.
    pub fn read(&self) -> Result<E, Error> {
        let mut readings = 1;
        loop {
            self.env.forget_seen();
            let read = (self.read)(&self.env);
            if readings == READINGS || self.env.is_unchanged() {
                return read;
            }
            readings += 1;
        }
    }
}

#[async_trait]
impl<E: 'static> Resolver<E> for FromEnv<E> {
    async fn resolve(&self, _: Resolve) -> Result<Option<E>, Error> {
        match self.read() {
            Err(_) if !self.env.has_any() => Ok(None),
            read => read.map(Some),
        }
    }
}

impl<E> fmt::Debug for FromEnv<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromEnv").field("env", &self.env).finish_non_exhaustive()
    }
}

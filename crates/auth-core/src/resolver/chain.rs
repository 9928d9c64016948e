//! Several places for credentials, in order.

use std::fmt;

use async_trait::async_trait;

use super::{Resolve, Resolver};
use crate::error::Error;

/// Looks for credentials in several places: the first that has some wins.
///
/// Only a place where nothing is configured is passed over. One that is configured and broken is an
/// error with its name, so that a source never uses another account because of a fault.
///
/// ```
/// use auth_core::{Chain, Env, FromEnv, Resolve, Resolver};
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
///
/// let read = |env: &Env| -> Result<String, auth_core::Error> {
///     env.read("acme", |vars| {
///         vars.required_text("ACME_ACCOUNT", auth_core::secret::Charset::Text)
///     })
/// };
/// let set = Env::from_pairs([("ACME_ACCOUNT", "42")]);
/// let chain = Chain::new()
///     .or("the first file", FromEnv::new(Env::from_pairs([("", "")]), read))
///     .or("the second file", FromEnv::new(set, read));
/// assert_eq!(chain.resolve(Resolve::Exchange).await.unwrap().as_deref(), Some("42"));
/// # }
/// ```
pub struct Chain<E> {
    links: Vec<(&'static str, Box<dyn Resolver<E>>)>,
}

impl<E> Chain<E> {
    /// A chain without a place to look in.
    #[must_use]
    pub fn new() -> Self {
        Self { links: Vec::new() }
    }

    /// Looks here if there is nothing in the places before. `name` is for errors, such as `the
    /// environment`.
    #[must_use]
    pub fn or(mut self, name: &'static str, resolver: impl Resolver<E>) -> Self {
        self.links.push((name, Box::new(resolver)));
        self
    }

    fn names(&self) -> Vec<&'static str> {
        self.links.iter().map(|(name, _)| *name).collect()
    }
}

impl<E> Default for Chain<E> {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl<E: Send + 'static> Resolver<E> for Chain<E> {
    /// Asks one place after the other. Nothing anywhere is an error that names all of them.
    async fn resolve(&self, ask: Resolve) -> Result<Option<E>, Error> {
        for (name, resolver) in &self.links {
            match resolver.resolve(ask).await {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(error) => {
                    let text = format!("{name}: {}", error.message());
                    return Err(error.with_message(text));
                }
            }
        }
        let names = self.names().join(", ");
        Err(Error::config(format!("no credentials are configured: looked in {names}")))
    }
}

impl<E> fmt::Debug for Chain<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Chain").field(&self.names()).finish()
    }
}

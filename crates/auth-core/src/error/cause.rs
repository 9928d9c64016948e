//! The chain of causes of a failure, for messages and logs.

use std::error::Error as StdError;

use super::Error;
use crate::secret::printable;

/// The longest cause that is quoted, in characters.
const CAUSE_LIMIT: usize = 120;

/// An error and its causes.
pub(crate) fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| StdError::source(*error))
}

/// The text of the last cause in the chain, made printable and cut.
pub(crate) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let last = chain(error).last().map(ToString::to_string).unwrap_or_default();
    printable(&last, CAUSE_LIMIT)
}

/// The cause of an error that a runtime's end brought, and no provider.
#[derive(Debug, thiserror::Error)]
#[error("the runtime was shut down")]
struct ShutDown;

/// The tokio runtime that sockets and timers live on was shut down.
pub(crate) fn shut_down() -> Error {
    let text = "the tokio runtime of this call was shut down: call from one that runs";
    Error::config(text).with_source(ShutDown)
}

/// Whether an error says that, and so nothing about the provider.
pub(crate) fn is_shut_down(error: &Error) -> bool {
    error.0.source.as_ref().is_some_and(|cause| cause.0.is::<ShutDown>())
}

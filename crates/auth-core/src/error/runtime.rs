//! The error of a tokio runtime that was shut down while sockets or timers lived on it.

use super::Error;

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

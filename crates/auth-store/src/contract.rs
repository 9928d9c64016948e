//! What every backend must do, as sentences: run them on one of your own.

use std::future::Future;

use crate::backend::Backend;

/// Checks a backend against everything that a store expects of it.
///
/// `backend` makes a handle, each to the same place: as another process would open it. The records
/// that the checks leave there have names of their own, drawn at random. Must run on a tokio
/// runtime, best on one of several threads.
///
/// ```
/// use auth_store::{MemoryBackend, contract};
/// # #[tokio::main] async fn main() {
///
/// let place = MemoryBackend::default();
/// contract::all(|| async { place.clone() }).await;
/// # }
/// ```
///
/// # Panics
/// If a check fails, with the sentence that does not hold.
pub async fn all<B, M, F>(backend: M)
where
    B: Backend,
    M: Fn() -> F,
    F: Future<Output = B>,
{
    let one = backend().await;
    let name = crate::RecordName::made_up(1);
    assert!(one.read(&name).await.is_ok(), "a record that is not there is no error");
}

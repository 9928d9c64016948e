//! What every backend must do, as sentences: for the ones here, and for one of your own.
//!
//! Each sentence is a function. The record of each has a name of its own, drawn at random, so the
//! place may be in use, and several runs may share it.

mod place;
mod rules;

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use crate::backend::Backend;
use crate::id::Id;
use crate::key::{RecordName, StoreKey};
use crate::shared::SharedStore;

/// Checks a backend against everything that a store expects of it: that it keeps records, that a
/// swap is atomic, and then each rule of the store on top of it, sealed and not.
///
/// `backend` makes handles to one place, as another process would open it. Needs a tokio runtime
/// with its timer, best one of several threads, and takes about a second.
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
/// If a sentence does not hold.
pub async fn all<B, M, F>(backend: M)
where
    B: Backend,
    M: Fn() -> F + Send + Sync,
    F: Future<Output = B> + Send,
{
    let store = async |key: Option<&StoreKey>| {
        let backend = backend().await;
        let store = match key {
            Some(key) => SharedStore::sealed(backend, key.clone()),
            None => SharedStore::unsealed(backend),
        };
        // A machine under load is no fault of the backend.
        done(store.patience(Duration::from_secs(2)))
    };
    let clear = Pair { one: store(None).await, other: store(None).await };
    place::all(&clear).await;
    rules::all(&clear).await;
    let (key, another) = (done(StoreKey::generate()), done(StoreKey::generate()));
    let sealed = Pair { one: store(Some(&key)).await, other: store(Some(&key)).await };
    rules::all(&sealed).await;
    rules::another_key_reads_nothing(&sealed, &store(Some(&another)).await).await;
}

/// Two processes of a fleet.
struct Pair<B> {
    one: SharedStore<B>,
    other: SharedStore<B>,
}

/// What a call returned that must not fail.
#[track_caller]
fn done<T, E: Debug>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        #[allow(clippy::panic)] // `all` documents it
        Err(error) => panic!("it failed: {error:?}"),
    }
}

fn number() -> u64 {
    let bytes = done(Id::draw());
    bytes.as_bytes().first_chunk().copied().map(u64::from_be_bytes).unwrap_or_default()
}

/// The name of a record that nobody else has.
fn name() -> RecordName {
    RecordName::made_up(number())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryBackend;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn records_in_memory_keep_the_contract() {
        let place = MemoryBackend::default();
        all(|| async { place.clone() }).await;
    }
}

//! Panics of code that is not ours, so that one costs an error and no more.
//!
//! The payload is not read, since it may quote a secret, and not dropped, since that may panic again.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

/// What a call returned, or `None` if it panicked.
pub(crate) fn contained_call<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).map_err(std::mem::forget).ok()
}

/// A future's output, or `None` if it panicked.
pub(crate) async fn contained<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    std::future::poll_fn(move |cx| {
        // The future is not polled again after a panic, so its broken state is never observed.
        match contained_call(|| future.as_mut().poll(cx)) {
            Some(poll) => poll.map(Some),
            None => Poll::Ready(None),
        }
    })
    .await
}

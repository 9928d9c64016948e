//! Threads for file I/O, which blocks: at most four of a store.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use auth_core::{Error, ErrorKind};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// A server that no longer answers (NFS) keeps a thread for as long as it likes.
const MOST: usize = 4;

/// Runs file I/O on tokio's blocking threads, or on the caller's where there is no tokio.
#[derive(Debug)]
pub(super) struct Threads(Arc<Semaphore>);

impl Threads {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }

    /// Runs this on such a thread, once one of the four is free.
    ///
    /// # If the caller goes away
    /// What has begun is finished, and its thread counts until then.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let Ok(runtime) = Handle::try_current() else { return work() };
        let permit = Arc::clone(&self.0).acquire_owned().await;
        let work = move || {
            let _permit = permit;
            work()
        };
        // It panics if the system gives no thread.
        let task = catch_unwind(AssertUnwindSafe(|| runtime.spawn_blocking(work)));
        let failed = || Error::new(ErrorKind::Store, "file store: no thread for its files");
        task.map_err(|_| failed())?.await.map_err(|_| failed())?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn without_a_runtime_the_callers_thread_does_the_work() {
        let here = std::thread::current().id();
        let threads = Threads::new();
        let mut work = Box::pin(threads.run(move || Ok(std::thread::current().id() == here)));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(is_here) = work.as_mut().poll(&mut cx) else { panic!("waits") };
        assert!(is_here.unwrap());
    }

    #[tokio::test]
    async fn files_that_hang_hold_four_threads_and_no_more_also_when_their_callers_gave_up() {
        static BEGUN: AtomicUsize = AtomicUsize::new(0);
        let threads = Arc::new(Threads::new());
        assert_eq!(threads.0.available_permits(), 4);
        let mut hanging = Vec::new();
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let (done, hangs) = mpsc::channel::<()>();
            hanging.push(done);
            let threads = Arc::clone(&threads);
            callers.spawn(async move {
                threads
                    .run(move || {
                        BEGUN.fetch_add(1, Ordering::SeqCst);
                        let _ = hangs.recv();
                        Ok(())
                    })
                    .await
            });
        }
        while BEGUN.load(Ordering::SeqCst) < 4 {
            tokio::task::yield_now().await;
        }
        callers.shutdown().await;
        let mut late = Box::pin(threads.run(|| Ok(())));
        assert!(futures_pending(&mut late).await);
        assert_eq!((BEGUN.load(Ordering::SeqCst), threads.0.available_permits()), (4, 0));
        drop(hanging);
        late.await.unwrap();
    }

    async fn futures_pending(future: &mut (impl Future + Unpin)) -> bool {
        std::future::poll_fn(|cx| {
            let pending = std::pin::Pin::new(&mut *future).poll(cx).is_pending();
            std::task::Poll::Ready(pending)
        })
        .await
    }
}

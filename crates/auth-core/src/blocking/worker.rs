//! The thread that fetches tokens for blocking callers: one for the process, and the one file that
//! starts it.
//!
//! It drives a tokio runtime of its own, so a caller needs none, and may stand on a thread that
//! belongs to another. Nothing joins it: it ends with the process. A child of `fork` has no threads
//! but its own, so it starts another.

use std::future::{Future, pending};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::ThreadId;
use std::time::Duration;
use std::{io, process, thread};

use tokio::runtime::{Builder, Handle, Id};

use crate::error::{Error, ErrorKind};

/// The thread's name. Linux shows at most 15 characters.
const NAME: &str = "auth-core";

/// The running thread.
#[derive(Clone)]
pub(super) struct Worker {
    runtime: Handle,
    thread: ThreadId,
    /// Dropped when the thread ends.
    alive: Weak<()>,
    /// The process that it is a thread of.
    process: u32,
    /// The runtimes of the threads that this process had before it was forked. Nothing drives them.
    left_behind: Vec<Id>,
}

/// Held for the time that starting a thread takes, and never by that thread.
static WORKER: Mutex<Option<Worker>> = Mutex::new(None);

impl Worker {
    /// Returns the thread, and starts it if it does not run in this process.
    pub(super) fn running() -> Result<Self, Error> {
        let mut kept = WORKER.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(worker) = kept.as_ref().filter(|worker| worker.runs()) {
            return Ok(worker.clone());
        }
        let mut started = Self::start().map_err(|cause| {
            let text = "the thread that fetches tokens could not be started: raise the limits on \
                        threads and open files";
            Error::config(text).with_source(cause)
        })?;
        if let Some(mut old) = kept.take() {
            started.left_behind = std::mem::take(&mut old.left_behind);
            if old.process != started.process {
                started.left_behind.push(old.runtime.id());
            }
        }
        *kept = Some(started.clone());
        Ok(started)
    }

    fn runs(&self) -> bool {
        self.process == process::id() && self.alive.strong_count() > 0
    }

    fn start() -> io::Result<Self> {
        let (tell, told) = channel();
        let held = Arc::new(());
        let alive = Arc::downgrade(&held);
        // The runtime is made there: if it were dropped here, on a thread of another runtime, it
        // would panic.
        let thread = thread::Builder::new().name(NAME.into()).spawn(move || {
            let _held = held;
            let made = Builder::new_current_thread()
                .enable_all()
                .thread_name("auth-core pool") // name lookups
                .build();
            match made {
                Ok(runtime) => {
                    let _ = tell.send(Ok(runtime.handle().clone()));
                    runtime.block_on(pending::<()>());
                }
                Err(cause) => drop(tell.send(Err(cause))),
            }
        })?;
        let runtime = told.recv().map_err(io::Error::other)??;
        let (thread, process) = (thread.thread().id(), process::id());
        Ok(Self { runtime, thread, alive, process, left_behind: Vec::new() })
    }

    /// The runtimes that a fork has left without a thread.
    pub(super) fn left_behind(&self) -> impl Iterator<Item = Id> + '_ {
        self.left_behind.iter().copied()
    }

    /// Whether this is the thread's own runtime.
    pub(super) fn drives(&self, runtime: Id) -> bool {
        self.runtime.id() == runtime
    }

    /// Runs a job on the thread, and waits for nothing.
    pub(super) fn spawn(&self, job: impl Future<Output = ()> + Send + 'static) {
        drop(self.runtime.spawn(job)); // detached
    }

    /// Runs a job on the thread, and returns where its outcome can be waited for.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        job: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<Waiting<T>, Error> {
        if self.thread == thread::current().id() {
            let text = "a blocking call on the thread that fetches tokens would wait for itself: \
                        use the async source in an HttpClient";
            return Err(Error::config(text));
        }
        let (answer, outcome) = channel();
        self.spawn(async move {
            // The caller may have stopped waiting.
            let _ = answer.send(job.await);
        });
        Ok(Waiting(outcome))
    }
}

/// The outcome of a job, to be waited for.
pub(super) struct Waiting<T>(Receiver<Result<T, Error>>);

impl<T> Waiting<T> {
    /// Blocks for at most this long. `None` if there is no outcome yet.
    pub(super) fn within(&self, limit: Duration) -> Option<Result<T, Error>> {
        match self.0.recv_timeout(limit) {
            Ok(outcome) => Some(outcome),
            Err(RecvTimeoutError::Timeout) => None,
            // The job was dropped: it panicked, or the thread has ended.
            Err(RecvTimeoutError::Disconnected) => {
                let text = "the source, its clock or its HTTP client panicked: report the bug to \
                            its author";
                Some(Err(Error::new(ErrorKind::Internal, text)))
            }
        }
    }
}

/// The error of a job that the thread has not come to in time.
pub(super) fn overdue() -> Error {
    let text = "no token in time: the thread that fetches tokens is blocked: an HttpClient must not \
                block the thread that polls it";
    Error::new(ErrorKind::Timeout, text)
}

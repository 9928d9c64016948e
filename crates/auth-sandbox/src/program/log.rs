//! Lines on standard error that never hold up a request: if nobody reads them, they are dropped and
//! counted.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// How many lines wait for a reader.
const WAITING: usize = 1024;
/// How long the end of the program waits for the last lines.
const PATIENCE: Duration = Duration::from_millis(200);

/// The writing end.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    lines: SyncSender<String>,
    lost: Arc<AtomicU64>,
}

impl Log {
    /// Starts the thread that writes. What is received at the end of the log says that all is written.
    pub(crate) fn start() -> io::Result<(Self, Receiver<()>)> {
        let (lines, waiting) = sync_channel::<String>(WAITING);
        let (end, ended) = sync_channel(1);
        let lost = Arc::new(AtomicU64::new(0));
        let gone = Arc::clone(&lost);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || {
            for line in waiting {
                let lost = gone.swap(0, Ordering::Relaxed);
                let mut out = io::stderr().lock();
                // A reader that is gone wants no more.
                if lost > 0 {
                    let _ = writeln!(out, "{lost} lines were dropped: nobody read standard error");
                }
                let _ = writeln!(out, "{line}");
            }
            let _ = end.send(());
        })?;
        Ok((Self { lines, lost }, ended))
    }

    /// Writes a line, unless too many wait.
    pub(crate) fn line(&self, line: String) {
        if self.lines.try_send(line).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Gives the last lines a moment.
pub(crate) fn finish(ended: &Receiver<()>) {
    let _ = ended.recv_timeout(PATIENCE);
}

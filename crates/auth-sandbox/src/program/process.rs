//! What the program is to its system: a process that ends when told to, as process 1 too, and that
//! leaves no dead children behind.

use std::io;

/// Waits for Ctrl-C or SIGTERM.
pub(crate) fn wait_for_the_end() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(ended())
}

#[cfg(unix)]
async fn ended() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    // The kernel delivers no signal to process 1 that it has no handler for.
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut child = signal(SignalKind::child())?;
    // Those that ended before there was a handler.
    reap();
    loop {
        tokio::select! {
            _ = term.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = child.recv() => reap(),
        }
    }
}

/// Process 1 inherits orphans. This program has no children of its own that it waits for.
#[cfg(unix)]
fn reap() {
    use rustix::process::{WaitOptions, wait};

    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}

#[cfg(not(unix))]
async fn ended() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// Allows as many connections as the system will: a thousand stalled ones are as many files.
pub(crate) fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};

        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        // Where it may not, the old limit will do.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

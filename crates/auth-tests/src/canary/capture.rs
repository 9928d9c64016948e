//! Whatever the process says: `tracing` at `TRACE`, the `log` crate, and panics.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::filter::LevelFilter;

/// Keeps every line that any crate of the process logs, and every panic's text.
///
/// `tracing` and `log` are two systems: hyper speaks through the first, reqwest and rustls through
/// the second.
#[derive(Clone, Debug, Default)]
pub struct Capture(Arc<Mutex<Vec<u8>>>);

impl Capture {
    /// Begins for the whole process.
    ///
    /// # Panics
    /// Where somebody else captures already.
    #[must_use]
    pub fn begin() -> Self {
        let capture = Self::default();
        let writer = capture.clone();
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        log::set_boxed_logger(Box::new(capture.clone())).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        let (writer, before) = (capture.clone(), std::panic::take_hook());
        std::panic::set_hook(Box::new(move |panic| {
            writer.line(&format!("a panic: {panic} {panic:?}"));
            before(panic);
        }));
        capture
    }

    /// All that was said until now, which is then forgotten.
    #[must_use]
    pub fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn line(&self, text: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(text.as_bytes());
        kept.push(b'\n');
    }
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl log::Log for Capture {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.line(&format!("log {} {}: {}", record.level(), record.target(), record.args()));
    }

    fn flush(&self) {}
}

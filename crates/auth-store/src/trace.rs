//! What is logged: never a secret, a token or an account. Without the feature `tracing` nothing.

use std::time::Duration;

use auth_core::{Claim, Error};

/// Logs that the store does not answer: once an outage.
#[cfg(feature = "tracing")]
pub(crate) fn unavailable(error: &Error, pause: Duration) {
    let retry_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    tracing::warn!(
        "error.type" = ?error.kind(),
        retry_in_ms,
        "the token store failed, so this process asks the provider itself meanwhile: {error}"
    );
}

/// Logs that a server was not reached when its store was opened.
#[cfg(all(feature = "redis-1", feature = "tracing"))]
pub(crate) fn not_reached(error: &Error) {
    tracing::warn!("error.type" = ?error.kind(), "opened without its server: {error}");
}

/// Logs what a claim was answered.
#[cfg(feature = "tracing")]
pub(crate) fn claimed(provider: &'static str, claim: &Claim) {
    let answer = match claim {
        Claim::Token(_) => "token",
        Claim::Lease(_) => "lease",
        Claim::Held { .. } => "held",
        Claim::Refused { .. } => "refused",
        _ => "unavailable",
    };
    tracing::debug!(provider, answer, "token store claim");
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn unavailable(_: &Error, _: Duration) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn claimed(_: &'static str, _: &Claim) {}

#[cfg(all(feature = "redis-1", not(feature = "tracing")))]
pub(crate) fn not_reached(_: &Error) {}

#[cfg(feature = "tracing")]
#[cfg(test)]
pub(crate) mod tests {
    use std::fmt::{Debug, Write as _};
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    /// The events of a thread, as lines.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

    impl Log {
        pub(crate) fn lines(&self) -> Vec<String> {
            self.0.lock().unwrap().clone()
        }
    }

    struct Line(String);

    impl Visit for Line {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            let _ = write!(self.0, " {}={value:?}", field.name());
        }
    }

    impl Subscriber for Log {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            let mut line = Line(event.metadata().level().to_string());
            event.record(&mut line);
            self.0.lock().unwrap().push(line.0);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }
}

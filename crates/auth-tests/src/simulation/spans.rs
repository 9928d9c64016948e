//! Tells which flight is being polled: the engine runs each flight in its own tracing span, and
//! this subscriber numbers the spans. So the engine needs no hook for the simulation.

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::truth::Shared;

/// Reports each flight to the [`Truth`](super::truth::Truth): first poll, enter, exit and end.
pub(super) struct Spans(pub(super) Shared);

impl Subscriber for Spans {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.0.lock().flight_begins())
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, span: &Id) {
        self.0.lock().entered.push(span.into_u64());
    }

    fn exit(&self, _: &Id) {
        self.0.lock().entered.pop();
    }

    fn try_close(&self, span: Id) -> bool {
        self.0.lock().flight_ends(span.into_u64());
        true
    }
}

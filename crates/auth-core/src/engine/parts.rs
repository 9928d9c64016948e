//! The client, clock, policies and jitter of a source.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::jitter::Jitter;
use crate::clock::SourceClock;
use crate::http::HttpClient;
use crate::policy::{RefreshPolicy, RetryPolicy};

/// What the builder was given; it does not change for the life of the source. And what it counts.
pub(super) struct Parts {
    pub(super) http_client: Arc<dyn HttpClient>,
    pub(super) clock: SourceClock,
    pub(super) refresh: RefreshPolicy,
    pub(super) retry: RetryPolicy,
    pub(super) jitter: Jitter,
    /// Requests sent.
    pub(super) requests: AtomicU64,
}

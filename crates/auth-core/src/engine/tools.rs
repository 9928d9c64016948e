//! The parts that a source is built with.

use std::sync::Arc;

use super::jitter::Jitter;
use crate::clock::SourceClock;
use crate::http::HttpClient;
use crate::policy::{RefreshPolicy, RetryPolicy};

/// What a source works with, the same for its whole life.
#[derive(Debug)]
pub(super) struct Tools {
    pub(super) http_client: Arc<dyn HttpClient>,
    pub(super) clock: SourceClock,
    pub(super) refresh: RefreshPolicy,
    pub(super) retry: RetryPolicy,
    pub(super) jitter: Jitter,
}

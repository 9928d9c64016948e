//! The client, clock, policies and jitter of a source.

use std::sync::Arc;

use super::jitter::Jitter;
use super::report::Report;
use crate::clock::SourceClock;
use crate::http::HttpClient;
use crate::policy::{RefreshPolicy, RetryPolicy};
use crate::store::TokenStore;

/// What the builder was given; it does not change for the life of the source.
pub(super) struct Parts {
    pub(super) http_client: Arc<dyn HttpClient>,
    pub(super) clock: SourceClock,
    pub(super) refresh: RefreshPolicy,
    pub(super) retry: RetryPolicy,
    pub(super) jitter: Jitter,
    pub(super) report: Report,
    /// Shared with other processes.
    pub(super) store: Option<Arc<dyn TokenStore>>,
}

//! Metrics over the `metrics` facade: an observer that counts and measures.

use std::sync::OnceLock;
use std::time::SystemTime;

use metrics::{Counter, Unit, counter, describe_counter, describe_gauge, describe_histogram};
use metrics::{gauge, histogram};

use crate::observer::{Event, Observer, Read};

/// Requests to providers, by `provider` and `outcome`: `granted`, or the kind of the error.
const REQUESTS: &str = "auth_token_requests_total";
const LATENCY: &str = "auth_token_request_duration_seconds";
const READS: &str = "auth_token_reads_total";
const EXPIRY: &str = "auth_token_expiry_timestamp_seconds";
const ADOPTED: &str = "auth_token_adoptions_total";
const REMEMBERED: &str = "auth_token_failures_remembered_total";

/// Reports what a source does to the [`metrics`] facade. With the feature `metrics` every source
/// without an observer of its own has one.
///
/// | name | kind | labels | |
/// |---|---|---|---|
/// | `auth_token_requests_total` | counter | `provider`, `outcome` | requests; `outcome` is `granted` or an [`ErrorKind`](crate::ErrorKind) |
/// | `auth_token_request_duration_seconds` | histogram | `provider`, `outcome` | how long they took |
/// | `auth_token_reads_total` | counter | `provider`, `read` | calls for a token: `fresh`, `stale` or `waited` |
/// | `auth_token_expiry_timestamp_seconds` | gauge | `provider` | when the last token expires, as Unix time: subtract the time now |
/// | `auth_token_adoptions_total` | counter | `provider` | tokens that another process got, taken from the store |
/// | `auth_token_failures_remembered_total` | counter | `provider`, `kind` | failures that callers get at once for a while |
///
/// No label names an account, so the number of series is bounded: sources of one provider share
/// theirs, and the gauge has the token that was granted last.
///
/// Install the recorder before the first token is fetched: reads go to the recorder of that moment.
///
/// ```
/// use auth_core::{Event, MetricsObserver, Observer};
///
/// /// The facade, and a counter of your own beside it.
/// #[derive(Debug, Default)]
/// struct Both(MetricsObserver);
///
/// impl Observer for Both {
///     fn observe(&self, provider: &'static str, event: &Event) {
///         self.0.observe(provider, event);
///         // ...
///     }
/// }
/// ```
#[derive(Default)]
pub struct MetricsObserver {
    /// By [`Read`], for the first provider. Made once: looking a counter up allocates.
    reads: OnceLock<(&'static str, [Counter; 3])>,
}

impl std::fmt::Debug for MetricsObserver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MetricsObserver")
    }
}

impl Observer for MetricsObserver {
    fn observe(&self, provider: &'static str, event: &Event) {
        match event {
            Event::Read(read) => match self.reads.get() {
                Some((first, [fresh, stale, waited])) if *first == provider => match read {
                    Read::Fresh => fresh.increment(1),
                    Read::Stale => stale.increment(1),
                    Read::Waited => waited.increment(1),
                },
                _ => reads(provider, *read).increment(1),
            },
            Event::Request { outcome, latency } => {
                let outcome = match outcome {
                    Ok(()) => "granted".to_owned(),
                    Err(kind) => kind.to_string(),
                };
                counter!(REQUESTS, "provider" => provider, "outcome" => outcome.clone())
                    .increment(1);
                histogram!(LATENCY, "provider" => provider, "outcome" => outcome)
                    .record(latency.as_secs_f64());
            }
            Event::Granted { expires_at } | Event::Adopted { expires_at } => {
                self.reads.get_or_init(|| {
                    describe();
                    let all = [Read::Fresh, Read::Stale, Read::Waited];
                    (provider, all.map(|read| reads(provider, read)))
                });
                let end =
                    expires_at.and_then(|end| end.duration_since(SystemTime::UNIX_EPOCH).ok());
                if let Some(end) = end {
                    gauge!(EXPIRY, "provider" => provider).set(end.as_secs_f64());
                }
                if let Event::Adopted { .. } = event {
                    counter!(ADOPTED, "provider" => provider).increment(1);
                }
            }
            Event::Remembered { kind, .. } => {
                counter!(REMEMBERED, "provider" => provider, "kind" => kind.to_string())
                    .increment(1);
            }
        }
    }
}

fn reads(provider: &'static str, read: Read) -> Counter {
    counter!(READS, "provider" => provider, "read" => read.as_str())
}

fn describe() {
    describe_counter!(REQUESTS, "Requests to token endpoints.");
    describe_histogram!(LATENCY, Unit::Seconds, "How long requests to token endpoints took.");
    describe_counter!(READS, "Calls for a token: fresh, stale or waited.");
    describe_gauge!(EXPIRY, Unit::Seconds, "When the last token expires, as Unix time.");
    describe_counter!(ADOPTED, "Tokens of other processes, taken from the store.");
    describe_counter!(REMEMBERED, "Failures that callers get at once for a while.");
}

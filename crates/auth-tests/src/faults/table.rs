//! The expected outcome of each fault.
//!
//! Every row follows from these rules:
//!
//! 1. Nothing was sent: `Connect`, and retried. Sent, but no complete answer: `Timeout` or
//!    `Unavailable`, and retried if a second request does no harm.
//! 2. An answer that is not HTTP, or a success without a token: `Protocol`, sent once.
//! 3. A refusal is classified by its status: 401 `Credentials`; 429 `RateLimited`; 408, 425 and 5xx
//!    `Unavailable`; other 4xx `Request`; redirects and other 2xx `Protocol`. Its body gets one
//!    second, and changes the kind only if the provider's own codes are more precise. A 403 that is
//!    not JSON comes from a gateway: `Protocol`.
//! 4. Transient failures are retried within the flight, rejections and refusals never. A
//!    `Retry-After` that does not fit into the flight ends it, and so does a 429 without one.
//! 5. At first an outage is remembered for 500 to 750 ms, a 429 without `Retry-After` for 5 s, a
//!    `Retry-After` as stated, up to an hour, a rejection for 30 s.

mod answers;
mod wire;

use super::rule::Row;

/// Every row.
#[must_use]
pub fn rows() -> Vec<Row> {
    [wire::rows(), answers::rows()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_have_the_same_name() {
        let mut names: Vec<_> = rows().iter().map(|row| row.what).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}

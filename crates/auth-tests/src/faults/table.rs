//! What each fault must become.
//!
//! The rules, from which every line follows:
//!
//! 1. Nothing was sent: `Connect`, and sent again. Sent, and no whole answer: `Timeout` or
//!    `Unavailable`, and sent again where a second request does no harm.
//! 2. Answered, and not in HTTP, or with a success that is no token: `Protocol`, sent once.
//! 3. A refusal is told by its status: 401 `Credentials`; 429 `RateLimited`; 408, 425 and 5xx
//!    `Unavailable`; other 4xx `Request`; redirects and other 2xx `Protocol`. Its body gets one second and
//!    changes the kind only where a provider's own codes say more. A 403 that is no JSON is a
//!    gateway's: `Protocol`.
//! 4. What can pass is sent again within the flight; what was rejected or refused never is; a wait
//!    that was asked for and does not fit into the flight ends it; a 429 without one does too.
//! 5. An outage is remembered for 500 to 750 ms at first, a throttle without a stated wait for 5 s,
//!    a stated wait as stated and for an hour at most, a rejection for 30 s.

mod answers;
mod wire;

use super::rule::Row;

/// Every line.
#[must_use]
pub fn rows() -> Vec<Row> {
    [wire::rows(), answers::rows()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lines_have_one_name() {
        let mut names: Vec<_> = rows().iter().map(|row| row.what).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}

//! One exchange: its attempts, the pauses between them, and the deadline over all of it.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::header::{CONNECTION, HeaderValue};

use super::parts::Parts;
use super::rule::Rule;
use crate::clock::{Clock as _, within};
use crate::error::{Error, ErrorKind};
use crate::exchange::TokenExchange;
use crate::http::BODY_LIMIT;
use crate::policy::RetryPolicy;
use crate::response::TokenResponse;
use crate::term::{Lifetime, ServerTime, Term, TokenState};
use crate::token::Token;

/// The pause before asking again when the provider answers with the expired token that this source
/// already held: some return the old token up to its last second, and the next one a moment later.
const REPEATED_PAUSE: Duration = Duration::from_millis(250);
/// How long such answers are retried.
const REPEATED_LIMIT: Duration = Duration::from_secs(2);

/// An attempt that yielded no token.
struct Failed {
    error: Error,
    /// The answer was the expired token that this source already held.
    is_repeated: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, is_repeated: false }
    }
}

/// How a flight may ask.
#[derive(Clone)]
pub(super) struct Attempts {
    pub(super) parts: Arc<Parts>,
    /// When the flight began, on the monotonic clock: its deadline counts from here.
    pub(super) began: Duration,
    /// The most requests.
    pub(super) most: u32,
    /// The last token of the source.
    pub(super) held: Arc<Token>,
}

/// Asks for a token, within the limits of `attempts` and the policy's deadline.
pub(super) async fn fly<E: TokenExchange>(
    exchange: &E,
    (method, host): &(Method, Arc<str>),
    attempts: Attempts,
) -> Result<Token, Error> {
    let tries = try_often(exchange, &attempts);
    let told = attempts.parts.report.exchange(method, host, tries);
    told.await
}

async fn try_often<E: TokenExchange>(exchange: &E, attempts: &Attempts) -> Result<Token, Error> {
    let Attempts { parts, began, most, held } = attempts;
    let policy = &parts.retry;
    let spent = || parts.clock.monotonic().saturating_sub(*began);
    let mut attempt = 1;
    loop {
        // One timer per attempt covers both limits: the attempt's own and the rest of the flight's.
        let limit = policy.attempt_timeout.min(policy.deadline.saturating_sub(spent()));
        let sent = parts.clock.monotonic();
        let failed = match try_once(exchange, parts, attempt, limit, held).await {
            Ok(token) => return Ok(token),
            Err(failed) => failed,
        };
        let latency = parts.clock.monotonic().saturating_sub(sent);
        parts.report.refused(failed.error.kind(), latency);
        if failed.is_repeated && spent() < REPEATED_LIMIT {
            parts.clock.sleep(REPEATED_PAUSE).await;
            continue;
        }
        let error = parts.report.sign(failed.error);
        let is_last = attempt >= *most;
        let pause = if is_last {
            None
        } else {
            pause(policy, &error, attempt, spent(), parts.jitter.draw())
        };
        parts.report.failed(attempt, &error, pause);
        let Some(pause) = pause else {
            return Err(error);
        };
        parts.clock.sleep(pause).await;
        attempt += 1;
    }
}

async fn try_once<E: TokenExchange>(
    exchange: &E,
    parts: &Parts,
    attempt: u32,
    limit: Duration,
    held: &Token,
) -> Result<Token, Failed> {
    let began = parts.clock.now();
    let mut request = exchange.request()?;
    if !parts.retry.resend_unanswered {
        // On a pooled connection the request may fail because the server closed it just then. Only
        // a resend fixes that, and this flow must not be sent twice (see `HttpClient`).
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let asked = request.uri().clone();
    let about = |error: Error| error.with_endpoint(&asked);
    parts.report.sends();
    let sent = within(&parts.clock, limit, parts.http_client.send(request));
    let answer = match sent.await {
        Some(answer) => answer.map_err(about)?,
        None => {
            // What is left of a deadline is no round figure, and nobody needs its nanoseconds.
            let tenths = (limit.as_secs_f64() * 10.0).round() / 10.0;
            let limit = if tenths < 1.0 { limit } else { Duration::from_secs_f64(tenths) };
            let text =
                format!("no answer in {limit:?}: check the network and the provider's status");
            return Err(about(Error::new(ErrorKind::Timeout, text)).into());
        }
    };
    let response = TokenResponse::new(answer, parts.clock.wall());
    let status = response.status();
    let about = |error: Error| about(error).with_status(status);
    // For errors the status is enough; only a 2xx body must fit.
    if status.is_success() && response.body().len() > BODY_LIMIT {
        let text = "the answer is longer than 64 KiB, so it is not a token response";
        return Err(about(Error::protocol(text)).into());
    }
    let grant = exchange.grant(&response).map_err(about)?;
    for &warning in grant.warnings() {
        parts.report.remark(warning);
    }
    let is_repeated = held.is_repeated_by(&grant);
    let ended = |error| Failed { error: about(error), is_repeated };
    let server = ServerTime { now: response.server_time(), age: response.age() };
    let cap = exchange.refresh_policy().max_age;
    let lifetime = Lifetime::of(&grant, server, &parts.refresh, cap).map_err(ended)?;
    if let Some(warning) = lifetime.warning {
        parts.report.remark(warning);
    }
    let term = Term::new(lifetime.span, lifetime.span, began, &parts.refresh, parts.jitter.draw());
    let token = Token::new(grant, term).map_err(ended)?;
    if token.term.state(parts.clock.now()) == TokenState::Expired {
        let text = "the token expired before it arrived: check the network";
        return Err(ended(Error::protocol(text)));
    }
    let latency = parts.clock.monotonic().saturating_sub(began.monotonic);
    parts.report.granted(attempt, status.as_u16(), lifetime.span, latency, &token.term);
    Ok(token)
}

/// How long to wait before the next attempt; `None` if there should be none. `draw` is a random
/// number between 0 and 1.
fn pause(
    policy: &RetryPolicy,
    error: &Error,
    attempt: u32,
    spent: Duration,
    draw: f64,
) -> Option<Duration> {
    if !Rule::of(error, policy).again {
        return None;
    }
    let drawn = policy.ceiling(attempt).mul_f64(draw.clamp(0.0, 1.0));
    let asked = error.retry_after().unwrap_or_default();
    let pause = drawn.max(asked);
    // If the wait is longer than the rest of the flight, or the provider asked for a long one, the
    // callers get the error with `retry_after` now instead of waiting.
    let fits =
        asked <= policy.retry_after_in_flight && spent.saturating_add(pause) < policy.deadline;
    fits.then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    #[test]
    fn a_wait_longer_than_the_rest_of_the_flight_is_returned_and_not_waited_for() {
        let asked = |s| {
            Error::new(ErrorKind::RateLimited, "x")
                .with_status(StatusCode::TOO_MANY_REQUESTS)
                .with_retry_after(Duration::from_secs(s))
        };
        let policy = RetryPolicy::default();
        assert!(
            pause(&policy, &asked(3), 1, Duration::ZERO, 0.5).unwrap() >= Duration::from_secs(3)
        );
        assert_eq!(pause(&policy, &asked(3), 1, Duration::from_secs(28), 0.5), None);
        let rest = |rest| policy.deadline - Duration::from_millis(rest);
        assert_eq!(pause(&policy, &asked(3), 1, rest(3_000), 0.0), None);
        assert_eq!(pause(&policy, &asked(3), 1, rest(3_001), 0.0), Some(Duration::from_secs(3)));
        assert_eq!(pause(&policy, &asked(61), 1, Duration::ZERO, 0.5), None);
        let patient = policy.deadline(Duration::from_secs(600));
        assert_eq!(pause(&patient, &asked(61), 1, Duration::ZERO, 0.5), None);
        assert!(pause(&patient, &asked(60), 1, Duration::ZERO, 0.5).is_some());
    }
}

//! One cell of the matrix: one fault, one provider, one state, on real sockets.
//!
//! Time on the sockets is real; a fault that runs into a limit gets the short [`Takes::LIMIT`].
//! Between two calls the source's clock is stopped or moved forward, so that no test waits for a
//! pause to end.

use std::future::Future;
use std::time::Duration;

use auth_core::{AccessToken, Clock as _, Error, ErrorKind, SystemClock, TokenState};
use auth_sandbox::Provider;

use super::check;
use super::place::Place;
use super::rule::{Expected, Memory, Outcome, Row, State, Takes, Trouble};
use crate::flows::Shape;

/// At this age a token of an hour is stale, and usable for more than a minute.
const STALE_AFTER: Duration = Duration::from_secs(3_450);
/// How much longer anything may take on a busy machine.
const SLACK: Duration = Duration::from_secs(3);
/// How much of a pause may have passed before the source's clock was stopped.
const DRIFT: Duration = Duration::from_millis(400);
/// The longest that a call without a request may take. Less than [`Takes::LIMIT`].
const AT_ONCE: Duration = Duration::from_millis(200);
/// Added to a pause, so that it is surely over.
const MOMENT: Duration = Duration::from_millis(100);
/// If no attempt followed in this time, none will.
const SETTLED: Duration = Duration::from_millis(50);

/// The result of a cell that matched the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// `Token`, or the kind of error.
    pub outcome: String,
    /// Requests in the flight that met the fault.
    pub requests: usize,
    /// How long that flight took; zero if it ran in the background.
    pub took: Duration,
}

/// Causes the fault and compares the outcome with the table.
///
/// # Errors
/// The first difference, in one line.
pub async fn run(row: &Row, provider: Provider, state: State) -> Result<Found, String> {
    let mut place = Place::set_up(row, provider, Shape::Usual, None).await;
    let expected = row.expected(provider);
    let found = match state {
        State::Cold => place.meet(row, expected, None).await,
        State::Stale => place.meet_stale(row, expected).await,
        State::Refused => {
            let old = place.good_token().await?;
            place.handle.revoke_tokens();
            place.check_api(&old, 401).await?;
            place.source.invalidate(&old);
            check(place.source.state() == TokenState::Expired, || "it is still there".to_owned())?;
            place.meet(row, expected, Some(old)).await
        }
    };
    let strays = place.handle.counters().stray_requests;
    check(strays == 0, || format!("{strays} requests went to another path"))?;
    found
}

impl Place {
    /// A caller without a usable token calls during the fault, again while the failure is
    /// remembered, and after the fault is over.
    async fn meet(
        &mut self,
        row: &Row,
        expected: Expected,
        old: Option<AccessToken>,
    ) -> Result<Found, String> {
        let tries = expected.tries.of(self.handle.provider());
        self.begin(row);
        let (sent, arrived) = (self.client.sent(), self.arrived());
        let (outcome, took) = timed(self.source.token()).await;
        self.clock.hold();
        let requests = self.client.sent() - sent;
        check(requests == tries, || format!("{requests} requests, not {tries}: {outcome:?}"))?;
        if !matches!(row.trouble, Trouble::Refused | Trouble::NoTls) {
            let arrived = self.arrived() - arrived;
            check(arrived == tries, || format!("{arrived} of {tries} requests arrived"))?;
        }
        let least = row.takes.least() * u32::try_from(tries).unwrap();
        check(took + Duration::from_millis(20) >= least, || format!("{took:?}, not {least:?}"))?;
        check(took <= least + SLACK, || format!("took {took:?}, not {least:?}"))?;
        let found = Found { outcome: named(&outcome), requests, took };
        match expected.outcome {
            Outcome::Token => self.check_token(outcome, old.as_ref()).await?,
            Outcome::Error(kind) => {
                let error = failed(outcome, kind)?;
                let asked = error.retry_after();
                let right = match expected.memory {
                    Memory::Asked(seconds) => asked.is_some_and(|wait| is_about(wait, seconds)),
                    Memory::Outage if tries > 1 => asked.unwrap_or_default().is_zero(),
                    _ => asked.is_none(),
                };
                check(right, || format!("the first error asks to wait for {asked:?}"))?;
                self.check_memory(kind, expected.memory, took).await?;
            }
        }
        self.check_recovery(expected.memory, took, old.as_ref()).await?;
        Ok(found)
    }

    /// A token was granted despite the fault, and the next caller gets it too.
    async fn check_token(
        &self,
        outcome: Result<AccessToken, Error>,
        old: Option<&AccessToken>,
    ) -> Result<(), String> {
        let token = outcome.map_err(|error| format!("{:?}: {error}", error.kind()))?;
        check(old.is_none_or(|old| !old.ptr_eq(&token)), || "the refused token".to_owned())?;
        let sent = self.client.sent();
        let again = self.source.token().await.map_err(|error| error.to_string())?;
        check(again.ptr_eq(&token) && self.client.sent() == sent, || "it is not kept".to_owned())?;
        self.check_api(&token, 200).await
    }

    /// The failure is returned again without a request, with the time that is left.
    async fn check_memory(
        &self,
        kind: ErrorKind,
        memory: Memory,
        took: Duration,
    ) -> Result<(), String> {
        let sent = self.client.sent();
        let (again, waited) = timed(self.source.token()).await;
        let error = failed(again, kind).map_err(|text| format!("asked again: {text}"))?;
        check(self.client.sent() == sent, || "it is not remembered".to_owned())?;
        check(waited <= AT_ONCE, || format!("remembered, but returned after {waited:?}"))?;
        let (least, most) = memory.bounds(took);
        if kind.is_retryable() {
            let left = error.retry_after().unwrap_or_default();
            let fits = left <= most && left + DRIFT >= least && !left.is_zero();
            check(fits, || format!("{left:?} left of {least:?} to {most:?}"))?;
        } else {
            let left = error.retry_after();
            check(left.is_none(), || format!("asks to wait for {left:?}, which fixes nothing"))?;
        }
        Ok(())
    }

    /// Until its pause is over the failure is returned; the next call gets a token.
    async fn check_recovery(
        &mut self,
        memory: Memory,
        took: Duration,
        old: Option<&AccessToken>,
    ) -> Result<(), String> {
        if memory == Memory::Token {
            return Ok(());
        }
        self.end();
        let (least, most) = memory.bounds(took);
        let sent = self.client.sent();
        self.move_on(least - DRIFT);
        let early = self.source.token().await.is_ok() || self.client.sent() > sent;
        check(!early, || format!("asked again before {least:?} had passed"))?;
        self.move_on(most - (least - DRIFT) + MOMENT);
        let token = self.source.token().await;
        let token = token.map_err(|error| format!("{most:?} later, still: {error}"))?;
        let probes = self.client.sent() - sent;
        check(probes == 1, || format!("{probes} requests after the pause"))?;
        check(old.is_none_or(|old| !old.ptr_eq(&token)), || "the refused token".to_owned())?;
        check(self.source.state() == TokenState::Fresh, || {
            "the new token is not fresh".to_owned()
        })?;
        self.check_api(&token, 200).await
    }

    /// A caller with a stale token gets it during the fault, at once.
    async fn meet_stale(&mut self, row: &Row, expected: Expected) -> Result<Found, String> {
        let tries = expected.tries.of(self.handle.provider());
        let old = self.good_token().await?;
        self.move_on(STALE_AFTER);
        check(self.source.state() == TokenState::Stale, || "the token is not stale".to_owned())?;
        self.begin(row);
        let (sent, arrived) = (self.client.sent(), self.arrived());
        self.serves(&old).await?;
        let took = self.settle(sent + tries, row.takes).await;
        let requests = self.client.sent() - sent;
        check(requests == tries, || format!("{requests} background requests, not {tries}"))?;
        if !matches!(row.trouble, Trouble::Refused | Trouble::NoTls) {
            let arrived = self.arrived() - arrived;
            check(arrived == tries, || format!("{arrived} of {tries} requests arrived"))?;
        }
        if expected.outcome == Outcome::Token {
            let token = self.source.token().await;
            self.check_token(token, Some(&old)).await?;
            return Ok(Found { outcome: "Token".to_owned(), requests, took: Duration::ZERO });
        }
        // During the pause: still the old token, and no request.
        self.serves(&old).await?;
        tokio::time::sleep(SETTLED).await;
        check(self.client.sent() == sent + tries, || "asked again in the pause".to_owned())?;
        self.end();
        let (_, pause) = expected.memory.bounds(took);
        self.move_on(pause + MOMENT);
        if self.source.state() == TokenState::Stale {
            self.serves(&old).await?;
            self.settle(sent + tries + 1, Takes::NoTime).await;
        }
        let token = self.source.token().await.map_err(|error| format!("afterwards: {error}"))?;
        check(!token.ptr_eq(&old), || "the old token stays after the fault".to_owned())?;
        let probes = self.client.sent() - sent - tries;
        check(probes == 1, || format!("{probes} requests after the pause"))?;
        self.check_api(&token, 200).await?;
        let Outcome::Error(kind) = expected.outcome else { unreachable!() };
        Ok(Found { outcome: format!("{kind:?}"), requests, took: Duration::ZERO })
    }

    /// The call returns the old token at once.
    async fn serves(&self, old: &AccessToken) -> Result<(), String> {
        let (token, took) = timed(self.source.token()).await;
        let token = token.map_err(|error| format!("a good token is not served: {error}"))?;
        check(token.ptr_eq(old), || "another token while the fault lasts".to_owned())?;
        check(took <= AT_ONCE, || format!("the good token came after {took:?}"))
    }

    /// Waits until this many requests are over and the background flight has landed. Returns how
    /// long that took.
    async fn settle(&self, over: usize, takes: Takes) -> Duration {
        let began = SystemClock.monotonic();
        let took = || SystemClock.monotonic() - began;
        while self.client.over() < over && took() < takes.least() * 3 + SLACK {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let landed = took();
        tokio::time::sleep(SETTLED).await;
        self.clock.hold();
        landed
    }
}

async fn timed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let began = SystemClock.monotonic();
    let output = future.await;
    (output, SystemClock.monotonic() - began)
}

/// Whether a wait is this many seconds, minus the time that has passed since.
fn is_about(wait: Duration, seconds: u64) -> bool {
    let asked = Duration::from_secs(seconds);
    wait <= asked && wait + SLACK >= asked
}

fn named(outcome: &Result<AccessToken, Error>) -> String {
    outcome.as_ref().map_or_else(|error| format!("{:?}", error.kind()), |_| "Token".to_owned())
}

fn failed(outcome: Result<AccessToken, Error>, kind: ErrorKind) -> Result<Error, String> {
    match outcome {
        Ok(_) => Err(format!("a token, not {kind:?}")),
        Err(error) if error.kind() == kind => Ok(error),
        Err(error) => Err(format!("{:?}, not {kind:?}: {error}", error.kind())),
    }
}

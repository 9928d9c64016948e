//! The answers of the simulated endpoint: tokens, and every failure that the sandbox knows.

use std::time::{Duration, SystemTime};

use auth_core::{BODY_LIMIT, Bytes, Error, ErrorKind, HttpResponse};
use http::header::{DATE, RETRY_AFTER};

use super::flights::Stage;
use super::flow::{ENDS_AT, PANICS};
use super::truth::{Moment, Promise, Token, Truth};

/// How the provider answers at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Well,
    /// Quickly, with tokens of five minutes.
    Fine,
    /// Always with this answer.
    Ill(Answer),
    /// With a random answer each time.
    Mixed,
}

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A token of this many seconds.
    Token(u64),
    /// A token whose expiry is an instant, on a clock that is this many seconds off.
    TokenUntil(u64, i64),
    /// The last token again, with the time left of it.
    Repeat,
    /// A status, with `Retry-After` in seconds or garbage.
    Status(u16, &'static str),
    /// 200 with a body without a token.
    Body(Odd),
    Connect,
    Reset,
    ClientTimeout,
    Hang,
    ClientPanics,
    FlowPanics,
}

/// A 200 without a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    Page,
    Garbage,
    Truncated,
    Oversize,
    Refusal,
    NoToken,
}

const ILLS: [Answer; 30] = [
    Answer::Status(400, ""),
    Answer::Status(401, ""),
    Answer::Status(401, "7"),
    Answer::Status(403, ""),
    Answer::Status(404, ""),
    Answer::Status(302, ""),
    Answer::Status(408, ""),
    Answer::Status(425, ""),
    Answer::Status(429, ""),
    Answer::Status(429, "0"),
    Answer::Status(429, "1.5"),
    Answer::Status(429, "3"),
    Answer::Status(429, "90"),
    Answer::Status(429, "99999999999"),
    Answer::Status(429, "soon"),
    Answer::Status(500, ""),
    Answer::Status(503, ""),
    Answer::Status(503, "2"),
    Answer::Status(503, "61"),
    Answer::Body(Odd::Page),
    Answer::Body(Odd::Garbage),
    Answer::Body(Odd::Truncated),
    Answer::Body(Odd::Oversize),
    Answer::Body(Odd::Refusal),
    Answer::Body(Odd::NoToken),
    Answer::Connect,
    Answer::Reset,
    Answer::ClientTimeout,
    Answer::ClientPanics,
    Answer::FlowPanics,
];

const LIVES: [u64; 9] = [0, 1, 2, 5, 8, 60, 300, 300, 3_600];

/// An answer that failed, or the pieces of one that the flow reads.
pub(super) type Outcome = Result<HttpResponse, Error>;

impl Mood {
    pub(super) fn draw(rng: &mut fastrand::Rng) -> Self {
        match rng.u8(0..10) {
            0..4 => Self::Well,
            4..7 => Self::Mixed,
            7 => Self::Ill(Answer::Hang),
            _ => Self::Ill(ill(rng)),
        }
    }
}

fn ill(rng: &mut fastrand::Rng) -> Answer {
    ILLS.get(rng.usize(0..ILLS.len())).copied().unwrap_or(Answer::Hang)
}

fn token(rng: &mut fastrand::Rng) -> Answer {
    let life = LIVES.get(rng.usize(0..LIVES.len())).copied().unwrap_or(300);
    match rng.u8(0..8) {
        0 => Answer::TokenUntil(life.max(20), rng.i64(-3_600..3_600)),
        1 => Answer::Repeat,
        _ => Answer::Token(life),
    }
}

impl Truth {
    /// Draws the next answer, and how long it takes.
    pub(super) fn next_answer(&mut self) -> (Answer, Duration) {
        let rng = &mut self.rng;
        let answer = match self.mood {
            Mood::Fine => return (Answer::Token(300), Duration::from_millis(rng.u64(0..50))),
            Mood::Well => token(rng),
            Mood::Ill(answer) => answer,
            Mood::Mixed => match rng.u8(0..8) {
                0..3 => token(rng),
                3 => Answer::Hang,
                _ => ill(rng),
            },
        };
        let latency = match rng.u8(0..10) {
            0..4 => 0,
            4..7 => rng.u64(1..50),
            7..9 => rng.u64(50..3_000),
            _ => rng.u64(3_000..40_000),
        };
        (answer, Duration::from_millis(latency))
    }

    /// Makes the answer to a request that was sent at `sent`, and the stage of its flight after it.
    pub(super) fn answer(
        &mut self,
        answer: Answer,
        number: u64,
        epoch: usize,
        sent: Moment,
    ) -> (Outcome, Stage) {
        let body = |text: String| HttpResponse::new(Bytes::from(text));
        let again = Some(self.now);
        match answer {
            Answer::Token(life) => {
                let text = grant(&self.name(number, epoch), life);
                (Ok(body(text)), self.granted(number, sent, life, life, epoch))
            }
            Answer::TokenUntil(life, skew) => {
                let mut response = body(grant(&self.name(number, epoch), 999_999));
                let since = self.wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                let date = since.as_secs().saturating_add_signed(skew);
                header(&mut response, DATE, httpdate::fmt_http_date(at(date)));
                header(&mut response, ENDS_AT, (date + life).to_string());
                (Ok(response), self.granted(number, sent, life - 1, life, epoch))
            }
            Answer::Repeat => {
                let Some((&last, held)) = self.tokens.last_key_value() else {
                    return self.answer(Answer::Token(300), number, epoch, sent);
                };
                let left = held.ends.saturating_sub(sent.monotonic).as_secs();
                if held.account != self.account_of(epoch) {
                    return self.answer(Answer::Token(300), number, epoch, sent);
                }
                let text = grant(&self.name(last, epoch), left);
                let stage = self.granted(last, sent, left, left, epoch);
                (Ok(body(text)), stage)
            }
            Answer::Status(status, wait) => {
                let text = format!(
                    r#"{{"error":"because","error_description":"credentials {epoch} were used"}}"#
                );
                let mut response = body(text);
                *response.status_mut() = status.try_into().unwrap_or_default();
                if !wait.is_empty() {
                    header(&mut response, RETRY_AFTER, wait.to_owned());
                }
                (Ok(response), self.refused(status, wait))
            }
            Answer::Body(odd) => {
                let text = match odd {
                    Odd::Page => "<html><form action=\"/login\">".to_owned(),
                    Odd::Garbage => "\u{1f}\u{8b}\0\u{7}".to_owned(),
                    Odd::Truncated => grant("t", 300).split_at(14).0.to_owned(),
                    Odd::Oversize => grant(&"x".repeat(BODY_LIMIT), 300),
                    Odd::Refusal => r#"{"error":"invalid_client"}"#.to_owned(),
                    Odd::NoToken => "{}".to_owned(),
                };
                let pause = if odd == Odd::Refusal { REJECTED } else { PASSING };
                (Ok(body(text)), self.failed(pause, "an answer that is no token", None))
            }
            Answer::Connect => (
                Err(Error::new(ErrorKind::Connect, "no connection")),
                self.failed(PASSING, "no connection", again),
            ),
            Answer::Reset => (
                Err(Error::new(ErrorKind::Unavailable, "the connection broke")),
                self.failed(PASSING, "the connection broke", again),
            ),
            Answer::ClientTimeout => (
                Err(Error::new(ErrorKind::Timeout, "no answer")),
                self.failed(PASSING, "the client timed out", again),
            ),
            Answer::FlowPanics => {
                let mut response = body(String::new());
                *response.status_mut() = PANICS.try_into().unwrap_or_default();
                (Ok(response), self.failed(REJECTED, "the flow panicked", None))
            }
            // The first never comes here, and the second panics after this.
            Answer::Hang | Answer::ClientPanics => {
                (Ok(body(String::new())), self.failed(REJECTED, "the client panicked", None))
            }
        }
    }

    /// The stage after a refusal, by the table in the documentation of `RetryPolicy`.
    fn refused(&self, status: u16, wait: &str) -> Stage {
        const HOUR: Duration = Duration::from_secs(3_600);
        let asked = wait.parse::<f64>().ok().map(|s| Duration::from_secs_f64(s.ceil()).min(HOUR));
        let (pause, passes) = match status {
            400 | 401 | 403 | 404 => (REJECTED, false),
            408 | 425 | 500 | 503 => (PASSING, true),
            429 if asked.is_none() => (Duration::from_secs(5), false),
            429 => (PASSING, true),
            _ => (PASSING, false),
        };
        let asked = asked.unwrap_or_default();
        let fits = asked <= Duration::from_secs(60);
        let again = (passes && fits).then_some(self.now + asked);
        self.failed(pause.max(asked), "a status that is remembered", again)
    }

    fn failed(&self, pause: Duration, why: &'static str, again: Option<Duration>) -> Stage {
        Stage::Failed { quiet: self.quiet(pause, why), again }
    }

    /// The stage after a token that lives between `least` and `most` seconds from the request on.
    fn granted(&mut self, number: u64, sent: Moment, least: u64, most: u64, epoch: usize) -> Stage {
        let life = |seconds| {
            let life = Duration::from_secs(seconds);
            let margin = (life / 20).min(Duration::from_secs(10)).max(Duration::from_millis(10));
            (life, life.saturating_sub(margin))
        };
        let ((least, usable), (most, longest)) = (life(least), life(most));
        let (until, latest) = (sent.plus(usable), sent.plus(longest));
        let account = self.account_of(epoch);
        let ends = sent.monotonic + most;
        let token = self.tokens.entry(number).or_insert(Token { account, until: latest, ends });
        token.until.monotonic = token.until.monotonic.max(latest.monotonic);
        token.until.wall = token.until.wall.max(latest.wall);
        if !self.is_before(latest) {
            let again = Some(self.now + Duration::from_millis(250));
            return self.failed(PASSING, "a token that ended on its way", again);
        }
        if !self.is_before(until) {
            return Stage::Unclear;
        }
        let window = (least / 5).min(Duration::from_secs(300));
        let fresh_until = sent.plus(least.saturating_sub(window).saturating_sub(window / 4));
        Stage::Granted(Promise { token: Some(number), fresh_until, until })
    }

    fn account_of(&self, epoch: usize) -> u8 {
        self.epochs.get(epoch).map_or(0, |epoch| epoch.account)
    }

    fn name(&self, number: u64, epoch: usize) -> String {
        format!("account-{}-token-{number}", self.account_of(epoch))
    }
}

/// How long a failure is remembered at least, by its sort.
const PASSING: Duration = Duration::from_millis(500);
const REJECTED: Duration = Duration::from_secs(30);

fn grant(token: &str, life: u64) -> String {
    format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{life}}}"#)
}

fn at(unix: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(unix)
}

fn header(response: &mut HttpResponse, name: http::HeaderName, value: String) {
    if let Ok(value) = value.try_into() {
        response.headers_mut().insert(name, value);
    }
}

//! The simulated provider: it mints tokens, is slow, fails, and refuses wrong secrets.

use std::time::Duration;

use auth_core::{
    Bytes, Endpoint, Error, ErrorKind, Grant, HttpClient, HttpRequest, HttpResponse, Identity,
    Scrubber, TokenExchange, TokenRequest, TokenResponse, async_trait, oauth2, wire,
};
use http::{HeaderName, HeaderValue};

use super::time::Sleep;
use super::truth::{Claimed, Minted, Point, Shared, Truth};

/// How the provider answers at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Well,
    /// Some answers take up to 8 s.
    Slow,
    /// This status, half of the time.
    Ill(u16),
    /// No connection.
    Gone,
}

/// Credentials, known by a number.
#[derive(Clone, Copy)]
pub(super) struct Flow {
    pub(super) secret: u8,
}

const SECRET: HeaderName = HeaderName::from_static("x-secret");
const HOST: Endpoint = Endpoint::from_static("https://pay.example.com/token");

impl TokenExchange for Flow {
    fn provider(&self) -> &'static str {
        "acme"
    }

    fn identity(&self) -> Identity {
        Identity::new("acme", &HOST, &["account-1"])
    }

    fn request(&self) -> Result<HttpRequest, Error> {
        TokenRequest::post(&HOST).header(SECRET, HeaderValue::from(u16::from(self.secret))).empty()
    }

    fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
        let known = Scrubber::default();
        let granted =
            wire::read::<oauth2::Granted, oauth2::Refused>("ACME_SECRET", &known, response)?;
        Grant::bearer(granted.access_token, granted.expires_in.lifetime())
    }
}

/// The provider as one process reaches it.
#[derive(Clone, Debug)]
pub(super) struct Provider {
    pub(super) shared: Shared,
    pub(super) process: usize,
}

/// A request that is not answered.
struct Aloft {
    shared: Shared,
    process: usize,
    sent: Duration,
}

impl Drop for Aloft {
    fn drop(&mut self) {
        let mut truth = self.shared.lock();
        let (sent, now) = (self.sent, truth.now);
        truth.host(self.process, |host| {
            host.in_air = host.in_air.saturating_sub(1);
            let open = |it: &&mut (Duration, Duration)| *it == &(sent, Duration::MAX);
            if let Some(exchange) = host.exchanges.iter_mut().find(open) {
                exchange.1 = now;
            }
        });
    }
}

#[async_trait]
impl HttpClient for Provider {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let secret = request.headers().get(SECRET).and_then(|it| it.to_str().ok()?.parse().ok());
        let (answer, latency, sent) = {
            let mut truth = self.shared.lock();
            let now = truth.now;
            truth.host(self.process, |host| {
                host.in_air += 1;
                host.exchanges.push((now, Duration::MAX));
            });
            truth.request(self.process);
            let (answer, latency) = truth.answer(self.process, secret.unwrap_or(u8::MAX));
            truth.at(Point::Asked, self.process);
            (answer, latency, truth.now)
        };
        let aloft = Aloft { shared: self.shared.clone(), process: self.process, sent };
        Sleep::new(&self.shared, self.process, latency).await;
        drop(aloft);
        self.shared.lock().at(Point::Answered, self.process);
        answer
    }
}

impl Truth {
    /// A process asks: with the lease, or because the store did not answer, or because it waited.
    fn request(&mut self, process: usize) {
        let now = self.now;
        self.host(process, |host| host.told_until = None);
        let Some(host) = self.hosts.get(process) else { return };
        match host.claimed {
            Claimed::Nothing => {
                self.fault("3 mints", format_args!("process {process} asks without a claim"));
            }
            Claimed::Lease => {}
            Claimed::Unavailable => self.allow(1, "a process does without the store"),
            Claimed::Held(since) => {
                let (waited, was_frozen) = (now - since, host.last_thaw >= since);
                self.reach("processes that waited enough");
                self.allow(1, "a process waited enough");
                if waited < Duration::from_millis(9_800) && !was_frozen {
                    self.fault(
                        "3 mints",
                        format_args!("process {process} asks after {waited:?} of waiting"),
                    );
                }
            }
        }
    }

    fn answer(&mut self, process: usize, secret: u8) -> (Result<HttpResponse, Error>, Duration) {
        let rng = &mut self.rng;
        let quick = Duration::from_millis(rng.u64(20..500));
        let latency = match self.mood {
            Mood::Slow if rng.bool() => Duration::from_millis(rng.u64(3_000..8_000)),
            _ => quick,
        };
        let status = match self.mood {
            Mood::Gone => {
                self.note(format_args!("process {process} does not reach the provider"));
                return (Err(Error::new(ErrorKind::Connect, "no connection")), quick);
            }
            _ if secret != self.secret => 401,
            Mood::Ill(status) if rng.bool() => status,
            _ => 200,
        };
        self.note(format_args!("process {process} asks and will get {status} in {latency:?}"));
        let body = match status {
            200 => {
                let number = self.mint(process);
                let life = self.life.as_secs();
                format!(
                    r#"{{"access_token":"token-{number}","token_type":"Bearer","expires_in":{life}}}"#
                )
            }
            _ => {
                if status == 401 {
                    self.rejects();
                }
                r#"{"error":"because"}"#.to_owned()
            }
        };
        let mut response = HttpResponse::new(Bytes::from(body));
        *response.status_mut() = status.try_into().unwrap_or_default();
        (Ok(response), latency)
    }

    /// Mints a token, and checks that it was needed or that a fault excuses it.
    fn mint(&mut self, process: usize) -> usize {
        let (now, number) = (self.now, self.tokens.len());
        let is_young = |token: &Minted| token.is_young(self.life, now);
        let own = self.hosts.get(process).and_then(|host| host.minted);
        // Its own counts even if another one was stored meanwhile.
        let own = own.and_then(|own| self.tokens.get(own)).copied();
        let own = own.is_some_and(|own| is_young(&Minted { is_replaced: false, ..own }));
        let is_extra = self.tokens.iter().any(is_young);
        self.tokens.push(Minted { at: now, ends: now + self.life, ..Minted::default() });
        self.host(process, |host| host.minted = Some(number));
        if self.hosts.get(process).is_some_and(|host| host.claimed != Claimed::Lease) {
            self.is_private(Some(number));
        }
        self.note(format_args!("process {process}: token {number} is minted, extra: {is_extra}"));
        self.reach("mints");
        if own {
            self.fault("3 mints", format_args!("process {process} mints twice in a life"));
        }
        if is_extra {
            self.reach("mints that a fault cost");
            self.extras.push(now);
            let since = now.saturating_sub(self.life);
            let extras = self.extras.iter().filter(|at| **at > since).count();
            // What was lost is missed when the next process needs it.
            let since = since.saturating_sub(self.life + Duration::from_secs(40));
            let allowed = self.allowed.iter().filter(|at| **at >= since).count();
            if extras > allowed || self.is_strict {
                let check = if self.is_strict { "7 healed" } else { "3 mints" };
                self.fault(
                    check,
                    format_args!("{extras} more tokens than one a life, {allowed} are allowed"),
                );
            }
        }
        number
    }

    /// A wrong secret was refused: all processes together are refused seldom.
    fn rejects(&mut self) {
        let now = self.now;
        self.reach("rejections");
        self.rejections.push(now);
        let (Some(since), true) = (self.all_wrong, self.key.is_some()) else { return };
        let since = since.max(now.saturating_sub(Duration::from_secs(60)));
        let rejections = self.rejections.iter().filter(|at| **at > since).count();
        let before = since.saturating_sub(Duration::from_secs(40));
        let allowed = self.allowed.iter().filter(|at| **at >= before).count();
        self.reach("rejections of all processes");
        if rejections > 3 + allowed {
            self.fault(
                "6 wrong secrets",
                format_args!("{rejections} requests with a wrong secret in a minute"),
            );
        }
    }
}

//! The tokens that a provider has issued and still accepts.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant, SystemTime};

use crate::clock;

/// A provider keeps this many tokens at most; the oldest are forgotten first. A test that issues
/// more is a load test, and its first tokens have long been replaced.
const KEPT: usize = 100_000;

/// When a token was issued and when it expires, by the provider's own clock.
#[derive(Clone, Copy)]
pub(crate) struct Term {
    issued: SystemTime,
    lifetime: Duration,
    /// How long ago it expired; `None` if it was issued valid.
    expired: Option<Duration>,
}

impl Term {
    /// From the provider's now.
    pub(crate) fn starting(now: SystemTime, lifetime: Duration) -> Self {
        Self { issued: now, lifetime, expired: None }
    }

    /// Expired since `ago`, after the usual lifetime.
    pub(crate) fn over(now: SystemTime, lifetime: Duration, ago: Duration) -> Self {
        let issued = ago.checked_add(lifetime).and_then(|span| now.checked_sub(span));
        Self { issued: issued.unwrap_or(SystemTime::UNIX_EPOCH), lifetime, expired: Some(ago) }
    }

    /// `iat`: whole seconds since the epoch.
    pub(crate) fn iat(&self) -> u64 {
        clock::since_epoch(self.issued).as_secs()
    }

    /// `exp`: `iat` and the whole seconds of the lifetime.
    pub(crate) fn exp(&self) -> u64 {
        self.iat().saturating_add(self.lifetime.as_secs())
    }

    /// `iat` and `exp` to the microsecond, as PHP's libraries write them.
    pub(crate) fn micros(&self) -> (f64, f64) {
        let issued = clock::since_epoch(self.issued);
        let seconds = |span: Duration| Duration::from_micros(micros(span)).as_secs_f64();
        (seconds(issued), seconds(issued.saturating_add(self.lifetime)))
    }

    /// `expires_in`: whole seconds from now, negative for an expired token.
    pub(crate) fn expires_in(&self) -> i64 {
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        self.expired.map_or_else(|| seconds(self.lifetime), |ago| -seconds(ago))
    }

    /// Until when the API route accepts it; `None` if it never does.
    fn accepted_until(&self) -> Option<Instant> {
        let now = clock::monotonic();
        match self.expired {
            Some(_) => None,
            // An instant that overflows is centuries away.
            None => now.checked_add(self.lifetime).or_else(|| now.checked_add(YEARS)),
        }
    }
}

const YEARS: Duration = Duration::from_secs(10 * 366 * 86_400);

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

struct Issued {
    account: String,
    until: Option<Instant>,
    note: Option<String>,
}

/// One provider's issued tokens. It holds live tokens, so it has no `Debug`.
#[derive(Default)]
pub(crate) struct Tokens {
    issued: HashMap<String, Issued>,
    order: VecDeque<String>,
}

impl Tokens {
    /// Adds a token of an account, with what its use is bound to, if anything.
    pub(crate) fn enter(&mut self, token: &str, account: &str, term: &Term, note: Option<&str>) {
        while self.order.len() >= KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.issued.remove(&oldest);
        }
        let (until, note) = (term.accepted_until(), note.map(str::to_owned));
        let entry = Issued { account: account.to_owned(), until, note };
        self.issued.insert(token.to_owned(), entry);
        self.order.push_back(token.to_owned());
    }

    /// `Some` for a valid token, with what its use is bound to.
    pub(crate) fn check(&self, token: &str) -> Option<Option<&str>> {
        let issued = self.issued.get(token)?;
        (clock::monotonic() < issued.until?).then_some(issued.note.as_deref())
    }

    /// The account that a token was issued to, expired or not.
    pub(crate) fn account(&self, token: &str) -> Option<&str> {
        self.issued.get(token).map(|issued| issued.account.as_str())
    }

    /// Why a token is refused.
    pub(crate) fn diagnosis(&self, token: &str) -> &'static str {
        match self.issued.get(token) {
            None => "this token was not issued here, or was revoked",
            Some(issued) if issued.until.is_none_or(|until| clock::monotonic() >= until) => {
                "the token has expired"
            }
            Some(_) => "the token was issued for another use",
        }
    }

    pub(crate) fn revoke(&mut self, account: &str) {
        self.issued.retain(|_, issued| issued.account != account);
        self.order.retain(|token| self.issued.contains_key(token));
    }

    pub(crate) fn revoke_all(&mut self) {
        *self = Self::default();
    }
}

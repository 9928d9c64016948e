//! The lifetime of a token: from the grant and the answer to two instants, when a refresh is due
//! and when the token is no longer handed out.

use std::time::{Duration, SystemTime};

use secrecy::ExposeSecret;

use crate::clock::Moment;
use crate::error::Error;
use crate::grant::{Expiry, Grant};
use crate::jwt::JwtTimes;
use crate::policy::RefreshPolicy;

/// The state of a token: fresh, stale or expired.
///
/// ```
/// use auth_core::TokenState;
/// assert!(TokenState::Stale.is_usable() && !TokenState::Expired.is_usable());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenState {
    /// Valid, and no refresh is due.
    Fresh,
    /// Still valid and handed out; a refresh is due and runs in the background.
    Stale,
    /// No longer handed out.
    Expired,
}

impl TokenState {
    /// Whether a token in this state is handed out.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::Fresh | Self::Stale)
    }
}

/// When a token is refreshed, and when it is no longer handed out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Term {
    /// No known expiry: a static token.
    Endless,
    Until {
        /// When its request began, on the monotonic clock.
        began: Duration,
        refresh_due: Moment,
        usable_until: Moment,
        /// The expiry itself.
        ends: Moment,
    },
}

/// The provider's time, from the headers of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerTime {
    /// The provider's clock. Absolute expiries in the answer are on that clock.
    pub(crate) now: SystemTime,
    /// How long the answer was in a cache. Lifetimes in the answer are shorter by that.
    pub(crate) age: Duration,
}

/// An absolute expiry further ahead than this is capped: the provider's clock may be years behind.
const FAR: Duration = Duration::from_secs(400 * 24 * 60 * 60);

impl Term {
    /// The term of a token with so much `left` of its `lifetime` at the moment `asked`, when the
    /// request for it began: all of it if the provider was asked, less if a store was.
    ///
    /// `jitter`, between 0 and 1, moves the refresh earlier by up to a quarter of its window.
    pub(crate) fn new(
        left: Duration,
        lifetime: Duration,
        asked: Moment,
        policy: &RefreshPolicy,
        jitter: f64,
    ) -> Self {
        let age = lifetime.saturating_sub(left);
        let lifetime = lifetime.min(policy.max_age);
        let left = left.min(lifetime.saturating_sub(age));
        let window = policy.window_for(lifetime);
        let early = (window / 4).mul_f64(jitter.clamp(0.0, 1.0));
        Self::Until {
            // A token may be older than the monotonic clock, which then says less.
            began: asked.monotonic.saturating_sub(age),
            refresh_due: asked.plus(left.saturating_sub(window).saturating_sub(early)),
            usable_until: asked.plus(left.saturating_sub(policy.margin_for(lifetime))),
            ends: asked.plus(left),
        }
    }

    /// Already expired, whatever the clock shows.
    pub(crate) const fn over() -> Self {
        let zero = Moment { monotonic: Duration::ZERO, wall: Duration::ZERO };
        Self::Until { began: Duration::ZERO, refresh_due: zero, usable_until: zero, ends: zero }
    }

    /// Whether a token with this term is usable for longer than one with the other. Checks both
    /// clocks: the wall clock may have been set between the two.
    pub(crate) fn outlasts(&self, other: &Self, now: Moment) -> bool {
        self.left(now) > other.left(now)
    }

    fn left(&self, now: Moment) -> Duration {
        match self {
            Self::Endless => Duration::MAX,
            Self::Until { usable_until, .. } => now.until(*usable_until),
        }
    }

    #[inline]
    pub(crate) fn state(&self, now: Moment) -> TokenState {
        match self {
            Self::Endless => TokenState::Fresh,
            Self::Until { usable_until, .. } if now.has_reached(*usable_until) => {
                TokenState::Expired
            }
            Self::Until { refresh_due, .. } if now.has_reached(*refresh_due) => TokenState::Stale,
            Self::Until { .. } => TokenState::Fresh,
        }
    }

    /// How long ago its request began; `None` for a static token.
    pub(crate) fn age(&self, now: Moment) -> Option<Duration> {
        match self {
            Self::Endless => None,
            Self::Until { began, .. } => Some(now.monotonic.saturating_sub(*began)),
        }
    }

    /// How long it lives in all; `None` for a static token.
    pub(crate) fn lifetime(&self) -> Option<Duration> {
        match self {
            Self::Endless => None,
            Self::Until { began, ends, .. } => Some(ends.monotonic.saturating_sub(*began)),
        }
    }

    /// When the token expires, on the wall clock, if that is known.
    pub(crate) fn expires_at(&self) -> Option<SystemTime> {
        match self {
            Self::Endless => None,
            Self::Until { ends, .. } => SystemTime::UNIX_EPOCH.checked_add(ends.wall),
        }
    }

    /// How long until the token expires; `None` for a static token.
    pub(crate) fn expires_in(&self, now: Moment) -> Option<Duration> {
        match self {
            Self::Endless => None,
            Self::Until { ends, .. } => Some(now.until(*ends)),
        }
    }
}

/// How long a token lives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetime {
    pub(crate) span: Duration,
    /// Why it is shorter than the provider stated, for the log.
    pub(crate) warning: Option<&'static str>,
}

impl Lifetime {
    /// The lifetime by the grant and, if the token is a JWT, by its claims: the earliest end
    /// counts.
    ///
    /// `cap` is the longest lifetime of a token whose expiry is an instant more than 400 days
    /// ahead: the provider's `Date` may be years behind, and then every token would be kept for
    /// years.
    ///
    /// # Errors
    /// `Protocol` if the token had already expired when it arrived.
    pub(crate) fn of(
        grant: &Grant,
        server: ServerTime,
        policy: &RefreshPolicy,
        cap: Duration,
    ) -> Result<Self, Error> {
        let (absolute, relative) = stated(grant, server);
        let (span, warning) = match absolute.into_iter().chain(relative).min() {
            Some(span) if span > FAR && Some(span) == absolute => {
                let text = "the token ends more than 400 days after the answer's date: is the provider's clock behind?";
                (span.min(cap), Some(text))
            }
            Some(span) => (span, None),
            None => {
                let text = "the provider stated no readable expiry: the token is kept for a short default time";
                (policy.unknown_lifetime, Some(text))
            }
        };
        let span = span.min(policy.max_age);
        if span.is_zero() {
            return Err(Error::protocol(
                "the token had already expired when it arrived: check this machine's clock and the provider's",
            ));
        }
        Ok(Self { span, warning })
    }
}

/// The time left of a grant: by the earliest instant, and by the shortest span, that the expiry
/// field and the JWT state.
fn stated(grant: &Grant, server: ServerTime) -> (Option<Duration>, Option<Duration>) {
    let until = |instant: SystemTime| instant.duration_since(server.now).unwrap_or_default();
    let left = |span: Duration| span.saturating_sub(server.age);
    let (at, after) = match grant.expiry {
        Expiry::After(span) => (None, Some(left(span))),
        Expiry::At(instant) => (Some(until(instant)), None),
        Expiry::Unknown => (None, None),
    };
    let jwt = JwtTimes::peek(grant.secret.expose_secret());
    let absolute = at.into_iter().chain(jwt.expires_at().map(until)).min();
    // `exp - iat` needs no clock, so a wrong clock cannot extend it.
    (absolute, after.into_iter().chain(jwt.lifetime().map(left)).min())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::unix_time;
    use crate::clock::{Clock as _, ManualClock, SourceClock};
    use std::sync::Arc;

    fn now(clock: &ManualClock) -> Moment {
        SourceClock::Custom(Arc::new(clock.clone())).now()
    }

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    fn lifetime(grant: &Grant, now: SystemTime) -> Result<Duration, Error> {
        let server = ServerTime { now, age: Duration::ZERO };
        Lifetime::of(grant, server, &RefreshPolicy::default(), FAR).map(|lifetime| lifetime.span)
    }

    /// A token of five minutes.
    fn term(clock: &ManualClock, jitter: f64) -> Term {
        Term::new(SECS(300), SECS(300), now(clock), &RefreshPolicy::default(), jitter)
    }

    fn opaque(expiry: Expiry) -> Grant {
        Grant::bearer("opaque", expiry).unwrap()
    }

    /// A JWT of iat 1000 and exp 1600.
    fn jwt(expiry: Expiry) -> Grant {
        Grant::bearer("eyJhbGciOiJub25lIn0.eyJpYXQiOjEwMDAsImV4cCI6MTYwMH0.", expiry).unwrap()
    }

    #[test]
    fn the_earliest_of_field_jwt_and_cap_wins() {
        let at = |s| Expiry::At(unix_time(s).unwrap());
        let now = unix_time(1000).unwrap();
        for (grant, server_time, expected) in [
            (opaque(Expiry::After(SECS(300))), now, 300),
            (opaque(Expiry::Unknown), now, 300),
            (opaque(at(1450)), now, 450),
            (opaque(Expiry::After(SECS(u64::MAX))), now, 400 * 86_400),
            (opaque(at(i64::MAX / 2)), now, 400 * 86_400),
            (jwt(Expiry::Unknown), now, 600),
            (jwt(Expiry::After(SECS(300))), now, 300),
            (jwt(Expiry::After(SECS(9_999))), now, 600),
            (jwt(at(1500)), now, 500),
            // A provider's clock that runs behind cannot extend a JWT beyond `exp - iat`.
            (jwt(at(1600)), unix_time(100).unwrap(), 600),
        ] {
            assert_eq!(lifetime(&grant, server_time).unwrap(), SECS(expected), "{grant:?}");
        }
    }

    #[test]
    fn the_age_of_a_cached_answer_shortens_the_lifetime() {
        for (grant, age, lifetime) in [
            (opaque(Expiry::After(SECS(600))), 540, Some(60)),
            (opaque(Expiry::After(SECS(600))), 600, None),
            (jwt(Expiry::Unknown), 540, Some(60)),
            (opaque(Expiry::At(unix_time(1600).unwrap())), 540, Some(60)),
        ] {
            let server = ServerTime { now: unix_time(1540).unwrap(), age: SECS(age) };
            let found = Lifetime::of(&grant, server, &RefreshPolicy::default(), FAR);
            assert_eq!(found.ok().map(|found| found.span), lifetime.map(SECS));
        }
    }

    #[test]
    fn an_end_beyond_400_days_is_capped_by_what_the_flow_allows() {
        let day = SECS(86_400);
        let behind = ServerTime { now: unix_time(1_451_606_400).unwrap(), age: Duration::ZERO };
        let at = |after: Duration| opaque(Expiry::At(behind.now + after));
        for (grant, lifetime) in [
            (at(day * 3650), day),
            (at(day * 400 + SECS(1)), day),
            (at(day * 400), day * 400),
            (opaque(Expiry::After(day * 3650)), day * 400), // a span needs no clock
        ] {
            let found = Lifetime::of(&grant, behind, &RefreshPolicy::default(), day).unwrap();
            assert_eq!(found.span, lifetime);
        }
    }

    #[test]
    fn a_token_that_expired_before_it_arrived_is_an_error() {
        let now = unix_time(2000).unwrap();
        for grant in [
            opaque(Expiry::After(Duration::ZERO)),
            opaque(Expiry::At(now)),
            opaque(Expiry::At(unix_time(-5).unwrap())),
            jwt(Expiry::After(SECS(300))),
        ] {
            let error = lifetime(&grant, now).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Protocol);
        }
    }

    #[test]
    fn a_five_minute_token_is_fresh_for_four() {
        let clock = ManualClock::default();
        let (began, term) = (now(&clock), term(&clock, 0.0));
        for (at, state) in [
            (0, TokenState::Fresh),
            (239, TokenState::Fresh),
            (240, TokenState::Stale),
            (289, TokenState::Stale),
            (290, TokenState::Expired),
        ] {
            assert_eq!(term.state(began.plus(SECS(at))), state, "{at}");
        }
    }

    #[test]
    fn only_an_expired_token_is_not_handed_out() {
        for (state, is_usable) in
            [(TokenState::Fresh, true), (TokenState::Stale, true), (TokenState::Expired, false)]
        {
            assert_eq!(state.is_usable(), is_usable, "{state:?}");
        }
    }

    #[test]
    fn a_term_knows_when_its_request_began_and_when_its_token_expires() {
        let clock = ManualClock::default();
        let term = term(&clock, 0.0);
        let expires_at = clock.wall() + SECS(300);
        clock.advance(SECS(7));
        assert_eq!((term.age(now(&clock)), term.expires_at()), (Some(SECS(7)), Some(expires_at)));
        assert_eq!(term.expires_in(now(&clock)), Some(SECS(293)));
        assert_eq!((Term::Endless.age(now(&clock)), Term::Endless.expires_at()), (None, None));
        assert_eq!(Term::Endless.expires_in(now(&clock)), None);
    }

    #[test]
    fn a_token_expires_by_either_clock() {
        let clock = ManualClock::default();
        let term = term(&clock, 0.0);
        clock.suspend(SECS(400)); // only the wall clock: a suspended laptop
        assert_eq!(term.state(now(&clock)), TokenState::Expired);
        clock.set_wall(clock.wall() - SECS(7_200)); // set back
        assert_eq!(term.state(now(&clock)), TokenState::Fresh);
        clock.advance(SECS(300));
        assert_eq!(term.state(now(&clock)), TokenState::Expired);
    }

    #[test]
    fn a_token_outlasts_another_by_the_clock_that_ends_it_first() {
        let clock = ManualClock::default();
        let term =
            |life| Term::new(SECS(life), SECS(life), now(&clock), &RefreshPolicy::default(), 0.0);
        let old = term(301);
        clock.suspend(SECS(8));
        let young = term(300);
        assert!(young.outlasts(&old, now(&clock)) && !old.outlasts(&young, now(&clock)));
        assert!(old.outlasts(&Term::over(), now(&clock)));
        assert!(Term::Endless.outlasts(&old, now(&clock)));
        assert!(!Term::Endless.outlasts(&Term::Endless, now(&clock)));
        clock.advance(SECS(301));
        assert!(!young.outlasts(&old, now(&clock)), "both have expired");
    }

    #[test]
    fn jitter_moves_the_refresh_earlier_by_up_to_a_quarter_of_its_window() {
        let clock = ManualClock::default();
        let began = now(&clock);
        for (jitter, due) in [(0.0, 240.0), (1.0, 225.0), (0.5, 232.5)] {
            let Term::Until { refresh_due, .. } = term(&clock, jitter) else { panic!("endless") };
            let found = refresh_due.monotonic - began.monotonic;
            assert_eq!(found, Duration::from_secs_f64(due));
        }
    }
}

//! From a grant to the two instants that matter: when a refresh is due, and when the token ends.

use std::time::{Duration, SystemTime};

use secrecy::ExposeSecret;

use crate::error::Error;
use crate::exchange::{Expiry, Grant};
use crate::jwt::JwtTimes;
use crate::policy::RefreshPolicy;
use crate::token::{Parts, TokenState};

/// What both clocks showed at one moment: time since origins of their own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) monotonic: Duration,
    pub(crate) wall: Duration,
}

/// When a token is refreshed, and when it is no longer handed out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Term {
    /// Nobody stated an end: a token that was pasted.
    Endless,
    Until {
        refresh_due: Moment,
        usable_until: Moment,
    },
}

/// What an answer says of the provider's time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerTime {
    /// What the provider's clock shows; instants that it states are on that clock.
    pub(crate) now: SystemTime,
    /// How long the answer lay in a cache; lifetimes that it states have shrunk by that.
    pub(crate) age: Duration,
}

/// An end this far ahead is doubted: the clock that it is read against may be years behind.
const FAR: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// A token, and how long it lives: what a flight brings.
pub(crate) struct Kept {
    pub(crate) parts: Parts,
    pub(crate) lifetime: Duration,
}

impl Moment {
    fn plus(self, span: Duration) -> Self {
        Self {
            monotonic: self.monotonic.saturating_add(span),
            wall: self.wall.saturating_add(span),
        }
    }

    /// Whether either clock has reached the other moment.
    #[inline]
    fn has_reached(self, other: Self) -> bool {
        self.monotonic >= other.monotonic || self.wall >= other.wall
    }
}

impl Term {
    /// Already expired, whatever the clock shows.
    pub(crate) const fn over() -> Self {
        let zero = Moment { monotonic: Duration::ZERO, wall: Duration::ZERO };
        Self::Until { refresh_due: zero, usable_until: zero }
    }

    /// Whether a token of this term can be handed out for longer than one of the other. Both clocks
    /// count: somebody may have set the wall clock between the two.
    pub(crate) fn outlasts(&self, other: &Self, now: Moment) -> bool {
        self.left(now) > other.left(now)
    }

    fn left(&self, now: Moment) -> Duration {
        match self {
            Self::Endless => Duration::MAX,
            Self::Until { usable_until, .. } => {
                let left = usable_until.monotonic.saturating_sub(now.monotonic);
                left.min(usable_until.wall.saturating_sub(now.wall))
            }
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
}

impl Kept {
    /// Keeps a grant: its lifetime counts from `began`, the moment the request began.
    ///
    /// `cap` is the longest time for a token whose end is an instant more than 400 days ahead: the
    /// provider's `Date` may be years behind, and then every token would be kept for years.
    /// `jitter` between 0 and 1 moves the refresh earlier by up to a quarter of its window.
    ///
    /// # Errors
    /// `Protocol` where the token had ended before it came.
    pub(crate) fn new(
        provider: &'static str,
        grant: Grant,
        began: Moment,
        server: ServerTime,
        policy: &RefreshPolicy,
        cap: Duration,
        jitter: f64,
    ) -> Result<Self, Error> {
        let (absolute, relative) = lifetimes(&grant, server);
        let mut stated = absolute.into_iter().chain(relative).min();
        if absolute.is_some_and(|span| span > FAR && stated == absolute) {
            crate::trace::remark(
                provider,
                "the token ends more than 400 days after the answer's date: is the provider's clock behind?",
            );
            stated = absolute.map(|span| span.min(cap));
        }
        if stated.is_none() {
            crate::trace::remark(
                provider,
                "the provider stated no readable expiry: the token is kept for a short time only",
            );
        }
        let lifetime = stated.unwrap_or(policy.unknown_lifetime).min(policy.max_age);
        if lifetime.is_zero() {
            return Err(Error::protocol(
                "a token that had ended before it came: check this machine's clock and the provider's",
            ));
        }
        let window = policy.window_for(lifetime);
        let early = (window / 4).mul_f64(jitter.clamp(0.0, 1.0));
        let refresh_due = began.plus(lifetime.saturating_sub(window).saturating_sub(early));
        let usable_until = began.plus(lifetime.saturating_sub(policy.margin_for(lifetime)));
        let ends = SystemTime::UNIX_EPOCH.checked_add(began.plus(lifetime).wall);
        let term = Term::Until { refresh_due, usable_until };
        Ok(Self { parts: Parts::new(grant, ends, term)?, lifetime })
    }
}

/// How long a grant lasts, by the earliest instant and by the shortest span that the field and the
/// JWT state.
fn lifetimes(grant: &Grant, server: ServerTime) -> (Option<Duration>, Option<Duration>) {
    let until = |instant: SystemTime| instant.duration_since(server.now).unwrap_or_default();
    let left = |span: Duration| span.saturating_sub(server.age);
    let (at, after) = match grant.expiry {
        Expiry::After(span) => (None, Some(left(span))),
        Expiry::At(instant) => (Some(until(instant)), None),
        Expiry::Unknown => (None, None),
    };
    let jwt = JwtTimes::peek(grant.secret.expose_secret());
    let absolute = at.into_iter().chain(jwt.expires_at().map(until)).min();
    // `exp - iat` needs no clock at all, so a wrong one cannot stretch it.
    (absolute, after.into_iter().chain(jwt.lifetime().map(left)).min())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock as _, ManualClock, SourceClock};
    use crate::jwt::unix_time;
    use std::sync::Arc;

    fn now(clock: &ManualClock) -> Moment {
        SourceClock::Custom(Arc::new(clock.clone())).now()
    }

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    fn kept(grant: Grant, server_time: SystemTime) -> Result<Kept, Error> {
        let began = now(&ManualClock::default());
        new(grant, began, server_time, 0.0)
    }

    fn new(grant: Grant, began: Moment, now: SystemTime, jitter: f64) -> Result<Kept, Error> {
        let server = ServerTime { now, age: Duration::ZERO };
        Kept::new("acme", grant, began, server, &RefreshPolicy::default(), FAR, jitter)
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
        for (grant, server_time, lifetime) in [
            (opaque(Expiry::After(SECS(300))), now, 300),
            (opaque(Expiry::Unknown), now, 300),
            (opaque(at(1450)), now, 450),
            (opaque(Expiry::After(SECS(u64::MAX))), now, 400 * 86_400),
            (opaque(at(i64::MAX / 2)), now, 400 * 86_400),
            (jwt(Expiry::Unknown), now, 600),
            (jwt(Expiry::After(SECS(300))), now, 300),
            (jwt(Expiry::After(SECS(9_999))), now, 600),
            (jwt(at(1500)), now, 500),
            // A provider's clock that runs behind cannot stretch a JWT beyond `exp - iat`.
            (jwt(at(1600)), unix_time(100).unwrap(), 600),
        ] {
            let text = format!("{grant:?}");
            assert_eq!(kept(grant, server_time).unwrap().lifetime, SECS(lifetime), "{text}");
        }
    }

    #[test]
    fn what_lay_in_a_cache_has_less_time_left() {
        let began = now(&ManualClock::default());
        for (grant, age, lifetime) in [
            (opaque(Expiry::After(SECS(600))), 540, Some(60)),
            (opaque(Expiry::After(SECS(600))), 600, None),
            (jwt(Expiry::Unknown), 540, Some(60)),
            (opaque(Expiry::At(unix_time(1600).unwrap())), 540, Some(60)),
        ] {
            let server = ServerTime { now: unix_time(1540).unwrap(), age: SECS(age) };
            let policy = RefreshPolicy::default();
            let kept = Kept::new("acme", grant, began, server, &policy, FAR, 0.0);
            assert_eq!(kept.ok().map(|kept| kept.lifetime), lifetime.map(SECS));
        }
    }

    #[test]
    fn an_end_beyond_400_days_is_capped_by_what_the_flow_allows() {
        let began = now(&ManualClock::default());
        let day = SECS(86_400);
        let behind = ServerTime { now: unix_time(1_451_606_400).unwrap(), age: Duration::ZERO };
        let at = |after: Duration| opaque(Expiry::At(behind.now + after));
        for (grant, lifetime) in [
            (at(day * 3650), day),
            (at(day * 400 + SECS(1)), day),
            (at(day * 400), day * 400),
            (opaque(Expiry::After(day * 3650)), day * 400), // a span needs no clock
        ] {
            let policy = RefreshPolicy::default();
            let kept = Kept::new("acme", grant, began, behind, &policy, day, 0.0).unwrap();
            assert_eq!(kept.lifetime, lifetime);
        }
    }

    #[test]
    fn dead_on_arrival_is_an_error() {
        let now = unix_time(2000).unwrap();
        for grant in [
            opaque(Expiry::After(Duration::ZERO)),
            opaque(Expiry::At(now)),
            opaque(Expiry::At(unix_time(-5).unwrap())),
            jwt(Expiry::After(SECS(300))),
        ] {
            assert_eq!(kept(grant, now).err().unwrap().kind(), crate::ErrorKind::Protocol);
        }
    }

    #[test]
    fn a_five_minute_token_is_fresh_for_four() {
        let clock = ManualClock::default();
        let began = now(&clock);
        let grant = opaque(Expiry::After(SECS(300)));
        let kept = new(grant, began, clock.wall(), 0.0).unwrap();
        for (at, state) in [
            (0, TokenState::Fresh),
            (239, TokenState::Fresh),
            (240, TokenState::Stale),
            (289, TokenState::Stale),
            (290, TokenState::Expired),
        ] {
            assert_eq!(kept.parts.term.state(began.plus(SECS(at))), state, "{at}");
        }
    }

    #[test]
    fn either_clock_ends_a_token() {
        let clock = ManualClock::default();
        let began = now(&clock);
        let grant = opaque(Expiry::After(SECS(300)));
        let kept = new(grant, began, clock.wall(), 0.0).unwrap();
        clock.suspend(SECS(400)); // the wall clock alone: a laptop that slept
        assert_eq!(kept.parts.term.state(now(&clock)), TokenState::Expired);
        clock.set_wall(clock.wall() - SECS(7_200)); // stepped back
        assert_eq!(kept.parts.term.state(now(&clock)), TokenState::Fresh);
        clock.advance(SECS(300));
        assert_eq!(kept.parts.term.state(now(&clock)), TokenState::Expired);
    }

    #[test]
    fn a_token_outlasts_another_by_the_clock_that_ends_it_first() {
        let clock = ManualClock::default();
        let term = |life| {
            let kept = new(opaque(Expiry::After(SECS(life))), now(&clock), clock.wall(), 0.0);
            kept.unwrap().parts.term
        };
        let old = term(301);
        clock.suspend(SECS(8));
        let young = term(300);
        assert!(young.outlasts(&old, now(&clock)) && !old.outlasts(&young, now(&clock)));
        assert!(old.outlasts(&Term::over(), now(&clock)));
        assert!(Term::Endless.outlasts(&old, now(&clock)));
        assert!(!Term::Endless.outlasts(&Term::Endless, now(&clock)));
        clock.advance(SECS(301));
        assert!(!young.outlasts(&old, now(&clock)), "both have ended");
    }

    #[test]
    fn jitter_moves_the_refresh_earlier_by_up_to_a_quarter_of_its_window() {
        let clock = ManualClock::default();
        let began = now(&clock);
        for (jitter, due) in [(0.0, 240.0), (1.0, 225.0), (0.5, 232.5)] {
            let grant = opaque(Expiry::After(SECS(300)));
            let kept = new(grant, began, clock.wall(), jitter).unwrap();
            let Term::Until { refresh_due, .. } = kept.parts.term else { panic!("endless") };
            let found = refresh_due.monotonic - began.monotonic;
            assert_eq!(found, Duration::from_secs_f64(due));
        }
    }
}

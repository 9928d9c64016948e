//! When a token expires: Manis sends a number without a unit.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use auth_core::{Error, Expiry};

/// An `expiresAt` further in the past than this, or further ahead than `LONGEST`, is ignored.
const RECENT: Duration = Duration::from_secs(5 * 60);
const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The unit of the integer `expiresAt`: the document only says "timestamp".
///
/// In any unit, a value more than 5 minutes before or 400 days after the provider's clock is
/// ignored: the JWT's own `exp` decides, or else the token is kept for 5 minutes; both with a
/// warning. So a wrong unit costs extra requests, not an outage or a token that is kept for fifty
/// years. A token that expired within the last 5 minutes is an error.
///
/// ```
/// use manis_auth::{Credentials, Endpoint, ExpiryUnit, Manis};
///
/// let credentials = Credentials::new("merchant-0001", "made-up-secret")?;
/// let flow = Manis::new(credentials, Endpoint::parse("https://manis.example.com")?);
/// let flow = flow.expiry_unit(ExpiryUnit::Millis); // once Manis has told you
/// assert_eq!("millis".parse::<ExpiryUnit>()?, ExpiryUnit::Millis); // as the variable takes it
/// # Ok::<(), manis_auth::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExpiryUnit {
    /// Inferred from the size: below 10⁹ seconds from now, below 10¹¹ Unix seconds, below 10¹⁴
    /// milliseconds, below 10¹⁷ microseconds, else nanoseconds. No number is near the present in two
    /// units.
    #[default]
    Auto,
    /// Unix seconds.
    Seconds,
    /// Unix milliseconds.
    Millis,
    /// Seconds from now.
    RelativeSeconds,
}

impl ExpiryUnit {
    /// The name, as `MANIS_EXPIRES_AT_UNIT` takes it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Seconds => "seconds",
            Self::Millis => "millis",
            Self::RelativeSeconds => "relative-seconds",
        }
    }

    /// Reads a number from a response that came at `now` by the provider's clock. Rounds down; a span
    /// of zero or less has expired.
    pub(crate) fn read(self, number: i64, now: SystemTime) -> Expiry {
        let per_second = match (self, number) {
            // Too far in the past to be an expiry: the same rule as for instants.
            (Self::RelativeSeconds | Self::Auto, ..-300) => return Expiry::Unknown,
            (Self::RelativeSeconds, _) | (Self::Auto, ..1_000_000_000) => {
                let span = Duration::from_secs(u64::try_from(number).unwrap_or_default());
                return if span <= LONGEST { Expiry::After(span) } else { Expiry::Unknown };
            }
            (Self::Seconds, _) | (Self::Auto, ..100_000_000_000) => 1,
            (Self::Millis, _) | (Self::Auto, ..100_000_000_000_000) => 1_000,
            (Self::Auto, ..100_000_000_000_000_000) => 1_000_000,
            (Self::Auto, _) => 1_000_000_000,
        };
        let Expiry::At(instant) = Expiry::at_unix_seconds(number / per_second) else {
            return Expiry::Unknown;
        };
        let is_near = match instant.duration_since(now) {
            Ok(ahead) => ahead <= LONGEST,
            Err(behind) => behind.duration() <= RECENT,
        };
        if is_near { Expiry::At(instant) } else { Expiry::Unknown }
    }
}

impl FromStr for ExpiryUnit {
    type Err = Error;

    /// Known names in any case, and no others.
    fn from_str(name: &str) -> Result<Self, Error> {
        match name.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "seconds" => Ok(Self::Seconds),
            "millis" => Ok(Self::Millis),
            "relative-seconds" | "relative" => Ok(Self::RelativeSeconds),
            _ => {
                Err(Error::config("the unit is none of auto, seconds, millis and relative-seconds"))
            }
        }
    }
}

impl fmt::Display for ExpiryUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn a_number_is_read_by_its_size_unless_its_unit_is_set() {
        use ExpiryUnit::{Auto, Millis, RelativeSeconds, Seconds};
        const NOW: i64 = 1_767_225_600; // 2026-01-01T00:00Z
        const DAYS_400: i64 = 400 * 86_400;
        let after = |seconds| Expiry::After(Duration::from_secs(seconds));
        let at = Expiry::at_unix_seconds;
        for (unit, number, expiry) in [
            (Auto, i64::MIN, Expiry::Unknown),
            (Auto, -301, Expiry::Unknown),
            (Auto, -300, after(0)),
            (Auto, -1, after(0)),
            (Auto, 0, after(0)),
            (Auto, 1, after(1)),
            (Auto, 3_600, after(3_600)),
            (Auto, DAYS_400, after(34_560_000)),
            (Auto, DAYS_400 + 1, Expiry::Unknown),
            (Auto, 999_999_999, Expiry::Unknown),
            (Auto, 1_000_000_000, Expiry::Unknown), // 2001
            (Auto, NOW + 3_600, at(NOW + 3_600)),
            (Auto, NOW, at(NOW)),
            (Auto, NOW - 300, at(NOW - 300)),
            (Auto, NOW - 301, Expiry::Unknown),
            (Auto, NOW + DAYS_400, at(NOW + DAYS_400)),
            (Auto, NOW + DAYS_400 + 1, Expiry::Unknown),
            (Auto, 99_999_999_999, Expiry::Unknown),
            (Auto, 100_000_000_000, Expiry::Unknown), // 1973
            (Auto, (NOW + 60) * 1_000 + 999, at(NOW + 60)),
            (Auto, (NOW + 60) * 1_000_000 + 999_999, at(NOW + 60)),
            (Auto, (NOW + 60) * 1_000_000_000 + 999_999_999, at(NOW + 60)),
            (Auto, i64::MAX, Expiry::Unknown),
            (Seconds, NOW + 60, at(NOW + 60)),
            (Seconds, (NOW + 60) * 1_000, Expiry::Unknown),
            (Seconds, 3_600, Expiry::Unknown),
            (Seconds, 0, Expiry::Unknown),
            (Seconds, i64::MIN, Expiry::Unknown),
            (Seconds, i64::MAX, Expiry::Unknown),
            (Millis, (NOW + 60) * 1_000 + 999, at(NOW + 60)),
            (Millis, (NOW - 300) * 1_000, at(NOW - 300)),
            (Millis, (NOW - 300) * 1_000 - 1, Expiry::Unknown), // rounded down, not up
            (Millis, NOW + 60, Expiry::Unknown),
            (Millis, i64::MIN, Expiry::Unknown),
            (RelativeSeconds, 3_600, after(3_600)),
            (RelativeSeconds, -5, after(0)),
            (RelativeSeconds, NOW + 60, Expiry::Unknown),
            (RelativeSeconds, i64::MAX, Expiry::Unknown),
        ] {
            let found = unit.read(number, UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs()));
            assert_eq!(found, expiry, "{unit} {number}");
        }
    }
}

//! Faults as JSON. Every span is a number of seconds, fractions allowed.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use crate::{CannedResponse, Fault, RetryAfter, Skew};

/// A span of seconds that is none: negative, not finite, centuries too long.
#[derive(Debug, thiserror::Error)]
#[error("a number of seconds is negative or too large")]
pub(super) struct NoSpan;

pub(super) fn span(seconds: f64) -> Result<Duration, NoSpan> {
    // Ten years: clocks and calendars take no more.
    let span = Duration::try_from_secs_f64(seconds).map_err(|_| NoSpan)?;
    if span > Duration::from_secs(10 * 366 * 86_400) { Err(NoSpan) } else { Ok(span) }
}

pub(super) fn skew(seconds: f64) -> Result<Skew, NoSpan> {
    Ok(match span(seconds.abs())? {
        Duration::ZERO => Skew::None,
        by if seconds > 0.0 => Skew::Ahead(by),
        by => Skew::Behind(by),
    })
}

pub(super) fn skewed(skew: Skew) -> f64 {
    match skew {
        Skew::None => 0.0,
        Skew::Ahead(by) => by.as_secs_f64(),
        Skew::Behind(by) => -by.as_secs_f64(),
    }
}

fn too_many() -> u16 {
    429
}

fn found() -> u16 {
    302
}

/// A fault as the control API writes it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Spec {
    Status {
        status: u16,
    },
    RetryAfter {
        #[serde(default = "too_many")]
        status: u16,
        /// A number of seconds in the header.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<f64>,
        /// A date, this many seconds from now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        date_in_seconds: Option<f64>,
        /// Any text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    Response {
        status: u16,
        #[serde(default)]
        headers: Vec<(String, String)>,
        #[serde(default)]
        body: String,
    },
    Redirect {
        #[serde(default = "found")]
        status: u16,
        location: String,
    },
    CaptivePortal {},
    Firewall {},
    Latency {
        seconds: f64,
    },
    Reset {},
    Close {},
    Stall {},
    StallAfterHeaders {},
    Drip {
        seconds: f64,
    },
    Truncate {},
    Garbage {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base64: Option<String>,
    },
    Oversize {
        bytes: u64,
    },
    Gzip {},
    SkewedDate {
        seconds: f64,
    },
    NoDate {},
    Lifetime {
        seconds: f64,
    },
    Expired {
        seconds: f64,
    },
}

impl Spec {
    /// The fault, or one line that says what is wrong.
    pub(super) fn fault(self) -> Result<Fault, String> {
        let time = |seconds| span(seconds).map_err(|error| error.to_string());
        Ok(match self {
            Self::Status { status } => Fault::Status(check(status)?),
            Self::RetryAfter { status, seconds, date_in_seconds, text } => {
                let after = match (seconds, date_in_seconds, text) {
                    (Some(seconds), None, None) => RetryAfter::In(time(seconds)?),
                    (None, Some(seconds), None) => RetryAfter::At(time(seconds)?),
                    (None, None, Some(text)) => RetryAfter::Text(text),
                    _ => return Err("give one of seconds, date_in_seconds and text".to_owned()),
                };
                Fault::RetryAfter { status: check(status)?, after }
            }
            Self::Response { status, headers, body } => {
                let response = CannedResponse::new(check(status)?).body(body);
                let add = |it: CannedResponse, (name, value)| it.header(name, value);
                Fault::Response(headers.into_iter().fold(response, add))
            }
            Self::Redirect { status, location } => {
                Fault::Redirect { status: check(status)?, location }
            }
            Self::CaptivePortal {} => Fault::CaptivePortal,
            Self::Firewall {} => Fault::Firewall,
            Self::Latency { seconds } => Fault::Latency(time(seconds)?),
            Self::Reset {} => Fault::Reset,
            Self::Close {} => Fault::Close,
            Self::Stall {} => Fault::Stall,
            Self::StallAfterHeaders {} => Fault::StallAfterHeaders,
            Self::Drip { seconds } => Fault::Drip { pause: time(seconds)? },
            Self::Truncate {} => Fault::Truncate,
            Self::Garbage { text: Some(text), base64: None } => Fault::Garbage(text.into_bytes()),
            Self::Garbage { text: None, base64: Some(text) } => Fault::Garbage(
                BASE64_STANDARD.decode(text).map_err(|_| "base64 is no base64".to_owned())?,
            ),
            Self::Garbage { .. } => return Err("give one of text and base64".to_owned()),
            Self::Oversize { bytes } => Fault::Oversize { bytes },
            Self::Gzip {} => Fault::Gzip,
            Self::SkewedDate { seconds } => {
                Fault::SkewedDate(skew(seconds).map_err(|error| error.to_string())?)
            }
            Self::NoDate {} => Fault::NoDate,
            Self::Lifetime { seconds } => Fault::Lifetime(time(seconds)?),
            Self::Expired { seconds } => Fault::Expired(time(seconds)?),
        })
    }

    /// The delay in front of a fault, and the fault.
    pub(super) fn of(fault: Fault) -> (Duration, Self) {
        let (delay, rest) = fault.split();
        let Some(fault) = rest else {
            return (Duration::ZERO, Self::Latency { seconds: delay.as_secs_f64() });
        };
        let spec = match fault {
            Fault::Status(status) => Self::Status { status },
            Fault::RetryAfter { status, after } => {
                let (mut seconds, mut date_in_seconds, mut text) = (None, None, None);
                match after {
                    RetryAfter::In(span) => seconds = Some(span.as_secs_f64()),
                    RetryAfter::At(span) => date_in_seconds = Some(span.as_secs_f64()),
                    RetryAfter::Text(said) => text = Some(said),
                }
                Self::RetryAfter { status, seconds, date_in_seconds, text }
            }
            // Its headers and its body may hold a token.
            Fault::Response(canned) => {
                let status = canned.status();
                Self::Response { status, headers: Vec::new(), body: String::new() }
            }
            Fault::Redirect { status, location } => Self::Redirect { status, location },
            Fault::CaptivePortal => Self::CaptivePortal {},
            Fault::Firewall => Self::Firewall {},
            Fault::Reset => Self::Reset {},
            Fault::Close => Self::Close {},
            Fault::Stall => Self::Stall {},
            Fault::StallAfterHeaders => Self::StallAfterHeaders {},
            Fault::Drip { pause } => Self::Drip { seconds: pause.as_secs_f64() },
            Fault::Truncate => Self::Truncate {},
            Fault::Garbage(bytes) => {
                Self::Garbage { text: None, base64: Some(BASE64_STANDARD.encode(bytes)) }
            }
            Fault::Oversize { bytes } => Self::Oversize { bytes },
            Fault::Gzip => Self::Gzip {},
            Fault::SkewedDate(skew) => Self::SkewedDate { seconds: skewed(skew) },
            Fault::NoDate => Self::NoDate {},
            Fault::Lifetime(span) => Self::Lifetime { seconds: span.as_secs_f64() },
            Fault::Expired(span) => Self::Expired { seconds: span.as_secs_f64() },
            // `Fault::split` has taken these off.
            Fault::Latency(by) | Fault::Delayed { by, .. } => {
                Self::Latency { seconds: by.as_secs_f64() }
            }
        };
        (delay, spec)
    }
}

fn check(status: u16) -> Result<u16, String> {
    match status {
        200..=999 => Ok(status),
        _ => Err(format!("{status} is no status of a final response: give 200 to 999")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_the_same_after_a_round_trip() {
        for json in [
            r#"{"kind":"status","status":503}"#,
            r#"{"kind":"retry_after","status":429,"seconds":30.0}"#,
            r#"{"kind":"retry_after","status":503,"date_in_seconds":5.0}"#,
            r#"{"kind":"retry_after","status":503,"text":"soon"}"#,
            r#"{"kind":"redirect","status":307,"location":"/x"}"#,
            r#"{"kind":"captive_portal"}"#,
            r#"{"kind":"firewall"}"#,
            r#"{"kind":"latency","seconds":0.25}"#,
            r#"{"kind":"reset"}"#,
            r#"{"kind":"close"}"#,
            r#"{"kind":"stall"}"#,
            r#"{"kind":"stall_after_headers"}"#,
            r#"{"kind":"drip","seconds":0.01}"#,
            r#"{"kind":"truncate"}"#,
            r#"{"kind":"garbage","base64":"FQMB"}"#,
            r#"{"kind":"oversize","bytes":18446744073709551615}"#,
            r#"{"kind":"gzip"}"#,
            r#"{"kind":"skewed_date","seconds":-3600.0}"#,
            r#"{"kind":"no_date"}"#,
            r#"{"kind":"lifetime","seconds":2.0}"#,
            r#"{"kind":"expired","seconds":60.0}"#,
        ] {
            let spec: Spec = serde_json::from_str(json).unwrap();
            let fault = spec.fault().unwrap();
            assert!(json.contains(&format!("\"{}\"", fault.kind())), "{json}");
            let again = serde_json::to_string(&Spec::of(fault).1).unwrap();
            assert_eq!(again, json);
        }
    }

    #[test]
    fn what_is_no_fault_is_refused_with_a_line_that_says_why() {
        for json in [
            r#"{"kind":"status","status":99}"#,
            r#"{"kind":"latency","seconds":-1}"#,
            r#"{"kind":"drip","seconds":1e300}"#,
            r#"{"kind":"retry_after"}"#,
            r#"{"kind":"garbage","text":"a","base64":"YQ=="}"#,
            r#"{"kind":"garbage","base64":"*"}"#,
        ] {
            let spec: Spec = serde_json::from_str(json).unwrap();
            assert!(!spec.fault().unwrap_err().contains('\n'), "{json}");
        }
        for json in [r#"{"kind":"tea"}"#, r#"{"kind":"stall","for":3}"#, r#"{"kind":"status"}"#] {
            assert!(serde_json::from_str::<Spec>(json).is_err(), "{json}");
        }
    }
}

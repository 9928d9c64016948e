//! Faults of the connection: no answer, a partial one, or bytes that are not HTTP.

use std::time::Duration;

use auth_core::ErrorKind::{Connect, Protocol, Timeout, Unavailable};
use auth_sandbox::{Fault, Skew};

use crate::faults::front::{Reads, Script, Step};
use crate::faults::rule::Memory::Outage;
use crate::faults::rule::Outcome::{self, Error};
use crate::faults::rule::Tries::{Again, IfHarmless, Once};
use crate::faults::rule::{Memory, Row, Takes, Trouble};

const OK_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const MOMENT: Duration = Duration::from_millis(5);
const SLOW: Duration = Duration::from_millis(50);

/// The request is read, then these steps follow.
fn socket(steps: impl IntoIterator<Item = Step>) -> Trouble {
    Trouble::Socket(Script { reads: Reads::Request, steps: steps.into_iter().collect() })
}

fn write(bytes: impl AsRef<[u8]>) -> Step {
    Step::Write(bytes.as_ref().to_vec())
}

/// The head of a success with these further lines, and the beginning of a body.
fn ok(lines: &str, body: &str) -> Step {
    write([OK_HEAD, lines.as_bytes(), b"\r\n", body.as_bytes()].concat())
}

/// The request is read, then these bytes are written in place of an answer.
fn answered(bytes: impl AsRef<[u8]>) -> Trouble {
    socket([write(bytes)])
}

pub(super) fn rows() -> Vec<Row> {
    [unreachable(), broken(), late(), no_http(), clocks()].concat()
}

/// Nothing was sent: every flow retries.
fn unreachable() -> Vec<Row> {
    let row = |what, trouble| Row::new(what, trouble, Error(Connect), Again, Outage);
    vec![
        row("nobody listens on the port", Trouble::Refused),
        row("https is asked of a port that speaks plain http", Trouble::NoTls),
    ]
}

/// Sent, but no complete answer: retried if that does no harm.
fn broken() -> Vec<Row> {
    let row = |what, trouble| Row::new(what, trouble, Error(Unavailable), IfHarmless, Outage);
    let unread = Script { reads: Reads::Nothing, steps: vec![Step::Reset] };
    vec![
        row("the connection is reset before the request is read", Trouble::Socket(unread)),
        row("the connection is reset in place of an answer", Trouble::Sandbox(Fault::Reset)),
        row("the connection is closed in place of an answer", Trouble::Sandbox(Fault::Close)),
        row(
            "the connection is reset within the head",
            socket([write("HTTP/1.1 200 OK\r\nconte"), Step::Reset]),
        ),
        row("the connection is closed within the head", answered("HTTP/1.1 200 OK\r\nconte")),
        row(
            "the connection is reset within the body",
            socket([ok("content-length: 500\r\n", "{\"to"), Step::Reset]),
        ),
        row("the answer is cut off within the body", Trouble::Sandbox(Fault::Truncate)),
        row(
            "the answer is cut off within a chunk",
            socket([ok("transfer-encoding: chunked\r\n", "50\r\n{\"to")]),
        ),
    ]
}

/// Sent, but no complete answer in time.
fn late() -> Vec<Row> {
    let row = |what, trouble| {
        Row::new(what, trouble, Error(Timeout), IfHarmless, Outage).takes(Takes::AttemptLimit)
    };
    let stall = Trouble::Sandbox(Fault::Stall);
    vec![
        row("no answer, and the connection stays open", stall.clone()),
        row(
            "the head stops in the middle",
            socket([write("HTTP/1.1 200 OK\r\nconte"), Step::Hold]),
        ),
        row("the head comes one byte at a time, too slowly", {
            socket([Step::Trickle(OK_HEAD.to_vec(), SLOW)])
        }),
        row("the head comes, and the body does not", Trouble::Sandbox(Fault::StallAfterHeaders)),
        row(
            "the body stops in the middle",
            socket([ok("content-length: 500\r\n", "{\"to"), Step::Hold]),
        ),
        row(
            "the body comes one byte at a time, too slowly",
            Trouble::Sandbox(Fault::Drip { pause: SLOW }),
        ),
        Row::new(
            "no answer before the deadline of the flight",
            stall,
            Error(Timeout),
            Once,
            Outage,
        )
        .takes(Takes::Deadline),
    ]
}

/// The answer is not HTTP, or a success without a token: sent once.
fn no_http() -> Vec<Row> {
    let row = |what, trouble| Row::new(what, trouble, Error(Protocol), Once, Outage);
    let garbage = |bytes: &[u8]| Trouble::Sandbox(Fault::Garbage(bytes.to_vec()));
    let headers = "x-a: b\r\n".repeat(101);
    let greeting = Script {
        reads: Reads::Nothing,
        // Not at once: hyper loses the reason if the greeting arrives before the request is sent.
        steps: vec![Step::Trickle(b"220 mail.example.com ESMTP\r\n".to_vec(), MOMENT), Step::Hold],
    };
    vec![
        row("an SSH server answers", garbage(b"SSH-2.0-OpenSSH_9.6\r\n")),
        row("a mail server greets first", Trouble::Socket(greeting)),
        row("a TLS alert answers plain http", garbage(b"\x15\x03\x01\0\x02\x02\x50")),
        row("bytes that are no text", garbage(b"\0\xff\xfe\x01\x02\r\n\r\n")),
        row("a page without a head", garbage(b"<html><body>It works!</body></html>\r\n\r\n")),
        row("HTTP/2 on a port of HTTP/1.1", answered("HTTP/2.0 200 OK\r\n\r\n{}")),
        row("a head of more than 100 lines", {
            answered(format!("HTTP/1.1 200 OK\r\n{headers}content-length: 2\r\n\r\n{{}}"))
        }),
        row("a head of a megabyte", {
            answered(format!("HTTP/1.1 200 OK\r\nx-a: {}\r\n\r\n", "b".repeat(1 << 20)))
        }),
        row(
            "two lengths that differ",
            socket([ok("content-length: 2\r\ncontent-length: 3\r\n", "{}")]),
        ),
        row("a body of 70 kB", Trouble::Sandbox(Fault::Oversize { bytes: 70_000 })),
        row("a success whose body never ends", {
            Trouble::Sandbox(Fault::Oversize { bytes: u64::MAX })
        }),
        row("a body that is gzip, though nobody asked", Trouble::Sandbox(Fault::Gzip)),
    ]
}

/// Harmless faults: a token, at the first attempt.
fn clocks() -> Vec<Row> {
    let row = |what, trouble| Row::new(what, trouble, Outcome::Token, Once, Memory::Token);
    let (hour, ten_minutes) = (Duration::from_secs(3_600), Duration::from_secs(600));
    let date = |skew| Trouble::Sandbox(Fault::SkewedDate(skew));
    let early_hints = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(3);
    let expired = Trouble::Sandbox(Fault::Expired(Duration::from_secs(60)));
    vec![
        row("the answer is slow, and in time", Trouble::Sandbox(Fault::Latency(SLOW))),
        row("the body comes one byte at a time, and in time", {
            Trouble::Sandbox(Fault::Drip { pause: Duration::ZERO })
        }),
        row("three interim answers before the answer", socket([write(early_hints), Step::PassOn])),
        row("a token of 20 minutes", Trouble::Sandbox(Fault::Lifetime(2 * ten_minutes))),
        row("the provider's clock is an hour ahead", Trouble::Clock(Skew::Ahead(hour))),
        row("the provider's clock is an hour behind", Trouble::Clock(Skew::Behind(hour))),
        row("`Date` alone is ten minutes ahead", date(Skew::Ahead(ten_minutes))),
        row("`Date` alone is ten minutes behind", date(Skew::Behind(ten_minutes))),
        row("no `Date`", Trouble::Sandbox(Fault::NoDate)),
        Row::new("a token that ended a minute ago", expired, Error(Protocol), Once, Outage),
    ]
}

//! Makes the guide's page from the table.

use std::fmt::Write as _;

use auth_sandbox::Provider;

use super::rule::{Expected, Memory, Outcome, Row, Tries};
use super::table::rows;

/// The committed page, relative to the workspace's root.
pub const PAGE: &str = "crates/auth-core/docs/faults.md";

const HEAD: &str = "\
What becomes of each fault of a token endpoint: the kind of error, how often the request is sent, how
long the outcome is remembered, and whether a good token is still served meanwhile.

Each line is tried against all five providers on real sockets, in three states of a source: without
a token, with a good one that is due for refresh (stale), and after the API refused the token and the
caller invalidated it. `cargo xtask faults` runs them all, and `cargo xtask faults --write` renews this page.

# How to read it

- **Kind**: the [`ErrorKind`](crate::ErrorKind) that a caller without a good token gets.
  [Troubleshooting](crate::guide::troubleshooting) says what to do about each.
- **Attempts**: requests in one flight, under each flow's own
  [`RetryPolicy`](crate::RetryPolicy). Papaya keeps every token that it grants under a name, so its flow
  asks at most twice, and once where nobody knows whether a token was granted.
- **Remembered**: how long the first failure is answered without asking. Further ones in a row
  are remembered for longer: an outage for a quarter of the time that it has lasted, up to 30 s; a
  rejection for twice as long each time, up to 5 min. Then one request goes out, and if it brings a token
  nothing is left of the fault.
- **Stale token served**: whether a caller gets the old token, at once, while it is still good. It
  does in every line; where the refresh brings a new token, that one follows.

After a token was invalidated it is never handed out again, whatever the fault.
";

/// The page that the table makes.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for (title, lines) in sections() {
        write!(page, "\n# {title}\n\n").unwrap();
        page.push_str("| what happens | kind | attempts | remembered | stale token served |\n");
        page.push_str("|---|---|---|---|---|\n");
        for row in lines {
            page.push_str(&line(&row));
        }
    }
    page
}

/// The rows, grouped by the outcome for most providers.
fn sections() -> Vec<(&'static str, Vec<Row>)> {
    let titles = [
        ("No fault, or one that is seen through", vec!["Token"]),
        ("Nothing was sent", vec!["Connect"]),
        ("Sent, and no whole answer", vec!["Timeout", "Unavailable"]),
        ("Throttled", vec!["RateLimited"]),
        ("Rejected or refused", vec!["Credentials", "Request"]),
        ("Answered, and no token", vec!["Protocol"]),
    ];
    let of = |names: &[&str]| {
        let rows = rows().into_iter();
        rows.filter(|row| names.contains(&kind(row.usual).trim_matches('`'))).collect()
    };
    titles.into_iter().map(|(title, names)| (title, of(&names))).collect()
}

fn line(row: &Row) -> String {
    let mut cells = [kind(row.usual), attempts(row.usual.tries), remembered(row.usual.memory)];
    for (expected, who) in exceptions(row) {
        let other = [kind(expected), attempts(expected.tries), remembered(expected.memory)];
        for (cell, other) in cells.iter_mut().zip(other) {
            if !cell.starts_with(&other) {
                write!(cell, "; {who}: {other}").unwrap();
            }
        }
    }
    let [kind, attempts, remembered] = cells;
    let served = if row.usual.outcome == Outcome::Token { "yes, then the new one" } else { "yes" };
    format!("| {} | {kind} | {attempts} | {remembered} | {served} |\n", row.what)
}

/// Each exception, and the providers that share it.
fn exceptions(row: &Row) -> Vec<(Expected, String)> {
    let mut grouped: Vec<(Expected, Vec<&str>)> = Vec::new();
    for (provider, expected) in &row.except {
        match grouped.iter_mut().find(|(other, _)| other == expected) {
            Some((_, names)) => names.push(title(*provider)),
            None => grouped.push((*expected, vec![title(*provider)])),
        }
    }
    grouped.into_iter().map(|(expected, names)| (expected, names.join(", "))).collect()
}

fn title(provider: Provider) -> &'static str {
    match provider {
        Provider::Digitalpaye => "Digitalpaye",
        Provider::Digishare => "Digishare",
        Provider::TresorPay => "TresorPay",
        Provider::Papaya => "Papaya",
        Provider::Manis => "Manis",
        other => other.name(),
    }
}

fn kind(expected: Expected) -> String {
    match expected.outcome {
        Outcome::Token => "`Token`".to_owned(),
        Outcome::Error(kind) => format!("`{kind:?}`"),
    }
}

fn attempts(tries: Tries) -> String {
    match (tries.of(Provider::Manis), tries.of(Provider::Papaya)) {
        (most, papaya) if most == papaya => most.to_string(),
        (most, papaya) => format!("{most} (Papaya {papaya})"),
    }
}

fn remembered(memory: Memory) -> String {
    match memory {
        Memory::Token => "the token, until it is stale".to_owned(),
        Memory::Outage => "0.5 to 0.75 s".to_owned(),
        Memory::Throttle => "5 s".to_owned(),
        Memory::Asked(3_600) => "1 h, the most of any wait".to_owned(),
        Memory::Asked(seconds) => format!("{seconds} s, as asked"),
        Memory::Rejection => "30 s".to_owned(),
    }
}

//! No secret is shown: every line that any crate of the process logs at `TRACE`, every text of
//! every error and each `Debug` is searched for every secret, identifier, pair and token, in every
//! form.
//!
//! A single test, since the capture is for the whole process. Each stage has its own accounts.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are not seen as tests

mod echo;
mod set_up;
mod stages;
mod tls;

use std::fmt::Write as _;

use auth_core::{AccessToken, Error, ExposeSecret as _};
use auth_tests::canary::{Canary, Capture, Find, Hunt, Sort, texts};

/// The output of one stage, and the canaries that it must not contain.
#[derive(Default)]
struct Said {
    text: String,
    canaries: Vec<Canary>,
}

impl Said {
    fn note(&mut self, text: impl AsRef<str>) {
        self.text.push_str(text.as_ref());
        self.text.push('\n');
    }

    fn error(&mut self, error: &Error) {
        self.note(texts(error));
    }

    /// Notes every text of a token, which is a canary from here on.
    fn token(&mut self, what: &str, token: &AccessToken) {
        let (header, shared) = (
            token.authorization(),
            auth_core::SharedTokenSource::new(
                auth_core::StaticTokenSource::bearer(token.to_secret()).unwrap(),
            ),
        );
        write!(self.text, "{token:?}\n{token:#?}\n{header:?}\n{shared:?}\n").unwrap();
        let text = token.to_secret().expose_secret().to_owned();
        self.canaries.push(Canary { name: format!("a token of {what}"), text, sort: Sort::Token });
    }

    fn outcome(&mut self, what: &str, outcome: &Result<AccessToken, Error>) {
        match outcome {
            Ok(token) => self.token(what, token),
            Err(error) => self.error(error),
        }
    }

    fn add(&mut self, other: Self) {
        self.text.push_str(&other.text);
        self.canaries.extend(other.canaries);
    }

    /// Searches the output of the stage, and the log.
    fn find(&self, logged: &str) -> Vec<Find> {
        let hunt = Hunt::new(&self.canaries);
        let mut found = hunt.find(&self.text);
        found.extend(hunt.find(logged));
        found
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_and_no_token_is_shown_anywhere() {
    let capture = Capture::begin();
    let mut leaks = Vec::new();
    let mut check = |stage: &str, said: &Said| {
        let logged = capture.take();
        assert!(said.canaries.len() > 2 && said.text.len() > 200, "{stage} says nothing");
        for find in said.find(&logged) {
            leaks.push(format!("{stage}: {find:?}"));
        }
        logged
    };

    let logged = check("faults", &stages::faults().await);
    for speaker in ["token granted", "hyper", "token exchange failed"] {
        assert!(logged.contains(speaker), "{speaker} is not captured");
    }
    check("fixtures", &stages::fixtures().await);
    check("set-up", &set_up::all());
    let logged = check("TLS", &tls::all().await);
    for speaker in ["log DEBUG rustls", "log DEBUG reqwest"] {
        assert!(logged.contains(speaker), "{speaker} is not captured");
    }
    // The panic hook prints the client's own message; our texts must not repeat it.
    let said = stages::panics().await;
    let _ = capture.take();
    check("panics", &said);
    let (said, shown) = echo::all().await;
    check("echoes", &said);
    leaks.extend(shown.into_iter().map(|text| format!("an echo of {text}")));
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

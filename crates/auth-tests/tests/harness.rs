//! Tests of the harness: each canary is found in each form, and nothing else is.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use auth_sandbox::Provider;
use auth_tests::canary::forms::{FORMS, is_piece};
use auth_tests::canary::{Account, Capture, Hunt, Sort};

#[test]
fn each_form_of_each_canary_is_found_in_a_log() {
    assert!(FORMS.len() >= 40, "{}", FORMS.len());
    let capture = Capture::begin();
    let mut missed = Vec::new();
    for provider in Provider::ALL {
        let account = Account::new(provider, "planted");
        let hunt = Hunt::new(&account.canaries);
        for canary in &account.canaries {
            for form in FORMS.iter().filter(|f| canary.sort == Sort::Secret || !is_piece(f)) {
                let text = (form.write)(&canary.text);
                let says: [(&str, &dyn Fn()); 5] = [
                    ("tracing", &|| tracing::trace!("the value {text} is wrong")),
                    ("a field", &|| tracing::warn!(text, "wrong")),
                    ("Debug", &|| tracing::warn!(?text, "wrong")),
                    ("Debug of Debug", &|| tracing::warn!("{:?}", format!("{text:?}"))),
                    ("log", &|| log::trace!("the value {text} is wrong")),
                ];
                for (by, say) in says {
                    say();
                    let said = capture.take();
                    let found = hunt.find(&said);
                    if !found.iter().any(|find| find.canary == canary.name) {
                        missed.push(format!("{}, {}, by {by}: {said}", canary.name, form.name));
                    }
                }
            }
        }
    }
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));

    let account = Account::new(Provider::Manis, "in a panic");
    let hunt = Hunt::new(&account.canaries);
    let secret = account.credentials.secret().to_owned();
    std::thread::spawn(move || std::panic::panic_any(secret)).join().unwrap_err();
    let said = capture.take();
    assert!(said.contains("a panic:"), "{said}");
    let secret = account.credentials.secret().to_owned();
    let told = std::thread::spawn(move || assert!(secret.is_empty(), "bad value {secret}"));
    told.join().unwrap_err();
    assert!(!hunt.find(&capture.take()).is_empty(), "a panic's text is not captured");
}

#[test]
fn nothing_is_found_in_a_text_without_a_canary() {
    let accounts = Provider::ALL.map(|provider| Account::new(provider, "never said"));
    let hunt = Hunt::new(accounts.iter().flat_map(|account| &account.canaries));
    for file in ["src/canary.rs", "src/canary/forms.rs", "src/faults/cell.rs", "Cargo.toml"] {
        let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(hunt.find(&std::fs::read_to_string(path).unwrap()), []);
    }
    let other = Account::new(Provider::Papaya, "another");
    assert_eq!(hunt.find(other.credentials.secret()), []);
}

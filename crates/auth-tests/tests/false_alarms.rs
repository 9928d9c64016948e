//! False alarms of the scrubber: a text without a secret must not be withheld.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use auth_core::Scrubber;
use auth_tests::fixtures;
use serde_json::Value;

const SECRETS: [&str; 3] =
    ["k3J9/x2Vq/7Lw==", "0d4f9b7e-2c61-4f0a-9a53-7e1c5b2d8f60", "Zq8!made-up?Secret"];
/// Identifiers made of the providers' own words.
const IDS: [&str; 10] = [
    "merchant-0001",
    "tresorpay-client-7",
    "42",
    "client",
    "api-key",
    "invalid_client",
    "service-account-2",
    "sandbox-2026",
    "papaya-global-1",
    "campaigns:read",
];

/// Every string of a JSON value, keys included.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            found.push(name.clone());
            texts(value, found);
        }),
        _ => {}
    }
}

#[test]
fn no_recorded_text_that_echoes_nothing_is_withheld() {
    let mut found = Vec::new();
    for provider in ["digitalpaye", "digishare", "tresorpay", "papaya", "manis"] {
        for fixture in fixtures(provider) {
            let body = fixture.body("@SECRET@");
            match serde_json::from_slice(&body) {
                Ok(value) => texts(&value, &mut found),
                Err(_) => found.push(String::from_utf8_lossy(&body).into_owned()),
            }
        }
    }
    // Anything that looks like a JWT is scrubbed.
    found.retain(|text| !text.contains("eyJ") && !text.contains("@SECRET@"));
    found.sort();
    found.dedup();
    assert!(found.len() > 200, "{}", found.len());
    for secret in SECRETS {
        let mut known = Scrubber::new([secret]).with_ids(IDS);
        for id in IDS {
            known = known.with_pair(id, secret);
        }
        for text in &found {
            assert_eq!(&known.scrub(text), text);
        }
    }
}

//! Guides: architecture, deploying, rotating credentials, many accounts, programs without async, troubleshooting, faults,
//! threat model, testing, a sixth provider, release.
//!
//! They are the markdown files in the package's `docs` folder; their code blocks are compiled.

#[doc = include_str!("../docs/architecture/crates.md")]
#[doc = include_str!("../docs/crates.svg")]
#[doc = ""] // a drawing is a block of HTML, which an empty line ends
#[doc = include_str!("../docs/architecture/engine.md")]
#[doc = include_str!("../docs/flight.svg")]
#[doc = ""]
#[doc = include_str!("../docs/architecture/flight.md")]
pub mod architecture {}

#[doc = include_str!("../docs/deploy.md")]
pub mod deploy {}

#[doc = include_str!("../docs/rotation.md")]
pub mod rotation {}

#[doc = include_str!("../docs/accounts.md")]
pub mod accounts {}

#[doc = include_str!("../docs/blocking.md")]
pub mod blocking {}

#[doc = include_str!("../docs/troubleshooting.md")]
pub mod troubleshooting {}

#[doc = include_str!("../docs/faults.md")]
pub mod faults {}

#[doc = include_str!("../docs/threat_model.md")]
pub mod threat_model {}

#[doc = include_str!("../docs/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/sixth_provider.md")]
pub mod sixth_provider {}

#[doc = include_str!("../docs/release.md")]
pub mod release {}

#[cfg(test)]
mod tests {
    use std::fs::read_to_string;
    use std::path::Path;

    /// Only in a checkout: a published package does not contain the other crates.
    #[test]
    fn every_test_that_the_threat_model_names_is_there() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        if !crates.join("auth-tests").is_dir() {
            return;
        }
        let model = include_str!("../docs/threat_model.md");
        let is_test = |code: &str| {
            code.matches('_').count() > 2
                && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
        };
        let (mut file, mut named) = (String::new(), 0);
        for code in model.split('`').skip(1).step_by(2) {
            if code.ends_with(".rs") {
                file = read_to_string(crates.join(code)).unwrap_or_else(|_| panic!("no {code}"));
            } else if is_test(code) {
                assert!(
                    file.contains(&format!("fn {code}(")),
                    "{code} is not where it is said to be"
                );
                named += 1;
            }
        }
        assert!(named > 30, "{named}");
    }
}

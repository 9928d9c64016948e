//! Sections of configuration files: whatever is wrong in one, no value is shown.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are not seen as tests

use auth_core::{Error, SharedTokenSource};
use auth_tests::canary::texts;
use provider_auth::Config;

/// Each provider's fields, the required ones first, and a value that each accepts.
const FIELDS: [(&str, &[(&str, &str)]); 5] = [
    (
        "digitalpaye",
        &[
            ("api_key", "key-0001"),
            ("api_secret", "made-up-secret"),
            ("environment", "Sandbox"),
            ("base_url", "https://pay.example.com"),
        ],
    ),
    (
        "digishare",
        &[
            ("client_id", "client-0001"),
            ("client_secret", "made-up-secret"),
            ("scope", "campaigns:read"),
            ("base_url", "https://pay.example.com"),
        ],
    ),
    (
        "tresorpay",
        &[
            ("client_id", "client-0001"),
            ("client_secret", "made-up-secret"),
            ("scope", "none"),
            ("environment", "sandbox"),
            ("client_auth", "basic"),
            ("token_url", "https://pay.example.com/token"),
        ],
    ),
    (
        "papaya",
        &[
            ("api_key", "key-0001"),
            ("client_secret", "made-up-secret"),
            ("base_url", "https://pay.example.com"),
            ("environment", "staging"),
            ("token_name", "replica-1"),
        ],
    ),
    (
        "manis",
        &[
            ("merchant_id", "merchant-0001"),
            ("secret", "made-up-secret"),
            ("base_url", "https://pay.example.com"),
            ("expires_at_unit", "millis"),
        ],
    ),
];

/// The digits that no error may show, whatever stands around them.
const DIGITS: &str = "48151623";

/// Values of every type but a string, in the notation of each format.
const WRONG: [&[&str]; 3] = [
    &["48151623", "-48151623", "4815.1623e9", "true", "[48151623]", r#"{"a":48151623}"#],
    &[
        "48151623",
        "-48151623",
        "48151623.5",
        "true",
        "[48151623]",
        "{ a = 48151623 }",
        "2048-01-01T04:08:15.48151623Z",
    ],
    &[
        "48151623",
        "0x48151623",
        "-48151623",
        "4.8151623e9",
        "true",
        "[48151623]",
        "{a: 48151623}",
        "!secret 48151623",
    ],
];

#[derive(Clone, Copy, Debug)]
enum Format {
    Json,
    Toml,
    Yaml,
}

impl Format {
    const ALL: [Self; 3] = [Self::Json, Self::Toml, Self::Yaml];

    /// A section with these fields, whose values are in the format's own notation.
    fn section(self, provider: &str, fields: &[(&str, String)]) -> String {
        let provider = ("provider", format!("\"{provider}\""));
        let fields = [&[provider][..], fields].concat();
        let line = |(name, value): &(&str, String)| match self {
            Self::Json => format!("{name:?}:{value}"),
            Self::Toml => format!("{name} = {value}"),
            Self::Yaml => format!("{name}: {value}"),
        };
        let lines: Vec<_> = fields.iter().map(line).collect();
        match self {
            Self::Json => format!("{{{}}}", lines.join(",")),
            Self::Toml | Self::Yaml => lines.join("\n") + "\n",
        }
    }

    /// The source that a section gives. That it parses is part of the promise: a format's own error
    /// would show the line.
    fn source(self, section: &str) -> Result<SharedTokenSource, Error> {
        let config: Config = match self {
            Self::Json => serde_json::from_str(section).unwrap(),
            Self::Toml => toml::from_str(section).unwrap(),
            Self::Yaml => serde_yaml_ng::from_str(section).unwrap(),
        };
        assert!(!format!("{config:?}").contains(DIGITS));
        config.try_into()
    }
}

fn quoted(fields: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    fields.iter().map(|(name, value)| (*name, format!("{value:?}"))).collect()
}

#[test]
fn every_provider_is_read_from_every_format() {
    for (provider, fields) in FIELDS {
        for format in Format::ALL {
            let section = format.section(provider, &quoted(fields));
            let source = format.source(&section).unwrap();
            assert_eq!(source.status().provider, Some(provider));
        }
    }
}

#[test]
fn a_value_of_a_wrong_type_is_named_by_its_field_and_never_shown() {
    let mut refused = 0;
    for (provider, fields) in FIELDS {
        for (at, (name, _)) in fields.iter().enumerate() {
            for (format, wrong) in Format::ALL.into_iter().zip(WRONG) {
                for value in wrong {
                    for file in ["", "_file"] {
                        let field = format!("{name}{file}");
                        let mut fields = quoted(fields);
                        *fields.get_mut(at).unwrap() = (&field, (*value).to_owned());
                        let section = format.section(provider, &fields);
                        let error = format.source(&section).unwrap_err();
                        let says = format!("{field} must be a quoted string");
                        assert!(error.to_string().starts_with(&format!("{provider}: ")), "{error}");
                        assert!(error.message().contains(&says), "{section}: {error}");
                        assert!(!texts(&error).contains(DIGITS), "{section}: {error}");
                        refused += 1;
                    }
                }
            }
        }
    }
    assert!(refused > 900, "{refused}");
}

#[test]
fn a_value_under_a_misspelt_name_is_not_shown() {
    for (provider, fields) in FIELDS {
        for (at, (name, _)) in fields.iter().enumerate() {
            for format in Format::ALL {
                let misspelt = format!("{name}s");
                let mut fields = quoted(fields);
                *fields.get_mut(at).unwrap() = (&misspelt, format!("\"{DIGITS}\""));
                let error = format.source(&format.section(provider, &fields)).unwrap_err();
                assert!(error.message().contains(&format!("{misspelt} is no setting")), "{error}");
                assert!(!texts(&error).contains(DIGITS), "{error}");
            }
        }
    }
}

#[test]
fn a_provider_that_is_none_is_not_shown() {
    for format in Format::ALL {
        for section in [format.section(DIGITS, &[]), format.section("", &[])] {
            let error = format.source(&section).unwrap_err();
            let says = "set provider, in quotes, to one of digitalpaye, digishare, tresorpay, \
                        papaya, manis";
            assert_eq!(error.to_string(), says);
        }
    }
}

#[test]
fn all_faults_of_a_section_come_in_one_error() {
    let section = r#"{"provider":"digitalpaye","api_key":"a:b","base_url":"http://x","keys":1}"#;
    let error = Format::Json.source(section).unwrap_err().to_string();
    for part in [
        "digitalpaye: set api_secret (or api_secret_file)",
        "; api_key holds a colon",
        "; base_url: the endpoint URL is plain http",
        "; keys is no setting: expected api_key, api_secret, environment, base_url or base_url_",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn the_visitor_for_structs_of_ones_own_shows_no_value() {
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only parsed")]
    struct Acme {
        #[serde(deserialize_with = "auth_core::secret::quoted")]
        secret: auth_core::SecretString,
        #[serde(default, deserialize_with = "auth_core::secret::quoted_opt")]
        spare: Option<auth_core::SecretString>,
    }
    let good = ("secret", "\"made-up\"".to_owned());
    for (format, wrong) in Format::ALL.into_iter().zip(WRONG) {
        for value in wrong {
            let wrong = (*value).to_owned();
            for fields in [vec![("secret", wrong.clone())], vec![good.clone(), ("spare", wrong)]] {
                let section = format.section("acme", &fields);
                let text = match format {
                    Format::Json => serde_json::from_str::<Acme>(&section).unwrap_err().to_string(),
                    // Its `Display` shows the line of the file.
                    Format::Toml => toml::from_str::<Acme>(&section).unwrap_err().message().into(),
                    Format::Yaml => {
                        serde_yaml_ng::from_str::<Acme>(&section).unwrap_err().to_string()
                    }
                };
                assert!(text.contains("must be a quoted string"), "{section}: {text}");
                assert!(!text.contains(DIGITS), "{section}: {text}");
            }
        }
    }
}

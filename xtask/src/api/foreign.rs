//! No stable tool keeps the types of other crates out of public signatures: their next major version
//! would be ours.

use super::surface::Entry;

/// Paths of other crates' that may stand in the public API: whose items may name each, all where
/// nothing is named, and why.
const ALLOWED: [(&str, &[&str], &str); 18] = [
    ("core", &[], "the language's own"),
    ("alloc", &[], "the language's own"),
    ("std", &[], "the language's own"),
    ("http", &[], "1.x: what HTTP libraries have in common"),
    ("bytes::bytes::Bytes", &[], "1.x: a body"),
    ("secrecy::SecretString", &[], "how secrets come in"),
    ("secrecy::ExposeSecret", &[], "how secrets are read"),
    ("secrecy::SecretBox", &["auth_core::BodyValue"], "rustdoc writes SecretString out there"),
    (
        "async_trait::async_trait",
        &[],
        "a macro for an HttpClient of your own; no type of it stands in the API",
    ),
    (
        "serde_core::de",
        &["auth_core::wire", "auth_core::oauth2"],
        "what a flow's own bodies implement; serde 1.x, and serde_core is its public half",
    ),
    ("serde_core::de", CONFIGS, "a section of a configuration file, in any format of serde"),
    (
        "reqwest::async_impl::client::ClientBuilder",
        &["auth_core::ReqwestClient"],
        "below the feature reqwest-0_13 alone, which names the major version",
    ),
    (
        "reqwest",
        REQWEST_0_13,
        "below the feature reqwest-0_13 alone, which names the major version",
    ),
    ("reqwest_middleware", REQWEST_MIDDLEWARE_0_5, "as reqwest, below reqwest-middleware-0_5"),
    ("http_body::Body", TOWER, "1.x: what HTTP libraries have in common"),
    ("pin_project_lite::__private", TOWER, "what its macro says of Unpin; nobody can name it"),
    ("tower_layer::Layer", TOWER, "0.3, the trait that every layer has"),
    ("tower_service::Service", TOWER, "0.3, the trait that every service has"),
];
const CONFIGS: &[&str] = &[
    "auth_core::Section",
    "auth_core::secret",
    "digitalpaye_auth::Config",
    "digishare_auth::Config",
    "tresorpay_auth::Config",
    "papaya_auth::Config",
    "manis_auth::Config",
    "provider_auth::Config",
];
/// In the module of its feature, and at the root under the names that users write.
const REQWEST_0_13: &[&str] = &[
    "auth_middleware::reqwest_0_13",
    "auth_middleware::SendWith",
    "auth_middleware::redirect_policy",
    "auth_middleware::client_with",
    "auth_middleware::reqwest_middleware_0_5",
];
const REQWEST_MIDDLEWARE_0_5: &[&str] = &[
    "auth_middleware::reqwest_middleware_0_5",
    "auth_middleware::client",
    "auth_middleware::client_with",
];
const TOWER: &[&str] = &[
    "auth_middleware::AuthLayer",
    "auth_middleware::AuthService",
    "auth_middleware::AuthFuture",
    "auth_middleware::CloneBody",
    "auth_middleware::EmptyBody",
];

/// What stands in an entry and may not.
pub(crate) fn faults(entry: &Entry, ours: &[String]) -> Vec<String> {
    let is_foreign = |path: &&String| {
        let allowed = ALLOWED.iter().any(|(allowed, within, _)| {
            let here = within.is_empty() || within.iter().any(|it| is_below(&entry.subject, it));
            here && is_below(path, allowed)
        });
        !allowed && !ours.iter().any(|own| is_below(path, own))
    };
    let foreign = entry.paths.iter().filter(is_foreign);
    foreign
        .map(|path| format!("{path} is foreign to the public API:\n    {}", entry.line))
        .collect()
}

/// Whether a path is another one or hangs below it, part by part.
fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_holds_where_it_is_made_and_nowhere_else() {
        let builder = "reqwest::async_impl::client::ClientBuilder";
        for (subject, path, count) in [
            ("manis_auth::Manis::new", "std::time::SystemTime", 0),
            ("manis_auth::Manis::new", "auth_core::Error", 0),
            ("auth_core::Endpoint", "tokio::runtime::handle::Handle", 1),
            // A crate whose name begins as one that is allowed.
            ("auth_core::Endpoint", "http_body::Body", 1),
            ("auth_core::Endpoint", "auth_core_extra::Thing", 1),
            ("auth_core::ReqwestClient::configure", builder, 0),
            ("auth_core::Env::configure", builder, 1),
            ("auth_core::wire::decode", "serde_core::de::Deserialize", 0),
            ("auth_core::Grant", "serde_core::de::Deserialize", 1),
        ] {
            let subject = subject.to_owned();
            let entry = Entry { paths: vec![path.to_owned()], subject, ..Entry::default() };
            let ours = ["auth_core".to_owned(), "manis_auth".to_owned()];
            assert_eq!(faults(&entry, &ours).len(), count, "{path}");
        }
    }
}

//! No type of another crate in a public signature: its next major version would be ours.

use super::surface::{Entry, Surface};

/// A path of another crate's that may stand in the public API, and why.
struct Allowed {
    path: &'static str,
    /// Whose items may name it; all may where nothing is named.
    within: &'static [&'static str],
    why: &'static str,
}

const EVERYWHERE: &[&str] = &[];

const ALLOWED: &[Allowed] = &[
    Allowed { path: "core", within: EVERYWHERE, why: "the language's own" },
    Allowed { path: "alloc", within: EVERYWHERE, why: "the language's own" },
    Allowed { path: "std", within: EVERYWHERE, why: "the language's own" },
    Allowed { path: "http", within: EVERYWHERE, why: "1.x: what HTTP libraries have in common" },
    Allowed { path: "bytes::bytes::Bytes", within: EVERYWHERE, why: "1.x: a body" },
    Allowed { path: "secrecy::SecretString", within: EVERYWHERE, why: "how secrets come in" },
    Allowed { path: "secrecy::ExposeSecret", within: EVERYWHERE, why: "how secrets are read" },
    Allowed {
        path: "secrecy::SecretBox",
        within: &["auth_core::BodyValue"],
        why: "rustdoc writes the alias SecretString out in the head of an implementation",
    },
    Allowed {
        path: "async_trait::async_trait",
        within: EVERYWHERE,
        why: "a macro, re-exported for whoever writes an HttpClient; no type of it is left",
    },
    Allowed {
        path: "serde_core::de",
        within: &["auth_core::wire", "auth_core::oauth2"],
        why: "what a flow's own bodies implement; serde 1.x, and serde_core is its public half",
    },
    Allowed {
        path: "reqwest::async_impl::client::ClientBuilder",
        within: &["auth_core::ReqwestClient"],
        why: "below the feature reqwest-0_13 alone, which names the major version",
    },
];

/// What stands in the public API and may not.
pub(crate) fn faults(surface: &Surface, ours: &[String]) -> Vec<String> {
    surface.entries.iter().flat_map(|entry| in_entry(entry, ours)).collect()
}

fn in_entry<'a>(entry: &'a Entry, ours: &'a [String]) -> impl Iterator<Item = String> + 'a {
    let foreign = entry.paths.iter().filter(move |path| {
        !ours.iter().any(|own| is_below(path, own))
            && !ALLOWED.iter().any(|allowed| {
                let here = allowed.within.iter().any(|within| is_below(&entry.subject, within));
                is_below(path, allowed.path) && (allowed.within.is_empty() || here)
            })
    });
    foreign.map(move |path| {
        let elsewhere = ALLOWED.iter().find(|allowed| is_below(path, allowed.path));
        let elsewhere = elsewhere.map_or_else(String::new, |allowed| {
            format!(" (it may in {}: {})", allowed.within.join(", "), allowed.why)
        });
        format!(
            "{path} stands in the public API{elsewhere}; take or give a type of our own or std's:\n    {}",
            entry.line
        )
    })
}

/// Whether a path is another one or hangs below it, part by part.
fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(subject: &str, path: &str) -> Vec<String> {
        let entry = Entry {
            line: format!("pub fn {subject}({path})"),
            paths: vec![subject.to_owned(), path.to_owned()],
            subject: subject.to_owned(),
            ..Entry::default()
        };
        let ours = ["auth_core".to_owned(), "manis_auth".to_owned()];
        faults(&Surface { entries: vec![entry] }, &ours)
    }

    #[test]
    fn what_is_ours_or_shared_by_all_may_stand_anywhere() {
        for path in [
            "core::option::Option",
            "std::time::SystemTime",
            "alloc::string::String",
            "auth_core::Error",
            "http::request::Request",
            "bytes::bytes::Bytes",
            "secrecy::SecretString",
            "secrecy::ExposeSecret",
        ] {
            assert!(told("manis_auth::Manis::new", path).is_empty(), "{path}");
        }
    }

    #[test]
    fn a_planted_type_is_named_with_the_line_it_stands_in() {
        for path in [
            "tokio::runtime::handle::Handle",
            "reqwest::async_impl::client::Client",
            "reqwest::async_impl::client::ClientBuilder",
            "serde_json::value::Value",
            "serde_core::ser::Serialize",
            "secrecy::SecretBox",
            "jiff::timestamp::Timestamp",
            "url::Url",
            "rustls::client::ClientConfig",
            "arc_swap::ArcSwap",
            "tracing::span::Span",
            "zeroize::Zeroizing",
            "bytes::bytes_mut::BytesMut",
            // A crate whose name begins as one that is allowed.
            "http_body::Body",
            "std_detect::Feature",
            "auth_core_extra::Thing",
        ] {
            let faults = told("auth_core::Endpoint::parse", path);
            assert_eq!(faults.len(), 1, "{path}");
            assert!(faults[0].contains(path), "{}", faults[0]);
            assert!(faults[0].contains("pub fn auth_core::Endpoint::parse"), "{}", faults[0]);
        }
    }

    #[test]
    fn an_exception_holds_where_it_is_made_and_nowhere_else() {
        let builder = "reqwest::async_impl::client::ClientBuilder";
        assert!(told("auth_core::ReqwestClient::configure", builder).is_empty());
        let fault = told("auth_core::Env::configure", builder).remove(0);
        assert!(fault.contains("auth_core::ReqwestClient"), "{fault}");
        let client = "reqwest::async_impl::client::Client";
        assert_eq!(told("auth_core::ReqwestClient::configure", client).len(), 1);
        assert!(told("auth_core::wire::decode", "serde_core::de::Deserialize").is_empty());
        assert_eq!(told("auth_core::Grant", "serde_core::de::Deserialize").len(), 1);
    }
}

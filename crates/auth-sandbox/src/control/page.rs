//! The page at `/` of the control port. Its files stand in the program: nothing is built for it, and
//! nothing is fetched from elsewhere.

use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderValue, Method, StatusCode};

use crate::answer::{Answer, HTML};
use crate::request::Request;

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Path, content type and text.
const FILES: [(&str, &str, &str); 7] = [
    ("/page.css", CSS, include_str!("page/page.css")),
    ("/page.js", JAVASCRIPT, include_str!("page/page.js")),
    ("/api.js", JAVASCRIPT, include_str!("page/api.js")),
    ("/cards.js", JAVASCRIPT, include_str!("page/cards.js")),
    ("/requests.js", JAVASCRIPT, include_str!("page/requests.js")),
    ("/text.js", JAVASCRIPT, include_str!("page/text.js")),
    ("/words.js", JAVASCRIPT, include_str!("page/words.js")),
];

const INDEX: &str = include_str!("page/index.html");
const ICON: &str = include_str!("page/icon.svg");

/// What the page may do: load from this port, and make nothing of a text but text. Every other answer
/// may do nothing at all.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// The page, its parts, or for a program at `/` a plain text. `None` at any other path or method.
pub(super) fn serve(request: &Request) -> Option<Answer> {
    if request.method != Method::GET {
        return None;
    }
    let ok = |content_type, text: &'static str| Answer::new(StatusCode::OK, content_type, text);
    match request.path() {
        "/" if request.wants_html() => {
            let policy = HeaderValue::from_static(POLICY);
            Some(ok(HTML, INDEX).header(CONTENT_SECURITY_POLICY, policy))
        }
        "/" => Some(ok("text/plain; charset=utf-8", USAGE)),
        "/icon.svg" => Some(ok("image/svg+xml", ICON)),
        path => {
            let (_, content_type, text) = FILES.iter().find(|(known, ..)| *known == path)?;
            Some(ok(content_type, text))
        }
    }
}

/// For `curl`, which asks for no HTML.
const USAGE: &str = "\
auth-sandbox: a browser finds a page here; the control API is below /__sandbox/, described in
/__sandbox/openapi.json

  curl -s HERE/__sandbox/journal
  curl -s HERE/__sandbox/faults -H 'content-type: application/json' \\
       -d '{\"provider\":\"manis\",\"fault\":{\"kind\":\"status\",\"status\":503},\"times\":3}'
  curl -s -X DELETE HERE/__sandbox/faults
";

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::Verdict;

    /// English and French of each key.
    fn words() -> BTreeMap<String, [String; 2]> {
        let text = include_str!("page/words.js");
        let table = text.split_once("WORDS =").unwrap().1.trim().trim_end_matches(';');
        serde_json::from_str(table).unwrap()
    }

    /// What stands between `before` and a quote.
    fn quoted<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
        text.split(before).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
    }

    #[test]
    fn both_languages_have_every_word_and_its_holes() {
        for (key, [english, french]) in words() {
            let holes = |text: &str| {
                let names = text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap());
                names.map(str::to_owned).collect::<BTreeSet<_>>()
            };
            assert!(!english.trim().is_empty() && !french.trim().is_empty(), "{key}");
            assert_eq!(holes(&english), holes(&french), "{key}");
        }
    }

    #[test]
    fn the_page_says_only_words_of_the_table_and_all_of_them() {
        let scripts: String = FILES
            .iter()
            .filter(|(path, ..)| path.ends_with(".js") && *path != "/words.js")
            .map(|(.., text)| *text)
            .collect();
        // In the scripts, every key is a string of its own.
        let said: BTreeSet<_> = scripts.split('"').skip(1).step_by(2).collect();
        let words = words();
        let mut used: BTreeSet<String> =
            quoted(INDEX, "data-t=\"").into_iter().map(str::to_owned).collect();
        used.extend(words.keys().filter(|key| said.contains(key.as_str())).cloned());
        used.extend(scripts.match_indices("group_").map(|(at, _)| {
            scripts[at..]
                .split(|c: char| c != '_' && !c.is_ascii_lowercase())
                .next()
                .unwrap()
                .to_owned()
        }));
        let document: serde_json::Value = serde_json::from_str(super::super::OPENAPI).unwrap();
        let kinds = document["components"]["schemas"]["Fault"]["oneOf"].as_array().unwrap();
        for kind in kinds {
            let kind = kind["properties"]["kind"]["const"].as_str().unwrap();
            used.insert(format!("fault_{kind}"));
        }
        for verdict in
            [Verdict::Granted, Verdict::Accepted, Verdict::Refused, Verdict::Fault, Verdict::Stray]
        {
            used.insert(format!("verdict_{verdict}"));
        }
        assert_eq!(words.into_keys().collect::<BTreeSet<_>>(), used);
        for key in quoted(&scripts, " t(\"").iter().chain(&quoted(&scripts, "(t(\"")) {
            assert!(used.contains(*key), "{key} has no words");
        }
    }

    #[test]
    fn the_page_makes_nothing_but_text_of_a_text_and_loads_from_here_alone() {
        for (path, _, text) in FILES.iter().chain([&("/", HTML, INDEX)]) {
            let lower = text.to_lowercase();
            for banned in ["innerhtml", "outerhtml", "insertadjacent", "document.write", "eval("] {
                assert!(!lower.contains(banned), "{path}: {banned}");
            }
            for banned in ["://", "<style", "style=", "onclick=", "@import", "url("] {
                assert!(!lower.contains(banned), "{path}: {banned}");
            }
        }
    }
}

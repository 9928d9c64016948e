//! The public items of a library, one line each, with the paths that stand in it.
//!
//! What is left out, and why:
//! - implementations that a blanket one brings: another crate's promise, the same for every type;
//! - the methods of a trait's implementation: the trait's own, which the implementation's line says;
//! - the compiler's own marks (`Freeze`, `StructuralPartialEq`), which come and go with toolchains;
//! - a `!Send`: no promise, and taking it away breaks nobody.
//!
//! What stays although nobody wrote it: `Send`, `Sync`, `Unpin` and unwind safety. A private field
//! takes them away without a line of diff anywhere else, and that breaks whoever spawns a task.

use std::collections::{BTreeMap, HashSet};

use public_api::tokens::Token;
use serde_json::Value;

use super::rustdoc::Json;

/// Auto traits that users rely on.
const PROMISED: [&str; 5] = ["Send", "Sync", "Unpin", "UnwindSafe", "RefUnwindSafe"];

/// The paths of our own items below the private modules that hold them, and the public ones.
pub(crate) type Names = BTreeMap<String, String>;

/// A library's public items.
pub(crate) struct Surface {
    pub(crate) entries: Vec<Entry>,
}

/// A public item.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) line: String,
    /// Every path in it.
    pub(crate) paths: Vec<String>,
    /// Whose it is: its own path, or an implementation's type.
    pub(crate) subject: String,
    /// A type, a trait or a free function: what a reader looks up.
    pub(crate) has_a_page: bool,
    pub(crate) docs: String,
}

impl Surface {
    /// Reads rustdoc's JSON. `names` knows the libraries that were read before, and learns of this.
    pub(crate) fn read(json: &Json, names: &mut Names) -> Result<Self, String> {
        let api = public_api::Builder::from_rustdoc_json(&json.file)
            .omit_blanket_impls(true)
            .build()
            .map_err(|fault| format!("{}: {fault}", json.file.display()))?;
        let mut seen = HashSet::new();
        let mut entries = Vec::new();
        for item in api.items() {
            let parent = item.parent_id().map(|id| in_index(json, id.0)).unwrap_or_default();
            let itself = in_index(json, item.id().0);
            if is_noise(itself, parent) {
                continue;
            }
            let tokens: Vec<_> = item.tokens().collect();
            let entry = entry(json, &pieces(&tokens), itself, parent, names);
            if let Some(internal) = path_of(json, u64::from(item.id().0)) {
                learn(names, internal, &entry.subject);
            }
            if seen.insert(entry.line.clone()) {
                entries.push(entry);
            }
        }
        Ok(Self { entries })
    }
}

/// What a line is made of.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    /// A path of two parts at least.
    Path(String),
    Text(String),
}

/// Puts paths together again.
fn pieces(tokens: &[&Token]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut path: Vec<&str> = Vec::new();
    let mut colons = false;
    for token in tokens {
        let text = token.text();
        let name = matches!(token, Token::Identifier(_) | Token::Type(_) | Token::Function(_));
        if name && (path.is_empty() || colons) {
            // A glob of another crate's names stands here as one strange name.
            path.push(if text.starts_with("<<") { "*" } else { text });
            colons = false;
        } else if text == "::" && !path.is_empty() {
            colons = true;
        } else {
            pieces.extend(whole(&mut path));
            pieces.push(Piece::Text(text.to_owned()));
        }
    }
    pieces.extend(whole(&mut path));
    pieces
}

/// What has been gathered of a path. A single name is none: it hangs on a type that has ended
/// (`<T as Trait>::Error`), or names an associated type (`Output = T`).
fn whole(path: &mut Vec<&str>) -> Option<Piece> {
    let joined = path.join("::");
    let parts = path.len();
    path.clear();
    match parts {
        0 => None,
        1 => Some(Piece::Text(joined)),
        _ => Some(Piece::Path(joined)),
    }
}

fn entry(json: &Json, pieces: &[Piece], itself: &Value, parent: &Value, names: &Names) -> Entry {
    let mut entry = Entry::default();
    for piece in pieces {
        match piece {
            Piece::Text(text) => entry.line.push_str(text),
            Piece::Path(path) => {
                let path = names.get(path).unwrap_or(path);
                entry.line.push_str(path);
                entry.paths.push(path.clone());
            }
        }
    }
    if let Some(used) = inner(itself, "use") {
        let target = target(json, used, names);
        entry.line.push_str(&format!(" = {target}"));
        entry.paths.push(target);
    }
    let provided = inner(itself, "function").and_then(|function| function.get("has_body"));
    if inner(parent, "trait").is_some() && provided == Some(&Value::Bool(true)) {
        // Without it a new method breaks whoever implements the trait.
        entry.line.push_str(" { .. }");
    }
    let own = |path: &&String| path.split("::").next() == Some(&json.library);
    entry.subject = entry.paths.iter().find(own).cloned().unwrap_or_default();
    let in_type = inner(parent, "impl").or_else(|| inner(parent, "trait")).is_some();
    entry.has_a_page = ["struct", "enum", "union", "trait", "type_alias", "macro"]
        .iter()
        .any(|kind| inner(itself, kind).is_some())
        || (inner(itself, "function").is_some() && !in_type);
    text(itself, "docs").clone_into(&mut entry.docs);
    entry
}

/// What a re-export stands for: the item itself, wherever it is from.
fn target(json: &Json, used: &Value, names: &Names) -> String {
    let id = used.get("id").and_then(Value::as_u64);
    let target = id.and_then(|id| path_of(json, id)).filter(|path| !path.is_empty());
    // A crate as a whole has no path of its own.
    let target = target.unwrap_or_else(|| text(used, "source").to_owned());
    let target = names.get(&target).cloned().unwrap_or(target);
    if used.get("is_glob") == Some(&Value::Bool(true)) { target + "::*" } else { target }
}

/// Whether an item says nothing that its neighbours do not.
fn is_noise(itself: &Value, parent: &Value) -> bool {
    let of_a_trait =
        |item| inner(item, "impl").and_then(|it| it.get("trait")).filter(|it| it.is_object());
    if inner(itself, "function").is_some() && of_a_trait(parent).is_some() {
        return true;
    }
    let Some(of) = of_a_trait(itself) else {
        return false;
    };
    let name = text(of, "path").rsplit("::").next().unwrap_or_default();
    let says =
        |key: &str| inner(itself, "impl").and_then(|it| it.get(key)) == Some(&Value::Bool(true));
    name == "StructuralPartialEq"
        || (says("is_synthetic") && (says("is_negative") || !PROMISED.contains(&name)))
}

/// Keeps the shortest public name of an item.
fn learn(names: &mut Names, internal: String, public: &str) {
    // A library itself has but one name.
    if public.is_empty() {
        return;
    }
    let known = names.entry(internal).or_insert_with(|| public.to_owned());
    if public.len() < known.len() {
        public.clone_into(known);
    }
}

fn in_index(json: &Json, id: u32) -> &Value {
    json.value.get("index").and_then(|index| index.get(id.to_string())).unwrap_or(&Value::Null)
}

fn path_of(json: &Json, id: u64) -> Option<String> {
    let path = json.value.get("paths")?.get(id.to_string())?.get("path")?.as_array()?;
    let parts: Option<Vec<_>> = path.iter().map(Value::as_str).collect();
    Some(parts?.join("::"))
}

fn inner<'a>(item: &'a Value, kind: &str) -> Option<&'a Value> {
    item.get("inner")?.get(kind)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn symbol(text: &str) -> Token {
        Token::Symbol(text.to_owned())
    }

    fn name(text: &str) -> Token {
        Token::Identifier(text.to_owned())
    }

    #[test]
    fn paths_are_told_from_what_hangs_on_them() {
        // pub fn ours::Held<tokio::Handle>::take
        let tokens = [
            Token::Kind("fn".to_owned()),
            Token::Whitespace,
            name("ours"),
            symbol("::"),
            Token::Type("Held".to_owned()),
            symbol("<"),
            name("tokio"),
            symbol("::"),
            Token::Type("Handle".to_owned()),
            symbol(">"),
            symbol("::"),
            Token::Function("take".to_owned()),
        ];
        let pieces = pieces(&tokens.iter().collect::<Vec<_>>());
        let paths: Vec<_> = pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Path(path) => Some(path.as_str()),
                Piece::Text(_) => None,
            })
            .collect();
        assert_eq!(paths, ["ours::Held", "tokio::Handle"]);
        assert_eq!(pieces.last(), Some(&Piece::Text("take".to_owned())));
    }

    #[test]
    fn losing_send_is_seen_and_the_compilers_own_marks_are_not() {
        let implementation = |of: &str, synthetic: bool, negative: bool| {
            json!({"inner": {"impl": {
                "trait": {"path": of}, "is_synthetic": synthetic, "is_negative": negative,
            }}})
        };
        for (of, synthetic, negative, noise) in [
            ("Send", true, false, false),
            ("UnwindSafe", true, false, false),
            ("Send", true, true, true),
            ("Freeze", true, false, true),
            ("StructuralPartialEq", false, false, true),
            ("Clone", false, false, false),
        ] {
            let item = implementation(of, synthetic, negative);
            assert_eq!(is_noise(&item, &Value::Null), noise, "{of}, negative: {negative}");
        }
    }

    #[test]
    fn a_traits_methods_are_not_told_again_by_its_implementations() {
        let method = json!({"inner": {"function": {}}});
        let derived = json!({"inner": {"impl": {"trait": {"path": "Clone"}}}});
        let inherent = json!({"inner": {"impl": {"trait": null}}});
        assert!(is_noise(&method, &derived));
        assert!(!is_noise(&method, &inherent));
    }

    #[test]
    fn an_item_goes_by_its_shortest_public_name() {
        let mut names = Names::new();
        for public in ["ours::clients::Client", "ours::Client", "ours::clients::Client"] {
            learn(&mut names, "ours::http::client::Client".to_owned(), public);
        }
        assert_eq!(names["ours::http::client::Client"], "ours::Client");
        learn(&mut names, "ours".to_owned(), "");
        assert!(!names.contains_key("ours"));
    }
}

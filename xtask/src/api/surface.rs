//! `public-api` gives the public items of a library; it calls ours by the private modules that hold
//! them, and lists what says nothing.
//!
//! What is left out: implementations that a blanket one brings, the methods of a trait's
//! implementation (the trait's own), and the compiler's marks, which come and go with toolchains.
//! `Send`, `Sync`, `Unpin` and unwind safety stay although nobody wrote them: a private field takes
//! them away without a line of difference anywhere else, and that breaks a caller who spawns a task.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use public_api::tokens::Token;
use serde_json::Value;

/// Auto traits that users rely on.
const PROMISED: [&str; 5] = ["Send", "Sync", "Unpin", "UnwindSafe", "RefUnwindSafe"];
/// What a reader looks up by its name.
const PAGES: [&str; 6] = ["struct", "enum", "union", "trait", "type_alias", "macro"];

/// The public names of our items by the paths of the private modules that hold them.
pub(crate) type Names = BTreeMap<String, String>;

/// A public item.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) line: String,
    /// Every path in it.
    pub(crate) paths: Vec<String>,
    /// Whose it is: its own path, or an implementation's type.
    pub(crate) subject: String,
    /// A type, a trait or a free function.
    pub(crate) has_a_page: bool,
    pub(crate) docs: String,
}

/// Reads rustdoc's JSON. `names` knows the libraries that were read before, and learns of this.
pub(crate) fn read(file: &Path, json: &Value, names: &mut Names) -> Result<Vec<Entry>, String> {
    let api = public_api::Builder::from_rustdoc_json(file).omit_blanket_impls(true).build();
    let api = api.map_err(|fault| format!("{}: {fault}", file.display()))?;
    let library = file.file_stem().unwrap_or_default().to_string_lossy();
    let (mut seen, mut entries) = (HashSet::new(), Vec::new());
    for item in api.items() {
        let inner = |id: u32| &json["index"][id.to_string()]["inner"];
        let parent = item.parent_id().map_or(&Value::Null, |id| inner(id.0));
        let itself = inner(item.id().0);
        if is_noise(itself, parent) {
            continue;
        }
        let mut entry = Entry::default();
        for (text, is_path) in pieces(item.tokens()) {
            let known = names.get(&text).filter(|_| is_path).cloned().unwrap_or(text);
            entry.line.push_str(&known);
            entry.paths.extend(is_path.then_some(known));
        }
        let used = &itself["use"];
        if used.is_object() {
            // The item itself, wherever it is from; a crate as a whole has no path of its own.
            let path = path(json, &used["id"].to_string()).filter(|path| !path.is_empty());
            let path = path.unwrap_or_else(|| text(&used["source"]));
            let path = names.get(&path).cloned().unwrap_or(path);
            let path = if used["is_glob"] == true { path + "::*" } else { path };
            entry.line.push_str(&format!(" = {path}"));
            entry.paths.push(path);
        }
        if parent["trait"].is_object() && itself["function"]["has_body"] == true {
            // Without it a new method breaks every implementation of the trait.
            entry.line.push_str(" { .. }");
        }
        let own = entry.paths.iter().find(|path| path.split("::").next() == Some(&library));
        entry.subject = own.cloned().unwrap_or_default();
        let is_free = !parent["impl"].is_object() && !parent["trait"].is_object();
        entry.has_a_page = PAGES.iter().any(|kind| !itself[kind].is_null())
            || (itself["function"].is_object() && is_free);
        entry.docs = text(&json["index"][item.id().0.to_string()]["docs"]);
        if let Some(internal) = path(json, &item.id().0.to_string()) {
            learn(names, internal, &entry.subject);
        }
        if seen.insert(entry.line.clone()) {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// Puts paths together again, and says which pieces are some. A single name is none: it hangs on a
/// type that has ended (`<T as Trait>::Error`), or names an associated type (`Output = T`).
fn pieces<'a>(tokens: impl Iterator<Item = &'a Token>) -> Vec<(String, bool)> {
    let mut pieces: Vec<(String, bool)> = Vec::new();
    let (mut begun, mut colons) = (false, false);
    for token in tokens {
        // A glob of another crate's names stands here as one strange name.
        let text = if token.text().starts_with("<<") { "*" } else { token.text() };
        let is_name = matches!(token, Token::Identifier(_) | Token::Type(_) | Token::Function(_));
        match pieces.last_mut().filter(|_| begun) {
            Some((path, is_path)) if is_name && colons => {
                *path += &format!("::{text}");
                *is_path = true;
                colons = false;
            }
            Some(_) if text == "::" => colons = true,
            _ => {
                pieces.push((text.to_owned(), false));
                begun = is_name;
                colons = false;
            }
        }
    }
    pieces
}

/// Whether an item says nothing that its neighbours do not.
fn is_noise(itself: &Value, parent: &Value) -> bool {
    if itself["function"].is_object() && parent["impl"]["trait"].is_object() {
        return true;
    }
    let it = &itself["impl"];
    let path = text(&it["trait"]["path"]);
    let name = path.rsplit("::").next().unwrap_or_default();
    let unpromised = it["is_negative"] == true || !PROMISED.contains(&name);
    name == "StructuralPartialEq" || (it["is_synthetic"] == true && unpromised)
}

/// Keeps the shortest public name of an item; a library itself has but one.
fn learn(names: &mut Names, internal: String, public: &str) {
    let known = names.get(&internal);
    if !public.is_empty() && known.is_none_or(|known| public.len() < known.len()) {
        names.insert(internal, public.to_owned());
    }
}

fn path(json: &Value, id: &str) -> Option<String> {
    let path = json["paths"][id]["path"].as_array()?;
    let parts: Option<Vec<_>> = path.iter().map(Value::as_str).collect();
    Some(parts?.join("::"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn losing_send_is_seen_and_what_others_say_is_not() {
        for (of, synthetic, negative, noise) in [
            ("Send", true, false, false),
            ("Send", true, true, true),
            ("Freeze", true, false, true),
            ("Clone", false, false, false),
        ] {
            let item = json!({"impl": {
                "trait": {"path": of}, "is_synthetic": synthetic, "is_negative": negative,
            }});
            assert_eq!(is_noise(&item, &Value::Null), noise, "{item}");
            assert!(is_noise(&json!({"function": {}}), &item));
        }
    }
}

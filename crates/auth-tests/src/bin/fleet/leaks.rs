//! Whether what the store wrote shows a secret, a token, the account or the provider's host.

use std::path::Path;

use auth_tests::canary::{Canary, Hunt, Sort};

use crate::fleet::Fleet;
use crate::place::Kind;

/// All files below a folder.
pub(crate) fn files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut found = Vec::new();
    let failed = |fault: std::io::Error| format!("{}: {fault}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            found.push((name, std::fs::read(&path).map_err(failed)?));
        }
    }
    Ok(found)
}

/// The canaries that were found, each with its place.
pub(crate) fn search(fleet: &mut Fleet) -> Result<Vec<String>, String> {
    let traces = match fleet.plan.store {
        Kind::None => return Ok(Vec::new()),
        Kind::File => files(&fleet.place.tokens())?,
        Kind::Redis => fleet.place.server()?.traces()?,
    };
    if traces.iter().all(|(_, bytes)| bytes.is_empty()) {
        return Err("the store wrote nothing, so nothing was searched".to_owned());
    }
    let mut hunt = Hunt::new(&fleet.account.canaries);
    for token in fleet.tokens.iter().take(5) {
        hunt.add(&Canary { name: "a token".into(), text: token.clone(), sort: Sort::Token });
    }
    let mut plain: Vec<_> = fleet.tokens.iter().map(String::as_str).collect();
    let host = fleet.provider.base_url().trim_start_matches("http://");
    plain.push(host);
    let mut hits = Vec::new();
    for (name, bytes) in traces {
        let text = String::from_utf8_lossy(&bytes);
        let found = hunt.find(&text);
        hits.extend(
            found.iter().map(|find| {
                format!("{name} shows {} ({}): {}", find.canary, find.form, find.place)
            }),
        );
        let shown = plain.iter().filter(|canary| text.contains(**canary)).count();
        if shown > 0 {
            hits.push(format!("{name} shows {shown} tokens or hosts as they are"));
        }
    }
    Ok(hits)
}

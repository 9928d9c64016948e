//! The cache: the file store of this user, shared by all calls and by programs of this library.

use std::path::PathBuf;
use std::time::Duration;

use auth_core::{Ask, Claim, Error, TokenExchange, TokenStore as _};
use auth_store::{FileBackend, FileStore, SharedStore};

use crate::out::{Out, printable};
use crate::settings::cache_folder;
use crate::text::Text;

/// Opens the folder: the user's own, or the one that `PROVIDER_AUTH_CACHE_DIR` names.
pub(crate) fn folder() -> Result<FileBackend, Error> {
    cache_folder().map_or_else(FileBackend::user, FileBackend::open)
}

/// How long a call of the cache may take: the longest that a store allows. A hundred calls at once on
/// a busy machine are to wait for one exchange, and not to give up on the folder and ask as well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Opens the cache.
pub(crate) fn open() -> Result<FileStore, Error> {
    SharedStore::unsealed(folder()?).patience(PATIENCE)
}

/// Opens the cache, or says why the call goes without.
pub(crate) fn open_or_warn(out: &Out) -> Option<FileStore> {
    match open() {
        Ok(store) => Some(store),
        Err(error) => {
            let why = printable(&error.to_string());
            out.note(&Text::CacheUnusable.with(out.lang, &[&why]));
            None
        }
    }
}

/// What the cache holds of an account.
pub(crate) enum Held {
    Token { left: Duration, lifetime: Duration },
    Refused { error: Box<Error>, left: Duration },
    Busy,
    Nothing,
}

/// Looks up an account. Asks nobody.
pub(crate) async fn look(folder: &FileBackend, flow: &dyn TokenExchange) -> Result<Held, Error> {
    let (store, request) = (SharedStore::unsealed(folder.clone()), flow.request()?);
    let identity = flow.identity();
    Ok(match store.claim(&Ask::new(&identity, &request)).await {
        Claim::Token(token) => Held::Token { left: token.left, lifetime: token.lifetime },
        Claim::Refused { error, left, .. } => Held::Refused { error: Box::new(error), left },
        Claim::Held { .. } => Held::Busy,
        // A lease that is dropped is given back.
        _ => Held::Nothing,
    })
}

/// Removes what the cache holds of an account; says whether there was anything.
pub(crate) async fn clear(folder: &FileBackend, flow: &dyn TokenExchange) -> Result<bool, Error> {
    SharedStore::unsealed(folder.clone()).forget(&flow.identity()).await
}

/// Removes all records; says how many. The key stays.
pub(crate) fn clear_all(folder: &FileBackend) -> std::io::Result<usize> {
    let mut removed = 0;
    for path in records(folder)? {
        match std::fs::remove_file(&path) {
            Ok(()) => removed += 1,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}

fn records(folder: &FileBackend) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder.path())? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "rec") {
            found.push(path);
        }
    }
    Ok(found)
}

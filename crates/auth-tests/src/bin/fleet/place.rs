//! The stores: a folder, or a server with a proxy before it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::proxy::Proxy;
use crate::redis::Server;

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To see what a store is good for.
    None,
    File,
    Redis,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::File => "file",
            Self::Redis => "redis",
        }
    }
}

/// A store and the folder with all that is its own, which is removed at the end.
pub(crate) struct Place {
    pub(crate) kind: Kind,
    folder: PathBuf,
    pub(crate) server: Option<Server>,
    pub(crate) proxy: Option<Proxy>,
    key: String,
}

impl Place {
    /// `has_proxy`: the server is reached through a proxy, which costs its time too.
    pub(crate) fn open(kind: Kind, has_proxy: bool) -> Result<Self, String> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        // In memory where that can be: what is measured is no disk that others write to as well.
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = parent.join(format!("auth-fleet-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|fault| fault.to_string())?;
        let key = STANDARD.encode(std::array::from_fn::<u8, 32, _>(|_| fastrand::u8(..)));
        let mut place = Self { kind, folder, server: None, proxy: None, key };
        if kind == Kind::Redis {
            let start = || {
                let server = Server::start(&place.folder, "made-up-1")?;
                let proxy = has_proxy.then(|| Proxy::start(server.port())).transpose()?;
                Ok((server, proxy))
            };
            let (server, proxy) = start().map_err(|fault: std::io::Error| fault.to_string())?;
            (place.server, place.proxy) = (Some(server), proxy);
            place.write_url("made-up-1")?;
        }
        Ok(place)
    }

    /// The folder of the file store.
    pub(crate) fn tokens(&self) -> PathBuf {
        self.folder.join("tokens")
    }

    /// What a replica is told.
    pub(crate) fn store(&self) -> String {
        match self.kind {
            Kind::File => format!("file {}", self.tokens().display()),
            other => other.name().to_owned(),
        }
    }

    /// The variables of a replica.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        match self.kind {
            Kind::Redis => vec![
                ("AUTH_STORE_REDIS_URL_FILE", self.url_file().display().to_string()),
                ("AUTH_STORE_KEY", self.key.clone()),
            ],
            _ => Vec::new(),
        }
    }

    fn url_file(&self) -> PathBuf {
        self.folder.join("url")
    }

    /// Writes the URL with this password, as an operator would: whole.
    pub(crate) fn write_url(&self, password: &str) -> Result<(), String> {
        let direct = self.server.as_ref().map_or(0, Server::port);
        let port = self.proxy.as_ref().map_or(direct, Proxy::port);
        let new = self.folder.join("url.new");
        std::fs::write(&new, format!("redis://app:{password}@127.0.0.1:{port}"))
            .and_then(|()| std::fs::rename(&new, self.url_file()))
            .map_err(|fault| fault.to_string())
    }

    pub(crate) fn server(&mut self) -> Result<&mut Server, String> {
        self.server.as_mut().ok_or_else(|| "only with a server".to_owned())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.server.take());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

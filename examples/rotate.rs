//! A secret that is rotated under load, as Kubernetes does it: the mounted files are symbolic links
//! through `..data`, which is replaced by another link.
//!
//! With an overlap, in which the provider accepts the old secret and the new one, no call fails and
//! no request is rejected. Without one, an exchange that is under way costs one rejected request.

#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for a terminal

#[cfg(unix)]
mod story {
    use std::error::Error;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::time::Duration;

    use auth_sandbox::{Credentials, Fault, Sandbox};
    use digishare_auth::{CachedTokenSource, Digishare, Env};
    use tokio::task::JoinSet;
    use tokio::time::sleep;

    const SOURCES: usize = 16;
    const CALLERS_EACH: usize = 4;
    const ROTATIONS: usize = 12;

    /// A volume as the kubelet mounts it.
    struct Volume {
        folder: PathBuf,
        versions: u32,
    }

    impl Volume {
        fn new(credentials: &Credentials) -> std::io::Result<Self> {
            let folder = std::env::temp_dir().join(format!("rotate-{}", std::process::id()));
            fs::create_dir_all(&folder)?;
            let mut volume = Self { folder, versions: 0 };
            volume.put(credentials)?;
            for name in ["client-id", "client-secret"] {
                symlink(format!("..data/{name}"), volume.folder.join(name))?;
            }
            Ok(volume)
        }

        /// Writes a new version beside the old one, and replaces the link in one step.
        fn put(&mut self, credentials: &Credentials) -> std::io::Result<()> {
            self.versions += 1;
            let version = format!("..version-{}", self.versions);
            let folder = self.folder.join(&version);
            fs::create_dir(&folder)?;
            fs::write(folder.join("client-id"), credentials.id())?;
            fs::write(folder.join("client-secret"), credentials.secret())?;
            symlink(version, self.folder.join("..data_tmp"))?;
            fs::rename(self.folder.join("..data_tmp"), self.folder.join("..data"))?;
            fs::remove_dir_all(self.folder.join(format!("..version-{}", self.versions - 1))).ok();
            Ok(())
        }

        fn env(&self, base_url: &str) -> Env {
            let path = |name| self.folder.join(name).to_string_lossy().into_owned();
            Env::from_pairs([
                ("DIGISHARE_CLIENT_ID_FILE", path("client-id")),
                ("DIGISHARE_CLIENT_SECRET_FILE", path("client-secret")),
                ("DIGISHARE_BASE_URL", base_url.to_owned()),
            ])
        }
    }

    impl Drop for Volume {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.folder).ok();
        }
    }

    pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
        let sandbox = Sandbox::builder().token_lifetime(Duration::from_secs(3)).start().await?;
        let provider = sandbox.digishare();
        let id = provider.credentials().id().to_owned();
        let next = |number: usize| Credentials::new(id.clone(), format!("made-up-secret-{number}"));
        let mut volume = Volume::new(&provider.credentials())?;

        // In a service: `CachedTokenSource::rereading(Env::process(), Digishare::read_env)?.build()?`.
        let source = || {
            let env = volume.env(provider.base_url());
            CachedTokenSource::rereading(env, Digishare::read_env)?.build()
        };
        let sources = (0..SOURCES).map(|_| source()).collect::<Result<Vec<_>, _>>()?;
        let alone = source()?;

        let (calls, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let is_over = Arc::new(AtomicBool::new(false));
        let mut callers = JoinSet::new();
        for tokens in sources.iter().flat_map(|tokens| std::iter::repeat_n(tokens, CALLERS_EACH)) {
            let (tokens, is_over) = (tokens.clone(), Arc::clone(&is_over));
            let (calls, failed) = (Arc::clone(&calls), Arc::clone(&failed));
            callers.spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    calls.fetch_add(1, Ordering::Relaxed);
                    if let Err(error) = tokens.token().await {
                        failed.fetch_add(1, Ordering::Relaxed);
                        eprintln!("{error}");
                    }
                    sleep(Duration::from_millis(2)).await;
                }
            });
        }
        for number in 0..ROTATIONS {
            provider.also_accept(next(number));
            volume.put(&next(number))?;
            sleep(Duration::from_millis(400)).await; // what is under way with the old one ends
            provider.accept(next(number));
        }
        is_over.store(true, Ordering::Relaxed);
        while callers.join_next().await.is_some() {}
        let (calls, failed) = (calls.load(Ordering::Relaxed), failed.load(Ordering::Relaxed));
        let counted = provider.counters();
        println!(
            "with an overlap: {ROTATIONS} rotations, {calls} calls, {failed} failed; \
             {} token requests, {} rejected",
            counted.token_requests, counted.rejected
        );
        assert_eq!((failed, counted.rejected), (0, 0));
        assert!(counted.tokens_issued >= SOURCES as u64 * 2);

        // Without an overlap: file and provider change while a request with the old secret travels.
        provider.reset_counters();
        provider.inject_times(Fault::Latency(Duration::from_millis(300)), 1);
        let waiting = alone.clone();
        callers.spawn(async move { assert!(waiting.token().await.is_ok()) });
        while provider.counters().token_requests == 0 {
            sleep(Duration::from_millis(5)).await;
        }
        volume.put(&next(ROTATIONS))?;
        provider.accept(next(ROTATIONS));
        while let Some(call) = callers.join_next().await {
            call?;
        }
        let counted = provider.counters();
        println!(
            "without one: {} token requests, {} rejected, and the call got its token",
            counted.token_requests, counted.rejected
        );
        assert_eq!((counted.token_requests, counted.rejected), (2, 1));
        Ok(())
    }
}

#[cfg(unix)]
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    story::run().await
}

#[cfg(not(unix))]
fn main() {
    eprintln!("this example needs symbolic links, as Kubernetes mounts secrets");
}

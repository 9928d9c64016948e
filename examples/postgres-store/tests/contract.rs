//! The store against the contract, on a PostgreSQL that this test starts itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use auth_store::contract;
use postgres_store::{PostgresBackend, TABLE};
use tokio_postgres::{Config, NoTls};

/// A server of this test's own, without a port: a socket in its folder.
struct Server {
    folder: PathBuf,
    process: Child,
}

impl Server {
    /// `None` if there is no PostgreSQL here.
    fn start() -> Option<Self> {
        let programs = programs()?;
        let folder = std::env::temp_dir().join(format!("postgres-store-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let data = folder.join("data");
        // It refuses to run as root, which a container often is.
        let as_user = |program: &str| {
            let path = programs.join(program);
            if fs::metadata("/proc/self").is_ok_and(|it| owner(&it) == 0) {
                assert!(
                    Command::new("chown").arg("postgres").arg(&folder).status().unwrap().success()
                );
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(path);
                command
            } else {
                Command::new(path)
            }
        };
        let mut made = as_user("initdb");
        made.args(["--no-sync", "--auth=trust", "--username=tokens", "--pgdata"]).arg(&data);
        assert!(made.stdout(Stdio::null()).status().unwrap().success(), "initdb");
        let mut server = as_user("postgres");
        server.arg("-D").arg(&data).arg("-k").arg(&folder);
        server.args(["-c", "listen_addresses=", "-c", "fsync=off"]);
        let process = server.stderr(Stdio::null()).spawn().unwrap();
        Some(Self { folder, process })
    }

    fn config(&self) -> Config {
        let mut config = Config::new();
        config.host_path(&self.folder).user("tokens").dbname("postgres");
        config
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
        if let Some(pid) = pid.lines().next() {
            Command::new("kill").args(["-INT", pid]).status().ok();
        }
        self.process.wait().ok();
        fs::remove_dir_all(&self.folder).ok();
    }
}

fn owner(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(metadata)
}

/// Where `initdb` and `postgres` are: Debian keeps them off the path.
fn programs() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = debian.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian.chain(std::env::split_paths(&path)).find(|at| is_in(at))
}

fn is_in(folder: &Path) -> bool {
    folder.join("initdb").is_file() && folder.join("postgres").is_file()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_in_postgresql_keep_the_contract() {
    let Some(server) = Server::start() else {
        println!("skipped: no PostgreSQL on this machine");
        return;
    };
    let began = Instant::now();
    let client = loop {
        match server.config().connect(NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                break client;
            }
            Err(fault) if began.elapsed() > Duration::from_secs(20) => panic!("{fault}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    client.batch_execute(TABLE).await.unwrap();
    contract::all(|| async { PostgresBackend::new(server.config()) }).await;
}

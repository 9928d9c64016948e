//! Three processes of one service, started at once: one asks the provider, the others use its token.
//!
//! The store is a folder, as on one host. For many hosts it is `RedisStore::connect_env().await?`.

#![allow(clippy::print_stdout)] // a program for a terminal

use std::error::Error;
use std::process::Command;

use auth_sandbox::Sandbox;
use auth_store::FileStore;
use tresorpay_auth::{CachedTokenSource, TresorPay};

const REPLICAS: usize = 3;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args_os().nth(1) {
        Some(folder) => replica(FileStore::open(folder)?).await,
        None => fleet().await,
    }
}

/// What your service does: all its replicas have the same variables and the same folder.
async fn replica(store: FileStore) -> Result<(), Box<dyn Error>> {
    let tokens = CachedTokenSource::builder(TresorPay::from_env()?).store(store).build()?;
    tokens.token().await?;
    let status = tokens.status();
    println!("replica: a token, requests of its own: {}", status.requests);
    Ok(())
}

/// Starts the replicas, on a provider that counts.
async fn fleet() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start().await?;
    let provider = sandbox.tresorpay();
    let folder = std::env::temp_dir().join(format!("fleet-{}", std::process::id()));
    let start = || {
        let mut replica = Command::new(std::env::current_exe()?);
        replica.arg(&folder).envs(provider.env()).spawn()
    };
    let replicas: Vec<_> = (0..REPLICAS).map(|_| start()).collect::<Result<_, _>>()?;
    for mut replica in replicas {
        let ended = tokio::task::spawn_blocking(move || replica.wait()).await??;
        if !ended.success() {
            return Err("a replica failed".into());
        }
    }
    std::fs::remove_dir_all(&folder)?;
    let requests = provider.counters().token_requests;
    println!("{REPLICAS} replicas, {requests} request to the provider");
    if requests == 1 { Ok(()) } else { Err("they did not share their token".into()) }
}

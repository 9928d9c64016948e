//! A mock made from our description of Manis's endpoint, which validates each request by it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use auth_core::{CachedTokenSource, HttpClient, HttpRequest, ReqwestClient};
use manis_auth::{Credentials, Endpoint, Manis};

use crate::process::{Process, free_port, tool};
use crate::report::Report;

/// The mock, from npm.
const PRISM: &str = "@stoplight/prism-cli@5.16.0";
const DESCRIPTION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/manis.yaml");

/// Installs it, once. Returns the path of the program.
pub(crate) fn fetch(target: &Path) -> Result<PathBuf, String> {
    let folder = target.join("prism");
    let program = folder.join("node_modules/.bin/prism");
    if !program.is_file() {
        std::fs::create_dir_all(&folder).map_err(|fault| fault.to_string())?;
        let words = ["install", "--no-audit", "--no-fund", "--silent", "--prefix", ".", PRISM];
        tool(Command::new("npm").args(words).current_dir(&folder))?;
    }
    Ok(program)
}

/// Starts it and asks it for a token.
pub(crate) async fn run(target: &Path, program: &Path, report: &mut Report) -> Result<(), String> {
    let port = free_port().map_err(|fault| fault.to_string())?;
    let (program, port_text) = (program.display().to_string(), port.to_string());
    let words =
        [&program, "mock", "--errors", "--host", "127.0.0.1", "--port", &port_text, DESCRIPTION];
    let _mock = Process::start(&words, &[], &target.join("prism.log"))
        .map_err(|fault| format!("{program}: {fault}"))?;
    let base = format!("http://127.0.0.1:{port}");
    up(&base).await?;
    report.case("the mock refuses a request without the headers", refused(&base).await);
    report.case("manis-auth sends what is described, and reads the answer", granted(&base).await);
    Ok(())
}

async fn post(base: &str) -> Result<u16, String> {
    let request = HttpRequest::new("".into());
    let (mut parts, body) = request.into_parts();
    parts.method = http::Method::POST;
    parts.uri = format!("{base}/api/v1/auth/token").parse().map_err(|_| "no URL".to_owned())?;
    let client = ReqwestClient::shared().map_err(|fault| fault.to_string())?;
    let answer = client.send(HttpRequest::from_parts(parts, body)).await;
    answer.map(|answer| answer.status().as_u16()).map_err(|fault| fault.to_string())
}

async fn up(base: &str) -> Result<(), String> {
    for _ in 0..240 {
        if post(base).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Err("the mock did not come up in 60 s".to_owned())
}

async fn refused(base: &str) -> Result<(), String> {
    match post(base).await? {
        400..=499 => Ok(()),
        status => Err(format!("it answered {status}: it does not validate requests")),
    }
}

async fn granted(base: &str) -> Result<(), String> {
    let asked = async {
        let credentials = Credentials::new("merchant-0001", "made-up-secret")?;
        let flow = Manis::new(credentials, Endpoint::parse(base)?);
        CachedTokenSource::new(flow)?.token().await
    };
    let token = asked.await.map_err(|fault| format!("{fault:?}"))?;
    if token.authorization() == "Bearer made-up-manis-token" {
        Ok(())
    } else {
        Err("another token came".to_owned())
    }
}

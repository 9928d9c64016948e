//! A real Keycloak on a free loopback port, and its admin API.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use auth_core::{HttpClient, ReqwestClient};
use http::{Method, Request, header};
use serde_json::Value;

use crate::process::{Process, free_port, tool};
use crate::realm;

const ADMIN: &str = "made-up-admin";
const PASSWORD: &str = "made-up-password-0001";

/// The server and its port.
pub(crate) struct Keycloak {
    folder: PathBuf,
    log: PathBuf,
    port: u16,
    process: Process,
}

/// Fetches this version by its Maven coordinates, once. Returns the folder that it is unpacked in.
pub(crate) fn fetch(target: &Path, version: &str) -> Result<PathBuf, String> {
    let folder = target.join(format!("keycloak-{version}"));
    if !folder.join("bin/kc.sh").is_file() {
        let artifact = format!("org.keycloak:keycloak-quarkus-dist:{version}:tar.gz");
        tool(
            Command::new("mvn")
                .args(["-q", "-B", "dependency:copy"])
                .arg(format!("-Dartifact={artifact}"))
                .arg(format!("-DoutputDirectory={}", target.display()))
                .current_dir(target),
        )?;
        let archive = target.join(format!("keycloak-quarkus-dist-{version}.tar.gz"));
        tool(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(target))?;
    }
    Ok(folder)
}

impl Keycloak {
    /// Starts the fetched server, with our realms.
    pub(crate) async fn start(target: &Path, folder: PathBuf) -> Result<Self, String> {
        let text = |fault: std::io::Error| fault.to_string();
        let import = folder.join("data/import");
        let _ = std::fs::remove_dir_all(folder.join("data"));
        std::fs::create_dir_all(&import).map_err(text)?;
        for (name, realm) in realm::files() {
            std::fs::write(import.join(name), realm.to_string()).map_err(text)?;
        }
        let (port, log) = (free_port().map_err(text)?, target.join("keycloak.log"));
        let process = spawn(&folder, port, &log)?;
        let mut server = Self { folder, log, port, process };
        server.wait().await?;
        Ok(server)
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same port.
    pub(crate) async fn restart(&mut self) -> Result<(), String> {
        self.process = spawn(&self.folder, self.port, &self.log)?;
        self.wait().await
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The token URL of a realm.
    pub(crate) fn token_url(&self, realm: &str) -> String {
        format!("{}/realms/{realm}/protocol/openid-connect/token", self.base())
    }

    async fn wait(&mut self) -> Result<(), String> {
        let realm = format!("{}/realms/tresorpay", self.base());
        for _ in 0..960 {
            if self.process.ended() {
                return Err(format!("Keycloak exited: see {}", self.log.display()));
            }
            if matches!(ask(Method::GET, &realm, "", "", String::new()).await, Ok((200, _))) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        Err(format!("Keycloak did not come up in 240 s: see {}", self.log.display()))
    }

    /// A call of the admin API, below `/admin/realms/tresorpay`.
    pub(crate) async fn admin(
        &self,
        method: Method,
        path: &str,
        body: &str,
    ) -> Result<Value, String> {
        let form =
            format!("grant_type=password&client_id=admin-cli&username={ADMIN}&password={PASSWORD}");
        let kind = "application/x-www-form-urlencoded";
        let (_, told) = ask(Method::POST, &self.token_url("master"), "", kind, form).await?;
        let token = told.get("access_token").and_then(Value::as_str).unwrap_or_default();
        let url = format!("{}/admin/realms/tresorpay{path}", self.base());
        let (status, told) = ask(method, &url, token, "application/json", body.to_owned()).await?;
        if status < 300 { Ok(told) } else { Err(format!("admin {path}: {status} {told}")) }
    }
}

fn spawn(folder: &Path, port: u16, log: &Path) -> Result<Process, String> {
    let kc = folder.join("bin/kc.sh").display().to_string();
    let port = format!("--http-port={port}");
    let words = [&kc, "start-dev", "--import-realm", "--http-host=127.0.0.1", &port];
    let envs = [("KC_BOOTSTRAP_ADMIN_USERNAME", ADMIN), ("KC_BOOTSTRAP_ADMIN_PASSWORD", PASSWORD)];
    Process::start(&words, &envs, log).map_err(|fault| format!("{kc}: {fault}"))
}

async fn ask(
    method: Method,
    url: &str,
    token: &str,
    kind: &str,
    body: String,
) -> Result<(u16, Value), String> {
    let mut request = Request::builder().method(method).uri(url);
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    let request = request.body(body.into()).map_err(|fault| fault.to_string())?;
    let client = ReqwestClient::shared().map_err(|fault| fault.to_string())?;
    let answer = client.send(request).await.map_err(|fault| fault.to_string())?;
    let told = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
    Ok((answer.status().as_u16(), told))
}

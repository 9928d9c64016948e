//! The cases for `tresorpay-auth` with a real Keycloak.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use auth_core::{CachedTokenSource, Clock as _, Error, ErrorKind, SystemClock};
use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tresorpay_auth::{ClientAuth, Credentials, Endpoint, TresorPay};

use crate::keycloak::Keycloak;
use crate::realm::{ODD, SECRET};
use crate::report::{Recorder, Report};

type Source = CachedTokenSource<TresorPay>;
use ClientAuth::{Basic, Form};

/// Refusals: name, client, secret, client authentication, kind, and a part of the text.
const REFUSED: [(&str, &str, &str, ClientAuth, ErrorKind, &str); 11] = [
    (
        "wrong secret, form",
        "client-0001",
        "made-up-wrong",
        Form,
        ErrorKind::Credentials,
        "the credentials that the program gave",
    ),
    (
        "wrong secret, Basic",
        "client-0001",
        "made-up-wrong",
        Basic,
        ErrorKind::Credentials,
        "the credentials that the program gave",
    ),
    (
        "unknown client",
        "nobody",
        SECRET,
        Form,
        ErrorKind::Credentials,
        "the credentials that the program gave",
    ),
    (
        "disabled client",
        "disabled",
        SECRET,
        Form,
        ErrorKind::Credentials,
        "the credentials that the program gave",
    ),
    ("public client", "public", SECRET, Form, ErrorKind::Request, "service account"),
    ("bearer-only client", "bearer", SECRET, Form, ErrorKind::Request, "service account"),
    ("no service account", "no-service", SECRET, Form, ErrorKind::Request, "service account"),
    ("Basic alone", "basic-only", SECRET, Form, ErrorKind::Request, "ClientAuth::Basic"),
    ("form alone", "form-only", SECRET, Basic, ErrorKind::Request, "ClientAuth::Form"),
    ("signed assertions", "jwt", SECRET, Form, ErrorKind::Request, "another proof"),
    ("DPoP", "dpop", SECRET, Form, ErrorKind::Request, "DPoP"),
];

/// The cases and their server.
pub(crate) struct Cases<'a> {
    pub(crate) report: &'a mut Report,
    pub(crate) recordings: PathBuf,
}

impl Cases<'_> {
    fn source(&self, name: &str, flow: TresorPay) -> Result<Source, String> {
        let recorder = Recorder::new(self.recordings.clone(), name).map_err(text)?;
        CachedTokenSource::builder(flow).http_client(recorder).build().map_err(text)
    }

    pub(crate) async fn granted(&mut self, name: &str, flow: Result<TresorPay, String>) {
        let result =
            async { self.source(name, flow?)?.token().await.map(drop).map_err(text) }.await;
        self.report.case(name, result);
    }

    async fn refused(
        &mut self,
        name: &str,
        flow: Result<TresorPay, String>,
        kind: ErrorKind,
        says: &str,
    ) {
        let result = async {
            match self.source(name, flow?)?.token().await {
                Ok(_) => Err("a token was granted".to_owned()),
                Err(error) if error.kind() == kind && error.to_string().contains(says) => Ok(()),
                Err(error) => Err(format!("wanted {kind:?} and {says:?}: {error:?}")),
            }
        };
        let result = result.await;
        self.report.case(name, result);
    }

    /// All of them.
    pub(crate) async fn run(&mut self, server: &mut Keycloak) {
        let url = server.token_url("tresorpay");
        self.granted("token by form", flow(&url, "client-0001", SECRET, Form)).await;
        self.granted("token by Basic", flow(&url, "client-0001", SECRET, Basic)).await;
        for (at, (id, secret)) in ODD.into_iter().enumerate() {
            self.granted(&format!("odd characters {at}, form"), flow(&url, id, secret, Form)).await;
            self.granted(&format!("odd characters {at}, Basic"), flow(&url, id, secret, Basic))
                .await;
        }
        for (name, client, secret, auth, kind, says) in REFUSED {
            self.refused(name, flow(&url, client, secret, auth), kind, says).await;
        }
        for (name, url, kind, says) in [
            (
                "/auth in front",
                url.replace("/realms", "/auth/realms"),
                ErrorKind::Request,
                "/auth in front",
            ),
            (
                "URL without its end",
                url.replace("/token", ""),
                ErrorKind::Request,
                "TRESORPAY_TOKEN_URL",
            ),
            (
                "unknown realm",
                server.token_url("nowhere"),
                ErrorKind::Request,
                "TRESORPAY_TOKEN_URL",
            ),
            (
                "realm switched off",
                server.token_url("switched-off"),
                ErrorKind::Unavailable,
                "switched",
            ),
            ("realm wants https", server.token_url("https-only"), ErrorKind::Request, "https://"),
        ] {
            self.refused(name, flow(&url, "client-0001", SECRET, Form), kind, says).await;
        }
        let result = self.lives(&url).await;
        self.report.case("lives of 20 s and 300 s", result);
        let result = self.rotated(server, &url).await;
        self.report.case("rotated secret and replace", result);
        let result = self.not_before(server, &url).await;
        self.report.case("not-before policy and invalidate", result);
        let result = self.killed(server, &url).await;
        self.report.case("kill -9 under load and back", result);
    }

    async fn lives(&self, url: &str) -> Result<(), String> {
        for (client, life) in [("lives-20", 20), ("lives-300", 300)] {
            let source = self.source(client, flow(url, client, SECRET, Form)?)?;
            let token = source.token().await.map_err(text)?;
            let end = token.expires_at().ok_or("no end")?;
            let end = end.duration_since(UNIX_EPOCH).map_err(|fault| fault.to_string())?;
            let left = end.as_secs().saturating_sub(unix_now());
            if !(life - 10..=life).contains(&left) {
                return Err(format!("{client}: {left} s are left"));
            }
        }
        Ok(())
    }

    async fn rotated(&self, server: &Keycloak, url: &str) -> Result<(), String> {
        let source = self.source("before rotation", flow(url, "rotated", SECRET, Form)?)?;
        let old = source.token().await.map_err(text)?;
        let found = server.admin(Method::GET, "/clients?clientId=rotated", "").await?;
        let id = found.pointer("/0/id").and_then(Value::as_str).ok_or("no such client")?;
        let path = format!("/clients/{id}/client-secret");
        let made = server.admin(Method::POST, &path, "").await?;
        let secret = made.get("value").and_then(Value::as_str).ok_or("no secret came")?;
        source.invalidate(&old);
        match source.token().await {
            Err(error) if error.kind() == ErrorKind::Credentials => {}
            other => return Err(format!("the old secret got {other:?}")),
        }
        source.replace_exchange(flow(url, "rotated", secret, Form)?).map_err(text)?;
        source.token().await.map(drop).map_err(text)
    }

    async fn not_before(&self, server: &Keycloak, url: &str) -> Result<(), String> {
        let source = self.source("not-before", flow(url, "client-0001", SECRET, Form)?)?;
        let old = source.token().await.map_err(text)?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let now = unix_now();
        server.admin(Method::PUT, "", &json!({"notBefore": now}).to_string()).await?;
        source.invalidate(&old);
        let new = source.token().await.map_err(text)?;
        if new.ptr_eq(&old) { Err("the revoked token came back".to_owned()) } else { Ok(()) }
    }

    async fn killed(&self, server: &mut Keycloak, url: &str) -> Result<(), String> {
        let source = self.source("killed", flow(url, "lives-300", SECRET, Form)?)?;
        source.token().await.map_err(text)?;
        let callers: Vec<_> = (0..64).map(|_| Caller::of(source.clone())).collect();
        server.kill();
        server.restart().await?;
        let mut calls = 0;
        for caller in callers {
            calls += caller.stop().await?;
        }
        println!("      {calls} calls while it was away");
        // And a token from a new source.
        let token = source.token().await.map_err(text)?;
        source.invalidate(&token);
        source.token().await.map(drop).map_err(text)
    }
}

/// A task that calls `token()` in a loop until it is stopped.
struct Caller {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Result<u64, String>>,
}

impl Caller {
    #[allow(clippy::disallowed_methods)] // a test's callers are tasks
    fn of(source: Source) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let mut calls = 0;
            while !stopped.load(Ordering::Relaxed) {
                source.token().await.map_err(text)?;
                calls += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok(calls)
        });
        Self { stop, task }
    }

    async fn stop(self) -> Result<u64, String> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.map_err(|fault| fault.to_string())?
    }
}

fn flow(url: &str, id: &str, secret: &str, auth: ClientAuth) -> Result<TresorPay, String> {
    let credentials = Credentials::new(id, secret).map_err(text)?;
    let endpoint = Endpoint::parse(url).map_err(text)?;
    Ok(TresorPay::new(credentials).token_url(endpoint).client_auth(auth))
}

fn unix_now() -> u64 {
    SystemClock.wall().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn text(error: Error) -> String {
    format!("{error:?}")
}

//! The table of cases, and the recorded answers of the servers.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use auth_core::{Error, HttpClient, HttpRequest, HttpResponse, ReqwestClient};
use serde_json::{Value, json};
use tresorpay_auth::async_trait;

/// The number of cases by result.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) failed: usize,
    pub(crate) passed: usize,
    pub(crate) skipped: usize,
}

impl Report {
    /// Prints why the cases of a server are skipped.
    pub(crate) fn skip(&mut self, server: &str, why: &str) {
        self.skipped += 1;
        println!("skip  {server}: {why}");
    }

    /// Prints one line of the table.
    pub(crate) fn case(&mut self, name: &str, result: Result<(), String>) {
        match result {
            Ok(()) => {
                self.passed += 1;
                println!("pass  {name}");
            }
            Err(fault) => {
                self.failed += 1;
                println!("FAIL  {name}: {fault}");
            }
        }
    }
}

/// A client that writes the first answer of each case to a file, with its tokens cut.
#[derive(Debug)]
pub(crate) struct Recorder {
    client: ReqwestClient,
    folder: PathBuf,
    name: String,
    count: AtomicUsize,
}

impl Recorder {
    pub(crate) fn new(folder: PathBuf, name: &str) -> Result<Self, Error> {
        let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let name = name.chars().map(word).collect();
        Ok(Self { client: ReqwestClient::shared()?, folder, name, count: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl HttpClient for Recorder {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let answer = self.client.send(request).await?;
        if self.count.fetch_add(1, Ordering::Relaxed) == 0 {
            let file = self.folder.join(format!("{}.json", self.name));
            let _ = std::fs::write(file, format!("{:#}\n", recording(&answer)));
        }
        Ok(answer)
    }
}

fn recording(answer: &HttpResponse) -> Value {
    let body = String::from_utf8_lossy(answer.body());
    let body = match serde_json::from_str::<Value>(&body) {
        Ok(mut told) => {
            for key in ["access_token", "token", "refresh_token", "id_token"] {
                if let Some(token) = told.get_mut(key) {
                    *token = "made-up-token".into();
                }
            }
            told
        }
        Err(_) => body.into_owned().into(),
    };
    let headers: Vec<_> = answer
        .headers()
        .iter()
        .filter(|(name, _)| *name != http::header::SET_COOKIE)
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect();
    json!({"status": answer.status().as_u16(), "headers": headers, "body": body})
}

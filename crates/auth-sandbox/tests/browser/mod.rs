//! A headless Chromium, driven through chromedriver's HTTP interface (the WebDriver protocol). Both end when
//! this is dropped.

// A test waits by the machine's own clock for what a browser does.
#![allow(clippy::disallowed_methods)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// How long the page may take for anything, on a machine that has other work.
const PATIENCE: Duration = Duration::from_secs(30);
/// The key of an element's id, as the WebDriver standard fixes it.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One browser at a time: they are heavy.
static ONE: Mutex<()> = Mutex::new(());

pub(crate) struct Browser {
    driver: Child,
    /// Held open: the driver writes to it until its end.
    _said: BufReader<ChildStdout>,
    port: u16,
    /// The path of the session.
    session: String,
    profile: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// `None`, after a line that says so, where there is no Chromium or no chromedriver.
    pub(crate) fn start() -> Option<Self> {
        let turn = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let installed = |name: &&str| Command::new(name).arg("--version").output().is_ok();
        let chromium =
            ["chromium", "chromium-browser", "google-chrome"].into_iter().find(installed);
        let (Some(chromium), true) = (chromium, installed(&"chromedriver")) else {
            skipped();
            return None;
        };
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(driver.stdout.take().unwrap());
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "chromedriver ended");
            if let Some((_, rest)) = line.split_once("successfully on port ") {
                break rest.trim().trim_end_matches('.').parse().unwrap();
            }
        };
        let profile = std::env::temp_dir().join(format!("auth-sandbox-page-{port}"));
        let mut browser =
            Self { driver, _said: said, port, session: String::new(), profile, _turn: turn };
        let program = Command::new("sh").args(["-c", &format!("command -v {chromium}")]).output();
        let program = String::from_utf8(program.unwrap().stdout).unwrap();
        let profile = format!("--user-data-dir={}", browser.profile.display());
        let switches = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--lang=en-US",
            "--window-size=1280,900",
            &profile,
        ];
        let wanted = json!({
            "goog:chromeOptions": { "binary": program.trim(), "args": switches },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let made = browser
            .send("POST", "/session", &json!({ "capabilities": { "alwaysMatch": wanted } }))
            .unwrap();
        browser.session = format!("/session/{}", made["sessionId"].as_str().unwrap());
        Some(browser)
    }

    /// Sends a command to the driver; the error is what it says.
    fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE * 2)).unwrap();
        let (port, length) = (self.port, body.len());
        write!(
            socket,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = BufReader::new(socket);
        let mut length = 0;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body).unwrap();
        let value = serde_json::from_slice::<Value>(&body).unwrap()["value"].take();
        if value["error"].is_string() { Err(value.to_string()) } else { Ok(value) }
    }

    fn command(&self, path: &str, body: Value) -> Value {
        self.send("POST", &format!("{}/{path}", self.session), &body).unwrap()
    }

    /// A command of Chromium's own protocol.
    pub(crate) fn chromium(&self, name: &str, parameters: Value) -> Value {
        self.command("goog/cdp/execute", json!({ "cmd": name, "params": parameters }))
    }

    pub(crate) fn open(&self, url: &str) {
        self.command("url", json!({ "url": url }));
    }

    /// Opens a tab and turns to it; returns the one before.
    pub(crate) fn tab(&self) -> String {
        let before = self.send("GET", &format!("{}/window", self.session), &Value::Null).unwrap();
        let made = self.command("window/new", json!({ "type": "tab" }));
        self.turn_to(made["handle"].as_str().unwrap());
        before.as_str().unwrap().to_owned()
    }

    pub(crate) fn turn_to(&self, tab: &str) {
        self.command("window", json!({ "handle": tab }));
    }

    /// The value of an expression on the page.
    pub(crate) fn value(&self, expression: &str) -> Value {
        let asked = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true,
        });
        let mut said = self.chromium("Runtime.evaluate", asked);
        assert!(said["exceptionDetails"].is_null(), "{expression}: {said}");
        said["result"]["value"].take()
    }

    pub(crate) fn text(&self, expression: &str) -> String {
        self.value(expression).as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an expression is true.
    pub(crate) fn until(&self, expression: &str) {
        let begun = Instant::now();
        while self.value(&format!("!!({expression})")) != true {
            if begun.elapsed() > PATIENCE {
                panic!("never: {expression}\non:\n{}", self.text("document.body.innerText"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Clicks as a mouse does, where the element is seen.
    pub(crate) fn click(&self, selector: &str) {
        let found = json!({ "using": "css selector", "value": selector });
        let element = self.command("element", found);
        let id = element[ELEMENT].as_str().unwrap();
        self.command(&format!("element/{id}/click"), json!({}));
    }

    /// Presses and releases a key.
    pub(crate) fn press(&self, key: char) {
        let stroke = ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key }));
        let keys = json!({ "type": "key", "id": "keyboard", "actions": stroke });
        self.command("actions", json!({ "actions": [keys] }));
    }

    /// Presses a key while another is held.
    pub(crate) fn press_with(&self, held: char, key: char) {
        let strokes = [("keyDown", held), ("keyDown", key), ("keyUp", key), ("keyUp", held)]
            .map(|(kind, key)| json!({ "type": kind, "value": key }));
        let keys = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.command("actions", json!({ "actions": [keys] }));
    }

    /// What the browser's console has said since it was asked last, a refusal by the page's policy included.
    pub(crate) fn console(&self) -> Vec<String> {
        let lines = self.command("se/log", json!({ "type": "browser" }));
        let lines = lines.as_array().unwrap().iter();
        lines.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn size(&self, width: u64, height: u64) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.chromium("Emulation.setDeviceMetricsOverride", size);
    }

    /// `light` or `dark`; without motion, so that a picture is always the same.
    pub(crate) fn theme(&self, name: &str) {
        let features = json!([
            { "name": "prefers-color-scheme", "value": name },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.chromium("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// Writes a picture of the whole page, this wide, beside what tests write.
    pub(crate) fn picture(&self, name: &str, width: u64) {
        self.size(width, 600);
        let height = self.value("document.documentElement.scrollHeight").as_u64().unwrap();
        self.size(width, height);
        let shot = self.chromium("Page.captureScreenshot", json!({ "format": "png" }));
        let bytes = BASE64_STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("page-{name}.png")), bytes).unwrap();
        self.size(width, 900);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.send("DELETE", &self.session, &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

#[allow(clippy::print_stderr, reason = "a test that skips says so")]
fn skipped() {
    eprintln!("skipped: chromium and chromedriver are not both installed");
}

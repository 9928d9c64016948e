//! A replica: a process that asks its source for a token every 20 ms and uses it now and then.
//!
//! It says on its output what happens, a line each (`claims`, `leased`, `granted MICROSECONDS`,
//! `token TEXT`, `WARN ...`),
//! and is told on its input to give its figures or to try new sources. It ends with its input.

mod parts;

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use auth_core::{AccessToken, CachedTokenSource, Env, Error, Read, TokenStore};
use auth_store::{FileStore, RedisStore};
use digishare_auth::Digishare;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use self::parts::{Exchanges, Seen, Shifted, Timed, Watched};
use crate::figures::{Cold, Figures};
use crate::time::{PAUSE, Queue, now};

/// After a 401 the throttle may admit a token again for this long.
const THROTTLE: Duration = Duration::from_millis(1_100);

/// How a replica is started.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `none`, `file FOLDER` or `redis`, with the variables of `RedisStore::connect_env`.
    pub(crate) store: String,
    pub(crate) is_sealed: bool,
    /// What its wall clock shows more than the machine's, in seconds.
    pub(crate) ahead: i64,
    /// Host and port, and path.
    pub(crate) api: (String, String),
    pub(crate) api_every: Duration,
}

impl Settings {
    pub(crate) fn to_args(&self) -> Vec<String> {
        vec![
            "replica".into(),
            self.store.clone(),
            self.is_sealed.to_string(),
            self.ahead.to_string(),
            self.api.0.clone(),
            self.api.1.clone(),
            self.api_every.as_millis().to_string(),
        ]
    }

    pub(crate) fn of_args(args: &[String]) -> Option<Self> {
        let [store, is_sealed, ahead, host, path, every] = args else { return None };
        Some(Self {
            store: store.clone(),
            is_sealed: is_sealed.parse().ok()?,
            ahead: ahead.parse().ok()?,
            api: (host.clone(), path.clone()),
            api_every: Duration::from_millis(every.parse().ok()?),
        })
    }
}

/// Says a line to the harness. One that is gone reads nothing.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

pub(crate) async fn run(settings: Settings) -> Result<(), Error> {
    let store = open(&settings).await?;
    let mut replica = Replica {
        seen: Seen::default(),
        queue: Queue::of_this_thread(),
        figures: Figures::default(),
        refused: HashMap::new(),
        last: None,
        next_use: now(),
        is_first: true,
        settings,
        store,
    };
    let tokens = replica.source(&Exchanges::default())?;
    let mut commands = commands();
    say("up");
    // All begin at once, when all are there: 64 starts on two cores take seconds.
    commands.recv().await;
    loop {
        let slept = now();
        // Not in step with the others.
        let pause = PAUSE.mul_f64(0.75 + fastrand::f64() / 2.0);
        tokio::time::sleep(pause).await;
        let late = now().duration_since(slept).saturating_sub(pause);
        replica.figures.late = replica.figures.late.max(late);
        while let Ok(command) = commands.try_recv() {
            replica.obey(&command).await?;
        }
        replica.call(&tokens).await;
    }
}

async fn open(settings: &Settings) -> Result<Option<Arc<dyn TokenStore>>, Error> {
    if let Some(folder) = settings.store.strip_prefix("file ") {
        return Ok(Some(Arc::new(Watched::new(FileStore::open(folder)?))));
    }
    if settings.store == "none" {
        return Ok(None);
    }
    let builder = RedisStore::read_env(&Env::process());
    let builder = if settings.is_sealed { builder } else { builder.unsealed() };
    Ok(Some(Arc::new(Watched::new(builder.connect().await?))))
}

/// What the harness writes. The replica ends where the harness does.
fn commands() -> UnboundedReceiver<String> {
    let (to, commands) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let _ = to.send(line);
        }
        std::process::exit(0);
    });
    commands
}

struct Replica {
    settings: Settings,
    store: Option<Arc<dyn TokenStore>>,
    seen: Seen,
    queue: Queue,
    figures: Figures,
    /// The tokens that the API refused, and when.
    refused: HashMap<String, Instant>,
    last: Option<AccessToken>,
    next_use: Instant,
    is_first: bool,
}

impl Replica {
    fn source(&self, exchanges: &Exchanges) -> Result<CachedTokenSource<Digishare>, Error> {
        let builder = CachedTokenSource::builder(Digishare::from_env()?)
            .http_client(Timed::new(exchanges.clone())?)
            .observer(self.seen.clone())
            .clock(Shifted(self.settings.ahead));
        match &self.store {
            Some(store) => builder.store(Arc::clone(store)),
            None => builder,
        }
        .build()
    }

    async fn call(&mut self, tokens: &CachedTokenSource<Digishare>) {
        let (took, got) = {
            let meter = self.queue.start();
            let got = tokens.token().await;
            (meter.took(), got)
        };
        self.figures.calls += 1;
        let is_same = |token: &AccessToken| self.last.as_ref().is_some_and(|it| it.ptr_eq(token));
        let kind = match (&got, self.seen.last()) {
            _ if std::mem::take(&mut self.is_first) => &mut self.figures.first,
            (Err(_), _) => &mut self.figures.failed,
            (Ok(_), Some(Read::Fresh)) => &mut self.figures.ready,
            // A token may expire between the look and the answer; then the call waits for another.
            (Ok(token), Some(Read::Stale)) if is_same(token) => &mut self.figures.ready,
            (Ok(_), _) => &mut self.figures.waited,
        };
        kind.add(took);
        match got {
            Ok(token) => self.use_now_and_then(tokens, token).await,
            Err(error) => {
                *self.figures.errors.entry(error.kind().to_string()).or_default() += 1;
                self.figures.error.get_or_insert_with(|| error.to_string());
            }
        }
    }

    async fn use_now_and_then(
        &mut self,
        tokens: &CachedTokenSource<Digishare>,
        token: AccessToken,
    ) {
        let is_new = self.last.as_ref().is_none_or(|last| !last.ptr_eq(&token));
        let header = token.authorization();
        let text = header.to_str().unwrap_or_default().trim_start_matches("Bearer ").to_owned();
        if is_new {
            say(&format!("token {text}"));
            self.last = Some(token.clone());
        }
        let since = self.refused.get(&text).map(|at| now().duration_since(*at));
        self.figures.reused += u64::from(since.is_some_and(|since| since > THROTTLE));
        if now() < self.next_use {
            return;
        }
        self.next_use = now() + self.settings.api_every.mul_f64(0.5 + fastrand::f64());
        match self.ask_api(&text).await {
            Ok(401) => {
                self.figures.refused += 1;
                tokens.invalidate(&token);
                self.refused.entry(text).or_insert_with(now);
            }
            Ok(200) => self.figures.api_calls += 1,
            other => say(&format!("odd {other:?}")),
        }
    }

    /// The status that the guarded API answers, over a socket and no client.
    async fn ask_api(&self, token: &str) -> std::io::Result<u16> {
        let (host, path) = &self.settings.api;
        let mut socket = TcpStream::connect(host).await?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Accept: application/json\r\nConnection: close\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        Ok(answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default())
    }

    async fn obey(&mut self, command: &str) -> Result<(), Error> {
        if command == "figures" {
            let figures = std::mem::take(&mut self.figures);
            say(&format!("figures {}", serde_json::to_string(&figures).unwrap()));
        } else if let Some(number) = command.strip_prefix("cold ") {
            let mut series = Vec::new();
            for _ in 0..number.parse().unwrap_or(1) {
                let exchanges = Exchanges::default();
                let tokens = self.source(&exchanges)?;
                let (took, got) = {
                    let meter = self.queue.start();
                    let got = tokens.token().await;
                    (meter.took(), got)
                };
                let besides = took.net.saturating_sub(exchanges.last().net);
                series.push(Cold { all: took.all, besides });
                if let Err(error) = got {
                    *self.figures.errors.entry(error.kind().to_string()).or_default() += 1;
                    self.figures.error.get_or_insert_with(|| error.to_string());
                }
            }
            self.figures.cold.push(series);
        }
        Ok(())
    }
}

//! Credentials that move: files that are rotated under a source, and resolvers that fail.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are not seen as tests

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use auth_core::secret::Charset;
use auth_core::wire::{self, Number, Refusal, Text};
use auth_core::{
    BoxFuture, Bytes, CachedTokenSource, Chain, Clock, Endpoint, Env, Error, ErrorKind,
    ExposeSecret, FromEnv, Grant, HttpClient, HttpRequest, HttpResponse, Identity, Resolve,
    Resolver, Scrubber, SecretString, TokenExchange, TokenRequest, TokenResponse, async_trait,
};
use tokio::time::Instant;

const HOST: Endpoint = Endpoint::from_static("https://pay.example.com");

/// A flow that sends key and secret as they are.
#[derive(Clone)]
struct Acme {
    key: String,
    secret: SecretString,
    origin: String,
}

#[derive(serde::Deserialize)]
struct Granted {
    token: SecretString,
    #[serde(default)]
    expires_in: Number,
}

#[derive(serde::Deserialize, Default)]
struct Refused {
    #[serde(default)]
    error: Text,
}

impl Refusal for Refused {
    fn code(&self) -> Option<&str> {
        self.error.get()
    }
}

impl Acme {
    fn new(key: &str, secret: &str) -> Self {
        Self { key: key.into(), secret: secret.into(), origin: "the program".into() }
    }

    fn read_env(env: &Env) -> Result<Self, Error> {
        env.read("acme", |vars| {
            let key = vars.required_text("ACME_KEY", Charset::Text);
            let secret = vars.required_secret("ACME_SECRET", Charset::Text);
            let origin = vars.origin(&["ACME_KEY", "ACME_SECRET"]);
            Some(Self { key: key?, secret: secret?, origin })
        })
    }
}

impl TokenExchange for Acme {
    fn provider(&self) -> &'static str {
        "acme"
    }

    fn identity(&self) -> Identity {
        Identity::new("acme", &HOST, &[&self.key])
    }

    fn request(&self) -> Result<HttpRequest, Error> {
        let pair = format!("{}:{}", self.key, self.secret.expose_secret());
        TokenRequest::post(&HOST).json(&[("pair", pair.as_str().into())])
    }

    fn read(&self, response: &TokenResponse) -> Result<Grant, Error> {
        let known = Scrubber::new([self.secret.expose_secret()]);
        let granted: Granted = wire::read::<_, Refused>(&self.origin, &known, response)?;
        Grant::bearer(granted.token, granted.expires_in.lifetime())
    }
}

/// A provider that accepts one pair at a time, and grants tokens that live for 300 s.
#[derive(Clone, Debug, Default)]
struct Provider(Arc<Mutex<Books>>);

#[derive(Debug, Default)]
struct Books {
    accepts: String,
    /// Whether it is down for what it accepts.
    is_down: bool,
    asked: Vec<String>,
}

impl Provider {
    fn accepts(&self, pair: &str) {
        self.0.lock().unwrap().accepts = pair.into();
    }

    /// The pairs that were sent since the last call.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }
}

#[async_trait]
impl HttpClient for Provider {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        let pair = body.get("pair").and_then(|pair| pair.as_str()).unwrap().to_owned();
        let mut books = self.0.lock().unwrap();
        let is_good = books.accepts == pair;
        books.asked.push(pair);
        let body = format!(r#"{{"token":"token-{}","expires_in":300}}"#, books.asked.len());
        let body = if is_good { body } else { r#"{"error":"invalid_client"}"#.into() };
        let mut answer = HttpResponse::new(Bytes::from(body));
        let status = if !is_good {
            401
        } else if books.is_down {
            503
        } else {
            200
        };
        *answer.status_mut() = status.try_into().unwrap();
        Ok(answer)
    }
}

/// Tokio's clock, which a test pauses and advances.
#[derive(Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn monotonic(&self) -> Duration {
        Instant::now().duration_since(self.0)
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600) + self.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A folder with the files `key` and `secret`.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("auth-core-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Puts new files in the place of the old ones, as a rotation does.
    fn put(&self, key: &str, secret: &str) {
        for (name, value) in [("key", key), ("secret", secret)] {
            let new = self.0.join(format!("{name}.new"));
            fs::write(&new, format!("{value}\n")).unwrap();
            fs::rename(new, self.0.join(name)).unwrap();
        }
    }

    fn env(&self) -> Env {
        let path = |name| self.0.join(name).to_str().unwrap().to_owned();
        Env::from_pairs([("ACME_KEY_FILE", path("key")), ("ACME_SECRET_FILE", path("secret"))])
    }

    /// A source that reads the files anew.
    fn source(&self, provider: &Provider) -> CachedTokenSource<Acme> {
        let built = CachedTokenSource::rereading(self.env(), Acme::read_env).unwrap();
        built.http_client(provider.clone()).clock(TokioClock(Instant::now())).build().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// Until the token has expired and any failure is forgotten.
async fn later() {
    tokio::time::advance(Duration::from_secs(600)).await;
}

#[tokio::test(start_paused = true)]
async fn a_rotated_file_is_used_by_the_next_flight() {
    let (folder, provider) = (Folder::new("rotated"), Provider::default());
    folder.put("k", "old");
    provider.accepts("k:old");
    let tokens = folder.source(&provider);
    let token = tokens.token().await.unwrap();
    folder.put("k", "new");
    provider.accepts("k:new");
    assert!(tokens.token().await.unwrap().ptr_eq(&token), "a token outlives its secret");
    later().await;
    tokens.token().await.unwrap();
    assert_eq!(provider.asked(), ["k:old", "k:new"]);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_rotated_while_it_is_sent_costs_one_rejected_request() {
    let (folder, provider) = (Folder::new("late"), Provider::default());
    folder.put("k", "old");
    provider.accepts("k:new");

    /// Rotates the file when the first request arrives.
    #[derive(Debug)]
    struct Late(Provider, Folder);
    #[async_trait]
    impl HttpClient for Late {
        async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
            let answer = self.0.send(request).await;
            self.1.put("k", "new");
            answer
        }
    }
    let built = CachedTokenSource::rereading(folder.env(), Acme::read_env).unwrap();
    let late = Late(provider.clone(), folder);
    let tokens = built.http_client(late).clock(TokioClock(Instant::now())).build().unwrap();
    tokens.token().await.unwrap();
    assert_eq!(provider.asked(), ["k:old", "k:new"]);
}

#[tokio::test(start_paused = true)]
async fn a_torn_pair_heals_within_one_flight() {
    let (folder, provider) = (Arc::new(Folder::new("torn")), Provider::default());
    folder.put("k1", "s1");
    provider.accepts("k2:s2");
    let readings = Arc::new(AtomicUsize::new(0));
    let (rotates, counts) = (Arc::clone(&folder), Arc::clone(&readings));
    let built = CachedTokenSource::rereading(folder.env(), move |env| {
        env.read("acme", |vars| {
            let key = vars.required_text("ACME_KEY", Charset::Text);
            // The second reading is that of the flight.
            if counts.fetch_add(1, Ordering::Relaxed) == 1 {
                rotates.put("k2", "s2");
            }
            let secret = vars.required_secret("ACME_SECRET", Charset::Text);
            Some(Acme { key: key?, secret: secret?, origin: String::new() })
        })
    });
    let built = built.unwrap().http_client(provider.clone()).clock(TokioClock(Instant::now()));
    built.build().unwrap().token().await.unwrap();
    assert_eq!(provider.asked(), ["k2:s2"], "k1:s2 is no pair");
    assert_eq!(readings.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn the_same_secret_is_never_tried_twice() {
    let (folder, provider) = (Folder::new("same"), Provider::default());
    folder.put("k", "wrong");
    let tokens = folder.source(&provider);
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    for _ in 0..10 {
        tokens.token().await.unwrap_err();
    }
    folder.put("k", "wrong"); // the same, in a new file
    assert_eq!(provider.asked(), ["k:wrong"]);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_says_when_the_file_was_read_and_last_changed() {
    let (folder, provider) = (Folder::new("times"), Provider::default());
    folder.put("k", "wrong");
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let file = fs::File::options().write(true).open(folder.0.join("secret")).unwrap();
    file.set_modified(changed).unwrap();
    let text = folder.source(&provider).token().await.unwrap_err().to_string();
    let start = "acme: credentials rejected (401 invalid_client): check ACME_KEY and ACME_SECRET \
                 (ACME_KEY_FILE read ";
    assert!(text.starts_with(start), "{text}");
    let end = ", last changed Sun, 06 Nov 1994 08:49:37 GMT)";
    assert!(text.contains("; ACME_SECRET_FILE read ") && text.ends_with(end), "{text}");
    // A variable has no time.
    let env = Env::from_pairs([("ACME_KEY", "k"), ("ACME_SECRET", "s")]);
    assert_eq!(Acme::read_env(&env).unwrap().origin, "ACME_KEY and ACME_SECRET");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_gone_or_strange_never_makes_a_good_start_worse() {
    let (folder, provider) = (Folder::new("gone"), Provider::default());
    folder.put("k", "good");
    provider.accepts("k:good");
    let tokens = folder.source(&provider);
    let secret = folder.0.join("secret");
    for content in [None, Some(&b""[..]), Some(b"\n"), Some(b"\xff\xfes\0"), Some(b"a\nb\n")] {
        match content {
            None => fs::remove_file(&secret).unwrap(),
            Some(content) => fs::write(&secret, content).unwrap(),
        }
        later().await;
        tokens.token().await.unwrap();
        assert_eq!(provider.asked(), ["k:good"], "{content:?}");
    }
    // Once the provider refuses that value, the text says both.
    provider.accepts("k:new");
    fs::remove_file(&secret).unwrap();
    later().await;
    let text = tokens.token().await.unwrap_err().to_string();
    assert!(text.starts_with("acme: credentials rejected (401 invalid_client): check "), "{text}");
    let end = "; they could not be read again: ACME_SECRET_FILE names a file that cannot be read \
               (no such file)";
    assert!(text.ends_with(end), "{text}");
    assert_eq!(provider.asked(), ["k:good"]);
    folder.put("k", "new");
    later().await;
    tokens.token().await.unwrap();
    assert_eq!(provider.asked(), ["k:new"]);
}

#[cfg(feature = "tracing")]
#[tokio::test(start_paused = true)]
async fn a_file_that_stays_unreadable_is_one_warning_that_names_it() {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    // Global: another thread that logs first would turn the event off for a subscriber of this one.
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).init();

    let (folder, provider) = (Folder::new("warned"), Provider::default());
    folder.put("k", "good");
    provider.accepts("k:good");
    let built = CachedTokenSource::rereading(folder.env(), Acme::read_env).unwrap().label("own");
    let built = built.http_client(provider.clone()).clock(TokioClock(Instant::now()));
    let tokens = built.build().unwrap();
    let warned = || {
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let says = "so those of before are used: ACME_SECRET_FILE names a file that cannot be read";
        text.lines().filter(|line| line.contains(says) && line.contains("label=\"own\"")).count()
    };
    for (is_there, warnings) in
        [(true, 0), (false, 1), (false, 1), (true, 1), (false, 2), (false, 2)]
    {
        fs::remove_file(folder.0.join("secret")).ok();
        if is_there {
            folder.put("k", "good");
        }
        later().await;
        tokens.token().await.unwrap();
        assert_eq!(warned(), warnings);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_of_another_account_is_not_handed_out() {
    let (folder, provider) = (Folder::new("account"), Provider::default());
    folder.put("k1", "s");
    provider.accepts("k1:s");
    let tokens = folder.source(&provider);
    let old = tokens.token().await.unwrap();
    folder.put("k2", "s"); // accepted by nobody
    tokio::time::advance(Duration::from_secs(270)).await; // stale
    tokens.token().await.unwrap_err();
    assert!(old.expires_at().is_some() && tokens.fresh().is_none());
    assert_eq!(provider.asked(), ["k1:s", "k2:s"]);
}

#[tokio::test(start_paused = true)]
async fn an_exchange_that_the_program_puts_in_its_place_stays() {
    let (folder, provider) = (Folder::new("replaced"), Provider::default());
    folder.put("k", "file");
    provider.accepts("k:program");
    let tokens = folder.source(&provider);
    tokens.replace_exchange(Acme::new("k", "program")).unwrap();
    tokens.token().await.unwrap();
    assert_eq!(provider.asked(), ["k:program"]);
}

/// Replaces the exchange of its own source while it is asked.
#[derive(Default)]
struct Meddler(Arc<OnceLock<CachedTokenSource<Acme>>>);

#[async_trait]
impl Resolver<Acme> for Meddler {
    async fn resolve(&self, _: Resolve) -> Result<Option<Acme>, Error> {
        if let Some(tokens) = self.0.get() {
            tokens.replace_exchange(Acme::new("k", "program"))?;
        }
        Ok(Some(Acme::new("k", "resolver")))
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_found_for_a_flight_that_was_replaced_is_not_kept() {
    let (provider, meddler) = (Provider::default(), Meddler::default());
    provider.accepts("k:program");
    let own = Arc::clone(&meddler.0);
    let built = CachedTokenSource::resolved("acme", meddler).await.unwrap();
    let built = built.http_client(provider.clone()).clock(TokioClock(Instant::now()));
    let tokens = own.get_or_init(|| built.build().unwrap());
    tokens.token().await.unwrap();
    assert_eq!(provider.asked().last().unwrap(), "k:program");
}

/// Answers in turn; the last answer repeats.
struct Turns(Mutex<Vec<Turn>>, AtomicUsize);

#[derive(Clone, Copy)]
enum Turn {
    Finds(&'static str),
    Hangs,
    Panics,
    Nothing,
    Breaks,
}

impl Turns {
    fn new<const N: usize>(turns: [Turn; N]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(turns.into_iter().rev().collect()), AtomicUsize::new(0)))
    }
}

struct Shared(Arc<Turns>);

#[async_trait]
impl Resolver<Acme> for Shared {
    async fn resolve(&self, _: Resolve) -> Result<Option<Acme>, Error> {
        self.0.1.fetch_add(1, Ordering::Relaxed);
        let turn = {
            let mut turns = self.0.0.lock().unwrap();
            let turn = *turns.last().unwrap();
            if turns.len() > 1 {
                turns.pop();
            }
            turn
        };
        match turn {
            Turn::Finds(secret) => Ok(Some(Acme::new("k", secret))),
            Turn::Hangs => std::future::pending().await,
            Turn::Panics => panic!("a resolver of the test"),
            Turn::Nothing => Ok(None),
            Turn::Breaks => Err(Error::config("the vault is sealed")),
        }
    }
}

async fn resolved(
    turns: &Arc<Turns>,
    provider: &Provider,
) -> Result<CachedTokenSource<Acme>, Error> {
    let built = CachedTokenSource::resolved("acme", Shared(Arc::clone(turns))).await?;
    built.http_client(provider.clone()).clock(TokioClock(Instant::now())).build()
}

#[tokio::test(start_paused = true)]
async fn a_hanging_resolver_costs_5_s_once() {
    let provider = Provider::default();
    provider.accepts("k:good");
    let began = Instant::now();
    let error = resolved(&Turns::new([Turn::Hangs]), &provider).await.unwrap_err();
    assert_eq!((error.kind(), began.elapsed()), (ErrorKind::Timeout, Duration::from_secs(5)));
    let says = "acme: the resolver of the credentials gave no answer in 5s";
    assert!(error.to_string().starts_with(says), "{error}");

    let turns = Turns::new([Turn::Finds("good"), Turn::Hangs]);
    let tokens = resolved(&turns, &provider).await.unwrap();
    let began = Instant::now();
    let (one, two, three) = tokio::join!(tokens.token(), tokens.token(), tokens.token());
    assert!(one.unwrap().ptr_eq(&two.unwrap()) && three.is_ok());
    let spent = began.elapsed();
    assert!(spent >= Duration::from_secs(5) && spent < Duration::from_millis(5_010), "{spent:?}");
    assert_eq!((provider.asked().len(), turns.1.load(Ordering::Relaxed)), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_hanging_resolver_leaves_half_of_a_short_flight() {
    let provider = Provider::default();
    provider.accepts("k:good");
    let turns = Turns::new([Turn::Finds("good"), Turn::Hangs]);
    let built = CachedTokenSource::resolved("acme", Shared(turns)).await.unwrap();
    let policy = auth_core::RetryPolicy::default().deadline(Duration::from_secs(4));
    let tokens = built
        .http_client(provider)
        .retry_policy(policy)
        .clock(TokioClock(Instant::now()))
        .build()
        .unwrap();
    let began = Instant::now();
    tokens.token().await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(2_010), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_resolver_is_an_error() {
    let provider = Provider::default();
    provider.accepts("k:good");
    let error = resolved(&Turns::new([Turn::Panics]), &provider).await.unwrap_err();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Internal, Some("acme")));
    let turns = Turns::new([Turn::Finds("good"), Turn::Panics]);
    let tokens = resolved(&turns, &provider).await.unwrap();
    tokens.token().await.unwrap();
    provider.accepts("k:new");
    later().await;
    let text = tokens.token().await.unwrap_err().to_string();
    let says = "they could not be read again: the resolver of the credentials panicked";
    assert!(text.contains(says), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_finds_nothing_is_an_error() {
    let made = resolved(&Turns::new([Turn::Nothing]), &Provider::default()).await;
    assert_eq!(made.unwrap_err().to_string(), "acme: no credentials are configured");
}

#[tokio::test(start_paused = true)]
async fn after_a_rejection_another_secret_is_tried_once() {
    let provider = Provider::default();
    provider.accepts("k:3");
    let [one, two, three] = ["1", "2", "3"].map(Turn::Finds);
    let tokens = resolved(&Turns::new([one, one, two, three]), &provider).await.unwrap();
    assert_eq!(tokens.token().await.unwrap_err().kind(), ErrorKind::Credentials);
    assert_eq!(provider.asked(), ["k:1", "k:2"]);
    later().await;
    tokens.token().await.unwrap();
    assert_eq!(provider.asked(), ["k:3"]);

    // Once it is, even where a first request would be sent again.
    provider.accepts("k:2");
    provider.0.lock().unwrap().is_down = true;
    let tokens = resolved(&Turns::new([one, one, two]), &provider).await.unwrap();
    assert_eq!(tokens.token().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(provider.asked(), ["k:1", "k:2"]);
}

#[tokio::test]
async fn a_broken_link_of_a_chain_is_named_and_stops_it() {
    let half = Env::from_pairs([("ACME_KEY", "k")]);
    let asked = Turns::new([Turn::Finds("other")]);
    for (first, says) in [
        (
            Chain::new().or("the environment", FromEnv::new(half, Acme::read_env)),
            "acme: the environment: set ACME_SECRET (or ACME_SECRET_FILE)",
        ),
        (
            Chain::new().or("the vault", Shared(Turns::new([Turn::Breaks]))),
            "acme: the vault: the vault is sealed",
        ),
    ] {
        let chain = first.or("the other account", Shared(Arc::clone(&asked)));
        let error = CachedTokenSource::resolved("acme", chain).await.err().unwrap();
        assert_eq!(error.to_string(), says);
    }
    assert_eq!(asked.1.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_chain_passes_over_what_is_not_configured_and_names_every_place_if_all_is() {
    let unset = || FromEnv::new(Env::from_pairs([("", "")]), Acme::read_env);
    let turns = Turns::new([Turn::Finds("good")]);
    let chain = || Chain::new().or("the environment", unset()).or("the file", unset());
    let found = chain().or("the vault", Shared(turns)).resolve(Resolve::Exchange).await;
    assert_eq!(found.unwrap().unwrap().secret.expose_secret(), "good");
    let error = CachedTokenSource::resolved("acme", chain()).await.err().unwrap();
    let says = "acme: no credentials are configured: looked in the environment, the file";
    assert_eq!(error.to_string(), says);
}

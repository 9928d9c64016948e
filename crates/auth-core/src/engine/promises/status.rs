//! What a source says of itself: its status, its label, and what its observer is told.

use std::time::SystemTime;

use super::*;
use crate::{Event, Observer};

#[tokio::test]
async fn a_status_tells_each_state_of_a_source_and_asks_nobody() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.source(&clock);
    let status = source.status();
    assert_eq!((status.provider, status.token, status.age), (Some("acme"), None, None));
    assert_eq!((status.expires_in, status.requests, status.last_failure), (None, 0, None));

    let token = source.token().await.unwrap();
    clock.advance(SECS(2));
    let status = source.status();
    assert_eq!((status.token, status.requests), (Some(TokenState::Fresh), 1));
    assert_eq!((status.age, status.expires_in), (Some(SECS(2)), Some(SECS(298))));

    clock.advance(SECS(260));
    assert_eq!(source.status().token, Some(TokenState::Stale));
    clock.advance(SECS(60));
    let status = source.status();
    assert_eq!((status.token, status.expires_in), (Some(TokenState::Expired), Some(SECS(0))));
    assert_eq!(provider.requests(), 1);

    let token_again = source.token().await.unwrap();
    assert!(!token_again.ptr_eq(&token));
    source.invalidate(&token_again);
    let status = source.status();
    assert_eq!((status.token, status.age, status.expires_in), (None, None, None));
}

#[tokio::test]
async fn a_status_keeps_to_the_stricter_clock() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let noon = crate::clock::unix_time(1_767_225_600).unwrap();
    clock.set_wall(noon);
    let source = provider.source(&clock);
    source.token().await.unwrap();
    clock.set_wall(noon - SECS(86_400));
    assert_eq!(source.status().expires_in, Some(SECS(300)));
    clock.advance(SECS(300));
    let status = source.status();
    assert_eq!((status.token, status.expires_in), (Some(TokenState::Expired), Some(SECS(0))));
}

#[tokio::test]
async fn a_status_tells_the_last_failure_and_how_many_in_a_row() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Status(401, None)]));
    let source = provider.source(&clock);
    for expected in [1, 2] {
        assert!(source.token().await.is_err());
        assert!(source.token().await.is_err()); // remembered: not another failure
        let status = source.status();
        let last = status.last_failure.unwrap();
        assert_eq!((last.kind, last.in_a_row), (ErrorKind::Credentials, expected));
        let now = crate::Clock::wall(&clock);
        assert_eq!((last.at, status.requests), (now, u64::from(expected)));
        clock.advance(SECS(60));
    }
    provider.then([Answer::Token(300)]);
    clock.advance(SECS(300));
    source.token().await.unwrap();
    let last = source.status().last_failure.unwrap();
    assert_eq!((last.kind, last.in_a_row), (ErrorKind::Credentials, 0));
}

#[tokio::test]
async fn an_erased_source_says_the_same_and_a_static_one_has_no_end() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let source = provider.builder(&clock, Acme::default()).label("m 42").build().unwrap();
    let erased = SharedTokenSource::from(source.clone());
    erased.check().await.unwrap();
    assert_eq!(erased.status(), source.status());
    let boxed: Box<dyn TokenSource> = Box::new(erased);
    assert_eq!((boxed.status(), boxed.status().requests), (source.status(), 1));
}

/// Good, while the provider is down; and then what `token` says.
#[tokio::test]
async fn a_check_costs_what_a_token_costs() {
    let script = [Answer::Token(300), Answer::Status(503, Some(1_000))];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    let source = provider.source(&clock);
    for age in [0, 250, 20] {
        clock.advance(SECS(age));
        source.check().await.unwrap();
        settle().await;
    }
    assert_eq!(provider.requests(), 2);
    clock.advance(SECS(30));
    for _ in 0..10 {
        assert_eq!(source.check().await.unwrap_err().kind(), ErrorKind::Unavailable);
    }
    assert_eq!(provider.requests(), 2);
}

#[tokio::test]
async fn a_label_is_one_clean_line_in_errors_debug_and_status() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Status(401, None)]));
    for (label, shown) in [
        ("merchant 42", Some("merchant 42")),
        (" a\r\nb\u{1b}[31m\u{202e} ", Some("a  b[31m")),
        (&"x".repeat(100), Some(&*"x".repeat(64))),
        (" \u{200b}\n", None),
        ("\u{200b} \u{200b}", None),
        ("\u{feff} m 42", Some("m 42")),
    ] {
        let source = provider.builder(&clock, Acme::default()).label(label).build().unwrap();
        let error = source.token().await.unwrap_err();
        let start = shown.map_or_else(|| "acme: ".to_owned(), |shown| format!("acme ({shown}): "));
        assert!(error.to_string().starts_with(&start), "{error}");
        assert_eq!((error.label(), source.status().label.as_deref()), (shown, shown));
        if let Some(shown) = shown {
            assert!(format!("{source:?} {error:?}").matches(&format!("{shown:?}")).count() == 2);
        }
    }
    let missing = Acme { secret: "missing", ..Acme::default() };
    let error = provider.builder(&clock, missing).label("m 42").build().unwrap_err();
    assert_eq!(error.to_string(), "acme (m 42): set ACME_SECRET");
}

#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Observer for Seen {
    fn observe(&self, provider: &'static str, event: &Event) {
        let text = match event {
            Event::Request { outcome, latency } => format!("{outcome:?} in {latency:?}"),
            Event::Granted { expires_at } => {
                let began = SystemTime::UNIX_EPOCH + SECS(1_767_225_600);
                let left = expires_at.unwrap().duration_since(began).unwrap();
                format!("granted until {left:?}")
            }
            Event::Remembered { kind, pause } => format!("{kind} for {pause:?}"),
            Event::Read(read) => read.as_str().to_owned(),
            Event::Adopted { .. } => "adopted".to_owned(),
        };
        self.0.lock().unwrap().push(format!("{provider}: {text}"));
    }
}

#[tokio::test]
async fn an_observer_is_told_of_each_request_read_and_remembered_failure() {
    let script = [Answer::Status(429, Some(7)), Answer::Token(300), Answer::Silence];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    clock.set_wall(crate::clock::unix_time(1_767_225_600).unwrap());
    let seen = Seen::default();
    let retry = RetryPolicy::never();
    let source = provider
        .builder(&clock, Acme::default())
        .retry_policy(retry)
        .observer(seen.clone())
        .build()
        .unwrap();
    let told = || std::mem::take(&mut *seen.0.lock().unwrap());
    assert!(source.token().await.is_err());
    assert_eq!(
        told(),
        ["acme: waited", "acme: Err(RateLimited) in 0ns", "acme: RateLimited for 7s"]
    );
    assert!(source.token().await.is_err());
    assert_eq!(told(), ["acme: waited"]);
    clock.advance(SECS(7));
    source.token().await.unwrap();
    assert!(
        source.fresh().is_some() && SharedTokenSource::from(source.clone()).token().await.is_ok()
    );
    assert_eq!(
        told(),
        [
            "acme: waited",
            "acme: Ok(()) in 0ns",
            "acme: granted until 307s",
            "acme: fresh",
            "acme: fresh"
        ]
    );
    clock.advance(SECS(250));
    ask(&source).await.unwrap().unwrap();
    settle().await;
    clock.advance(SECS(10));
    settle().await;
    assert_eq!(told()[..2], ["acme: stale", "acme: Err(Timeout) in 10s"]);
}

/// A token that the provider repeats is asked for again, which is a request of its own.
#[tokio::test]
async fn an_observer_is_told_of_every_request_that_the_status_counts() {
    let repeated = |life| Answer::Body(life, "Thu, 01 Jan 2026 00:00:00 GMT");
    let provider = Provider::new([
        repeated(r#"{"token":"old","expires_in":8}"#),
        repeated(r#"{"token":"old","expires_in":0}"#),
        Answer::Token(300),
    ]);
    let (clock, seen) = (ManualClock::default(), Seen::default());
    clock.set_wall(crate::clock::unix_time(1_767_225_600).unwrap());
    let builder = provider.builder(&clock, Acme::default()).observer(seen.clone());
    let source = builder.build().unwrap();
    source.token().await.unwrap();
    clock.advance(SECS(8));
    let caller = ask(&source);
    settle().await;
    pass(&clock, SECS(1)).await;
    caller.await.unwrap().unwrap();
    let told = seen.0.lock().unwrap();
    let requests: Vec<_> = told.iter().filter(|event| event.contains(" in ")).collect();
    assert_eq!((requests.len(), source.status().requests), (3, 3), "{requests:?}");
}

#[derive(Debug)]
struct Panics;

impl Observer for Panics {
    fn observe(&self, _: &'static str, _: &Event) {
        panic!("a bug of the observer")
    }
}

#[tokio::test]
async fn an_observer_that_panics_costs_no_token_and_no_error() {
    let script = [Answer::Status(401, None), Answer::Token(300)];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    let source = provider.builder(&clock, Acme::default()).observer(Panics).build().unwrap();
    assert_eq!(source.token().await.unwrap_err().kind(), ErrorKind::Credentials);
    clock.advance(SECS(60));
    source.token().await.unwrap();
    assert!(source.fresh().is_some());
    assert_eq!(provider.requests(), 2);
}

#[cfg(feature = "metrics")]
#[test]
fn metrics_have_bounded_labels_and_never_a_label_or_a_secret() {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let script = [Answer::Status(503, None), Answer::Token(300)];
            let (clock, provider) = (ManualClock::default(), Provider::new(script));
            let retry = RetryPolicy::never();
            let builder = provider.builder(&clock, Acme::default()).retry_policy(retry);
            let source = builder.label("merchant 42").build().unwrap();
            assert!(source.token().await.is_err());
            clock.advance(SECS(1));
            for _ in 0..3 {
                source.token().await.unwrap();
            }
            clock.advance(SECS(250));
            source.token().await.unwrap();
        });
    });
    let mut shown: Vec<_> = (snapshotter.snapshot().into_vec().into_iter())
        .map(|(key, _, _, value)| {
            let labels: Vec<_> =
                key.key().labels().map(|l| format!("{}={}", l.key(), l.value())).collect();
            let value = match value {
                DebugValue::Counter(count) => count.to_string(),
                DebugValue::Gauge(_) => "gauge".to_owned(),
                DebugValue::Histogram(values) => format!("{} values", values.len()),
            };
            format!("{} {} {value}", key.key().name(), labels.join(" "))
        })
        .collect();
    shown.sort();
    assert_eq!(
        shown,
        [
            "auth_token_expiry_timestamp_seconds provider=acme gauge",
            "auth_token_failures_remembered_total provider=acme kind=Unavailable 1",
            "auth_token_reads_total provider=acme read=fresh 2",
            "auth_token_reads_total provider=acme read=stale 1",
            "auth_token_reads_total provider=acme read=waited 2",
            "auth_token_request_duration_seconds provider=acme outcome=Unavailable 1 values",
            "auth_token_request_duration_seconds provider=acme outcome=granted 2 values",
            "auth_token_requests_total provider=acme outcome=Unavailable 1",
            "auth_token_requests_total provider=acme outcome=granted 2",
        ]
    );
}

/// As an observer of the user's own may keep one for all its sources.
#[cfg(feature = "metrics")]
#[test]
fn reads_are_counted_by_provider_where_sources_share_an_observer() {
    use metrics_util::debugging::DebuggingRecorder;

    use crate::Read;

    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let shared = crate::MetricsObserver::default();
        for provider in ["acme", "zeta"] {
            shared.observe(provider, &Event::Granted { expires_at: None });
            shared.observe(provider, &Event::Read(Read::Fresh));
        }
    });
    let keys = snapshotter.snapshot().into_vec().into_iter().map(|(key, ..)| key);
    let fresh = keys.filter(|key| key.key().labels().any(|label| label.value() == "fresh"));
    assert_eq!(fresh.count(), 2);
}

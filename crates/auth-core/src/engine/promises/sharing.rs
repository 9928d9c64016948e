//! With a store: one process asks, the others adopt; and a store that is down costs nobody a token.

use super::*;
use crate::store::{Ask, Claim, Generation, Lease, Offered, Settled, StoredToken, TokenStore};
use crate::{Clock as _, Expiry, Observer};

/// One answer of the store.
#[derive(Clone, Debug)]
enum Says {
    /// A token of this generation, with so many seconds left of 300.
    Token(u8, u64),
    Lease,
    Probe,
    /// A lease to renew every second.
    Renewed,
    Held,
    /// The provider said this status to another process, so many seconds ahead.
    Refused(u16, u64),
    Unavailable,
    Silence,
    Panic,
}

/// A store that answers claims from a script and repeats its last line, and notes what it is asked.
#[derive(Clone, Debug)]
struct Scripted {
    claims: Arc<Mutex<VecDeque<Says>>>,
    settled: Says,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    fn new(claims: impl IntoIterator<Item = Says>) -> Self {
        let claims = Arc::new(Mutex::new(claims.into_iter().collect()));
        Self { claims, settled: Says::Lease, calls: Arc::default() }
    }

    fn note(&self, call: impl Into<String>) {
        self.calls.lock().unwrap().push(call.into());
    }

    /// What it was asked since the last time.
    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

fn stored(generation: u8, left: u64) -> StoredToken {
    let grant = Grant::bearer(format!("stored-{generation}"), Expiry::After(SECS(left))).unwrap();
    StoredToken::new(Generation::new([generation; 16]), grant, SECS(left), SECS(300))
}

#[async_trait]
impl TokenStore for Scripted {
    async fn claim(&self, ask: &Ask<'_>) -> Claim {
        let have = ask.have.map_or(0, |have| have.as_bytes()[0]);
        self.note(format!("claim {have}{}", if ask.is_refused { " refused" } else { "" }));
        let says = {
            let mut claims = self.claims.lock().unwrap();
            if claims.len() > 1 { claims.pop_front() } else { claims.front().cloned() }.unwrap()
        };
        match says {
            Says::Token(generation, left) => Claim::Token(stored(generation, left)),
            Says::Lease => Claim::Lease(Lease::new(())),
            Says::Probe => Claim::Lease(Lease::new(()).probe(true)),
            Says::Renewed => Claim::Lease(Lease::new(()).renewed_every(SECS(1))),
            Says::Held => Claim::held(MILLIS(160)),
            Says::Refused(status, left) => {
                let status = http::StatusCode::from_u16(status).unwrap();
                let kind =
                    if status == 401 { ErrorKind::Credentials } else { ErrorKind::Unavailable };
                Claim::refused(Error::new(kind, "said elsewhere").with_status(status), SECS(left))
            }
            Says::Unavailable => Claim::Unavailable,
            Says::Silence => std::future::pending().await,
            Says::Panic => panic!("CANARY in a panic"),
        }
    }

    async fn renew(&self, _: &Ask<'_>, _: &Lease) {
        self.note("renew");
    }

    async fn settle(&self, _: &Ask<'_>, lease: Option<Lease>, token: &Offered<'_>) -> Settled {
        let lease = if lease.is_some() { "" } else { " in the open" };
        self.note(format!("settle {} {:?}{lease}", token.secret(), token.lifetime()));
        match self.settled {
            Says::Token(generation, left) => Settled::Superseded(stored(generation, left)),
            Says::Unavailable => Settled::Unpublished,
            Says::Silence => std::future::pending().await,
            _ => Settled::Kept(Generation::new([100; 16])),
        }
    }

    async fn release(&self, _: &Ask<'_>, _: Lease, said: Option<&Error>) {
        let said =
            said.and_then(Error::status).map_or_else(|| "nothing".into(), |it| it.to_string());
        self.note(format!("release, said {said}"));
    }
}

fn world(
    claims: impl IntoIterator<Item = Says>,
    answers: impl IntoIterator<Item = Answer>,
) -> (ManualClock, Provider, Scripted, CachedTokenSource<Acme>) {
    let (clock, provider) = (ManualClock::default(), Provider::new(answers));
    let store = Scripted::new(claims);
    let flow = Acme { retry: RetryPolicy::default().backoff(SECS(0), SECS(0)), ..Acme::default() };
    let source = provider.builder(&clock, flow).store(store.clone()).build().unwrap();
    (clock, provider, store, source)
}

#[tokio::test]
async fn a_token_of_the_store_is_adopted_and_nothing_is_sent() {
    let (clock, provider, store, source) = world([Says::Token(1, 200)], [Answer::Token(300)]);
    let token = source.token().await.unwrap();
    assert_eq!((text(&token).as_str(), provider.requests()), ("stored-1", 0));
    for _ in 0..100 {
        source.token().await.unwrap();
    }
    assert_eq!(store.calls(), ["claim 0"], "a fresh token asks no store");
    assert_eq!(source.status().age, Some(SECS(100)));
    // Stale for the last 60 to 75 s of 300, and not handed out for the last 10.
    clock.advance(SECS(125) - MILLIS(1));
    assert_eq!(source.state(), TokenState::Fresh);
    clock.advance(SECS(15) + MILLIS(1));
    assert_eq!(source.state(), TokenState::Stale);
    clock.advance(SECS(50));
    assert_eq!(source.state(), TokenState::Expired);
}

/// Who got it judged it by the provider's clock. With the year of this host's it would be refused here.
#[tokio::test]
async fn a_token_is_adopted_whatever_the_date_of_this_host() {
    let (clock, _, _, source) = world([Says::Token(1, 200)], [Answer::Token(300)]);
    clock.set_wall(std::time::UNIX_EPOCH);
    assert_eq!(text(&source.token().await.unwrap()), "stored-1");
    assert_eq!(source.state(), TokenState::Fresh);
}

#[tokio::test]
async fn the_time_that_a_claim_takes_shortens_the_life_of_its_token() {
    #[derive(Debug)]
    struct Slow(ManualClock);
    #[async_trait]
    impl TokenStore for Slow {
        async fn claim(&self, _: &Ask<'_>) -> Claim {
            self.0.advance(SECS(2));
            Claim::Token(stored(1, 200))
        }
        async fn renew(&self, _: &Ask<'_>, _: &Lease) {}
        async fn settle(&self, _: &Ask<'_>, _: Option<Lease>, _: &Offered<'_>) -> Settled {
            Settled::Unpublished
        }
        async fn release(&self, _: &Ask<'_>, _: Lease, _: Option<&Error>) {}
    }
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let store = Slow(clock.clone());
    let source = provider.builder(&clock, Acme::default()).store(store).build().unwrap();
    source.token().await.unwrap();
    assert_eq!(source.status().expires_in, Some(SECS(198)));
}

#[tokio::test]
async fn the_holder_of_the_lease_asks_and_stores_the_token_for_the_others() {
    let (clock, provider, store, source) = world([Says::Lease], [Answer::Token(300)]);
    assert_eq!(text(&source.token().await.unwrap()), "token-1");
    assert_eq!(store.calls(), ["claim 0", "settle token-1 300s"]);
    clock.advance(SECS(240)); // stale
    ask(&source).await.unwrap().unwrap();
    settle().await;
    assert_eq!(store.calls(), ["claim 100", "settle token-2 300s"], "it says what it has");
    assert_eq!(provider.requests(), 2);
}

#[tokio::test]
async fn what_the_provider_said_is_passed_on_and_a_broken_network_is_not() {
    for (answer, said) in [
        (Answer::Status(401, None), "release, said 401 Unauthorized"),
        (Answer::Status(503, None), "release, said 503 Service Unavailable"),
        (Answer::Connect, "release, said nothing"),
    ] {
        let (_, _, store, source) = world([Says::Lease], [answer]);
        source.token().await.unwrap_err();
        assert_eq!(store.calls(), ["claim 0", said]);
    }
}

#[tokio::test]
async fn a_source_waits_for_the_process_that_asks_and_adopts_its_token() {
    let claims = [Says::Held, Says::Held, Says::Held, Says::Token(1, 300)];
    let (clock, provider, store, source) = world(claims, [Answer::Token(300)]);
    let caller = ask(&source);
    for _ in 0..3 {
        settle().await;
        clock.advance(MILLIS(240));
    }
    assert_eq!(text(&caller.await.unwrap().unwrap()), "stored-1");
    assert_eq!((store.calls().len(), provider.requests()), (4, 0));
}

#[tokio::test]
async fn after_the_time_of_one_attempt_it_asks_itself_and_offers_the_token() {
    let (clock, provider, store, source) = world([Says::Held], [Answer::Token(300)]);
    let caller = ask(&source);
    let mut waited = Duration::ZERO;
    while provider.requests() == 0 {
        settle().await;
        clock.advance(MILLIS(20));
        waited += MILLIS(20);
        assert!(waited < SECS(11), "nobody asked");
    }
    assert!(waited >= SECS(10), "{waited:?}");
    assert_eq!(text(&caller.await.unwrap().unwrap()), "token-1");
    let calls = store.calls();
    assert!(calls.len() < 130, "{} claims in 10 s", calls.len());
    assert_eq!(calls.last().unwrap(), "settle token-1 300s in the open");
}

#[tokio::test]
async fn behind_a_good_token_a_source_waits_to_the_end_and_sends_nothing() {
    let claims = [Says::Token(1, 60), Says::Held];
    let (clock, provider, _, source) = world(claims, [Answer::Token(300)]);
    source.token().await.unwrap(); // stale already: the last 60 s of 300
    for _ in 0..40 {
        assert_eq!(text(&ask(&source).await.unwrap().unwrap()), "stored-1");
        pass(&clock, SECS(1)).await;
    }
    assert_eq!(provider.requests(), 0);
    assert_eq!(source.status().last_failure.unwrap().kind, ErrorKind::Timeout);
    for _ in 0..30 {
        pass(&clock, SECS(1)).await; // expired now: it no longer waits for long
        drop(ask(&source));
    }
    assert_eq!(provider.requests(), 1);
}

#[tokio::test]
async fn a_refusal_of_another_process_is_remembered_for_as_long_as_the_store_says() {
    for (status, kind) in [(401, ErrorKind::Credentials), (503, ErrorKind::Unavailable)] {
        let claims = [Says::Refused(status, 7), Says::Lease];
        let (clock, provider, store, source) = world(claims, [Answer::Token(300)]);
        for _ in 0..7 {
            let error = source.token().await.unwrap_err();
            assert_eq!((error.kind(), error.provider()), (kind, Some("acme")));
            clock.advance(SECS(1) - MILLIS(1));
        }
        assert_eq!((store.calls().len(), provider.requests()), (1, 0), "{status}");
        clock.advance(MILLIS(7));
        source.token().await.unwrap();
        assert_eq!(provider.requests(), 1);
    }
}

#[tokio::test]
async fn a_token_that_an_api_refused_is_named_to_the_store() {
    let claims = [Says::Token(7, 300), Says::Token(8, 300)];
    let (_, provider, store, source) = world(claims, [Answer::Token(300)]);
    let token = source.token().await.unwrap();
    source.invalidate(&token);
    assert_eq!(store.calls(), ["claim 0"], "`invalidate` itself asks nobody");
    assert_eq!(text(&source.token().await.unwrap()), "stored-8");
    assert_eq!((store.calls(), provider.requests()), (vec!["claim 7 refused".to_owned()], 0));
    source.invalidate(&token); // a late 401 of the old one
    assert_eq!(source.state(), TokenState::Fresh);
}

#[tokio::test]
async fn a_refused_token_is_named_again_after_an_outage_of_the_store() {
    let claims = [Says::Token(7, 300), Says::Unavailable, Says::Lease];
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let store = Scripted { settled: Says::Unavailable, ..Scripted::new(claims) };
    let builder = provider.builder(&clock, Acme::default());
    let source = builder.store(store.clone()).build().unwrap();
    source.invalidate(&source.token().await.unwrap());
    source.token().await.unwrap();
    store.calls();
    clock.advance(SECS(240)); // stale
    source.token().await.unwrap();
    settle().await;
    assert_eq!(store.calls()[0], "claim 7", "it is given the refused token otherwise");
    clock.advance(SECS(2));
    source.invalidate(&source.token().await.unwrap());
    store.calls();
    source.token().await.unwrap();
    assert_eq!(store.calls()[0], "claim 0", "only until the store answers");
}

/// The fleet's throttle answers the refused token itself.
#[tokio::test]
async fn a_refused_token_that_the_store_insists_on_is_used_again() {
    let (_, provider, _, source) = world([Says::Token(7, 300)], [Answer::Token(300)]);
    let token = source.token().await.unwrap();
    source.invalidate(&token);
    assert_eq!(text(&source.token().await.unwrap()), "stored-7");
    assert_eq!(provider.requests(), 0);
}

#[tokio::test]
async fn a_token_that_came_second_gives_way() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    for (settled, expected) in [
        (Says::Token(9, 250), "stored-9"),
        (Says::Token(9, 0), "token-2"), // expired
        (Says::Unavailable, "token-3"),
    ] {
        let store = Scripted { settled, ..Scripted::new([Says::Lease]) };
        let builder = provider.builder(&clock, Acme::default());
        let source = builder.store(store.clone()).build().unwrap();
        assert_eq!(text(&source.token().await.unwrap()), expected);
    }
}

#[tokio::test]
async fn a_store_that_is_down_costs_nobody_a_token() {
    for says in [Says::Unavailable, Says::Panic] {
        let (_, _, store, source) = world([says], [Answer::Token(300)]);
        assert_eq!(text(&source.token().await.unwrap()), "token-1");
        assert_eq!(store.calls(), ["claim 0", "settle token-1 300s in the open"]);
    }
    // One that breaks its promise to answer within 300 ms.
    let (clock, _, _, _) = world([Says::Lease], [Answer::Token(300)]);
    let provider = Provider::new([Answer::Token(300)]);
    let store = Scripted { settled: Says::Silence, ..Scripted::new([Says::Silence]) };
    let builder = provider.builder(&clock, Acme::default());
    let source = builder.store(store).build().unwrap();
    let caller = ask(&source);
    for requests in [0, 1] {
        settle().await;
        assert_eq!(provider.requests(), requests);
        clock.advance(MILLIS(2_500));
    }
    assert_eq!(text(&caller.await.unwrap().unwrap()), "token-1");
}

#[tokio::test]
async fn a_lease_is_renewed_while_the_provider_takes_long() {
    let (clock, provider, store, source) = world([Says::Renewed], [Answer::Token(300)]);
    provider.shut();
    let caller = ask(&source);
    settle().await;
    for _ in 0..3 {
        clock.advance(SECS(1));
        settle().await;
    }
    provider.let_through(1);
    caller.await.unwrap().unwrap();
    assert_eq!(store.calls(), ["claim 0", "renew", "renew", "renew", "settle token-1 300s"]);
    clock.advance(SECS(9));
    settle().await;
    assert!(store.calls().is_empty(), "it is renewed after the end");
}

#[tokio::test]
async fn after_a_failure_of_the_fleet_one_attempt_is_enough() {
    for (lease, requests) in [(Says::Lease, 3), (Says::Probe, 1)] {
        let (_, provider, _, source) = world([lease], [Answer::Connect]);
        source.token().await.unwrap_err();
        assert_eq!(provider.requests(), requests);
    }
}

#[tokio::test]
async fn a_token_with_too_little_left_is_replaced_and_three_are_enough() {
    let claims = [Says::Token(1, 10), Says::Lease];
    let (_, _, store, source) = world(claims, [Answer::Token(300)]);
    assert_eq!(text(&source.token().await.unwrap()), "token-1");
    assert_eq!(store.calls(), ["claim 0", "claim 1", "settle token-1 300s"]);
    let (_, provider, store, source) = world([Says::Token(1, 10)], [Answer::Token(300)]);
    assert_eq!(text(&source.token().await.unwrap()), "token-1");
    assert_eq!(store.calls()[..3], ["claim 0", "claim 1", "claim 1"]);
    assert_eq!(provider.requests(), 1);
}

#[tokio::test]
async fn an_observer_is_told_of_an_adopted_token() {
    #[derive(Debug, Default)]
    struct Adopted(AtomicUsize);
    impl Observer for Adopted {
        fn observe(&self, _: &'static str, event: &crate::Event) {
            if matches!(event, crate::Event::Adopted { .. }) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let (store, observer) = (Scripted::new([Says::Token(1, 300)]), Arc::new(Adopted::default()));
    let builder = provider.builder(&clock, Acme::default()).observer(Arc::clone(&observer));
    let source = builder.store(store).build().unwrap();
    source.token().await.unwrap();
    source.token().await.unwrap();
    assert_eq!(observer.0.load(Ordering::SeqCst), 1);
    assert!(clock.wall() > std::time::UNIX_EPOCH);
}

//! Flights that land late, or after another exchange or flight has replaced them.

use super::*;

type Act = Box<dyn FnOnce() -> Result<HttpResponse, Error> + Send>;

/// Does something during a request and answers it: so time passes, or the flight is replaced, while
/// its course is being polled, as by another thread.
struct Acting(Provider, Mutex<Option<Act>>);

impl fmt::Debug for Acting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acting")
    }
}

#[async_trait]
impl HttpClient for Acting {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let act = self.1.lock().unwrap().take();
        match act {
            Some(act) => act(),
            None => self.0.send(request).await,
        }
    }
}

impl Acting {
    /// The next request is answered by `act`, and none of the others.
    fn next(&self, act: impl FnOnce() -> Result<HttpResponse, Error> + Send + 'static) {
        *self.1.lock().unwrap() = Some(Box::new(act));
    }
}

fn acting(provider: &Provider, clock: &ManualClock) -> (CachedTokenSource<Acme>, Arc<Acting>) {
    let client = Arc::new(Acting(provider.clone(), Mutex::default()));
    let builder = CachedTokenSource::builder(Acme::default()).clock(clock.clone());
    (builder.http_client(Arc::clone(&client)).build().unwrap(), client)
}

fn granted(token: &str, life: u64) -> Result<HttpResponse, Error> {
    Ok(HttpResponse::new(format!(r#"{{"token":"{token}","expires_in":{life}}}"#).into()))
}

fn token_of(source: &CachedTokenSource<Acme>) -> String {
    let Poll::Ready(token) = poll_once(pin!(source.token())) else { panic!("hangs") };
    text(&token.unwrap())
}

#[test]
fn an_answer_to_credentials_that_are_replaced_meanwhile_is_not_kept() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    let (source, client) = acting(&provider, &clock);
    let own = source.clone();
    client.next(move || {
        own.replace_exchange(Acme { account: "a-2", ..Acme::default() })?;
        granted("old", 900)
    });
    assert_eq!(token_of(&source), "token-1");
    assert_eq!(text(&source.fresh().unwrap()), "token-1");
}

#[test]
fn a_late_failure_of_a_flight_that_was_replaced_does_not_end_the_next_one() {
    let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(300)]));
    provider.shut();
    let (source, client) = acting(&provider, &clock);
    let (own, kept) = (source.clone(), Arc::new(Mutex::new(None)));
    let next = Arc::clone(&kept);
    client.next(move || {
        clock.advance(SECS(32)); // past the limit of the first flight
        let mut call = Box::pin(async move { own.token().await });
        assert!(poll_once(call.as_mut()).is_pending());
        *next.lock().unwrap() = Some(call);
        Err(Error::protocol("late"))
    });
    assert!(poll_once(pin!(source.token())).is_ready(), "its own time is over");
    let mut third = pin!(source.token());
    assert!(poll_once(third.as_mut()).is_pending());
    assert_eq!(provider.requests(), 1, "all of them wait for the second flight");
    provider.let_through(1);
    let mut second = kept.lock().unwrap().take().unwrap();
    assert!(matches!(poll_once(second.as_mut()), Poll::Ready(Ok(_))));
    assert!(matches!(poll_once(third.as_mut()), Poll::Ready(Ok(_))));
}

#[test]
fn a_late_token_is_kept_unless_the_kept_one_lasts_longer() {
    for (life, kept) in [(300, "late"), (60, "token-1")] {
        let (clock, provider) = (ManualClock::default(), Provider::new([Answer::Token(3_000)]));
        let (source, client) = acting(&provider, &clock);
        assert_eq!(token_of(&source), "token-1");
        clock.advance(SECS(2_800)); // stale, with 190 s left
        let time = clock.clone();
        client.next(move || {
            time.advance(SECS(32)); // past the limit of the flight
            granted("late", life)
        });
        assert_eq!(token_of(&source), kept, "{life}");
        let is_fresh = source.fresh().is_some();
        assert_eq!(is_fresh, kept == "late", "{life}");
    }
}

#[test]
fn a_token_that_arrives_in_time_is_kept_even_if_the_old_one_lasts_longer() {
    let script = [Answer::Token(3_000), Answer::Token(60)];
    let (clock, provider) = (ManualClock::default(), Provider::new(script));
    let source = provider.source(&clock);
    assert_eq!(token_of(&source), "token-1");
    clock.advance(SECS(2_800));
    assert_eq!(token_of(&source), "token-2", "the old one may have been revoked");
    assert_eq!(text(&source.fresh().unwrap()), "token-2");
}

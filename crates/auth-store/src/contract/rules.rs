//! The sentences about a store, on any backend. What takes more time than a moment (a lease that
//! ends, a pause that is over) is tested on the rules themselves, in `record`.

use std::time::Duration;

use auth_core::{
    Ask, Claim, Endpoint, Error, ErrorKind, ExposeSecret as _, Generation, HttpRequest, Identity,
    Lease, Offered, Scrubber, Settled, StoredToken, TokenRequest, TokenStore as _,
};
use http::StatusCode;
use tokio::task::JoinSet;

use super::{Pair, done, number};
use crate::backend::Backend;
use crate::key::RecordName;
use crate::shared::SharedStore;

const LIFETIME: Duration = Duration::from_secs(300);

pub(super) async fn all<B: Backend>(pair: &Pair<B>) {
    the_first_claim_gets_a_lease_and_the_next_one_waits(pair).await;
    what_one_settles_the_other_gets(pair).await;
    who_has_the_stored_token_gets_the_lease(pair).await;
    a_refused_token_is_dropped_but_not_time_and_again(pair).await;
    a_token_that_nobody_refused_is_not_dropped(pair).await;
    without_a_lease_a_token_takes_the_place_of_the_one_that_was_known(pair).await;
    a_lease_that_is_given_back_is_free(pair).await;
    a_lease_can_be_renewed(pair).await;
    a_rejection_is_told_to_who_sends_the_same_request(pair).await;
    a_rate_limit_is_told_to_everybody(pair).await;
    a_network_that_fails_is_told_to_nobody(pair).await;
    a_token_ends_a_rate_limit(pair).await;
    a_token_that_has_expired_is_not_there(pair).await;
    a_token_too_long_is_not_kept_and_its_lease_is_free(pair).await;
    what_is_no_record_is_written_over(pair).await;
    of_sixteen_claims_one_gets_the_lease(pair).await;
    of_two_settles_one_is_kept(pair).await;
}

/// An account that nobody else has, with two requests for it.
struct Account {
    identity: Identity,
    request: HttpRequest,
    /// As with another secret.
    other: HttpRequest,
}

impl Account {
    fn new() -> Self {
        let host = done(Endpoint::parse("https://pay.example.com/token"));
        let name = format!("account-{}", number());
        let request =
            |secret: &str| done(TokenRequest::post(&host).basic("made-up", &secret.into()).empty());
        Self {
            identity: Identity::new("contract", &host, &[&name]),
            request: request("made-up-secret"),
            other: request("another-made-up-secret"),
        }
    }

    fn ask(&self) -> Ask<'_> {
        Ask::new(&self.identity, &self.request)
    }

    fn asks_otherwise(&self) -> Ask<'_> {
        Ask::new(&self.identity, &self.other)
    }

    fn instead_of(&self, generation: Generation) -> Ask<'_> {
        self.ask().instead_of(Some(generation), false)
    }

    fn after_a_401(&self, generation: Generation) -> Ask<'_> {
        self.ask().instead_of(Some(generation), true)
    }
}

fn offered(secret: &str) -> Offered<'_> {
    Offered::new("Bearer", secret, &[], LIFETIME, LIFETIME)
}

async fn lease<B: Backend>(store: &SharedStore<B>, ask: &Ask<'_>) -> Lease {
    match store.claim(ask).await {
        Claim::Lease(lease) => lease,
        #[allow(clippy::panic)] // `all` documents it
        other => panic!("expected a lease: {other:?}"),
    }
}

async fn token<B: Backend>(store: &SharedStore<B>, ask: &Ask<'_>) -> StoredToken {
    match store.claim(ask).await {
        Claim::Token(token) => token,
        #[allow(clippy::panic)] // `all` documents it
        other => panic!("expected a token: {other:?}"),
    }
}

async fn refusal<B: Backend>(store: &SharedStore<B>, ask: &Ask<'_>) -> (Error, Duration) {
    match store.claim(ask).await {
        Claim::Refused { error, left, .. } => (error, left),
        #[allow(clippy::panic)] // `all` documents it
        other => panic!("expected a refusal: {other:?}"),
    }
}

#[track_caller]
fn kept(settled: &Settled) -> Generation {
    match settled {
        Settled::Kept(generation) => *generation,
        #[allow(clippy::panic)] // `all` documents it
        other => panic!("expected it to be kept: {other:?}"),
    }
}

/// Claims and settles.
async fn settle<B: Backend>(store: &SharedStore<B>, ask: &Ask<'_>, secret: &str) -> Generation {
    let lease = lease(store, ask).await;
    kept(&store.settle(ask, Some(lease), &offered(secret)).await)
}

fn secret(token: &StoredToken) -> &str {
    token.grant.secret().expose_secret()
}

async fn the_first_claim_gets_a_lease_and_the_next_one_waits<B: Backend>(pair: &Pair<B>) {
    let account = Account::new();
    let lease = lease(&pair.one, &account.ask()).await;
    for store in [&pair.other, &pair.one] {
        let claim = store.claim(&account.ask()).await;
        let Claim::Held { poll, .. } = claim else {
            assert!(matches!(claim, Claim::Held { .. }), "{claim:?}");
            return;
        };
        assert!(poll > Duration::ZERO && poll <= store.backend().poll(), "{poll:?}");
    }
    drop(lease);
}

async fn what_one_settles_the_other_gets<B: Backend>(pair: &Pair<B>) {
    let account = Account::new();
    let lease = lease(&pair.one, &account.ask()).await;
    let left = LIFETIME - Duration::from_secs(10);
    let offer = Offered::new("DPoP", "made-up-token", &[], left, LIFETIME);
    let generation = kept(&pair.one.settle(&account.ask(), Some(lease), &offer).await);
    for store in [&pair.other, &pair.one] {
        let token = token(store, &account.ask()).await;
        assert_eq!((token.generation, secret(&token)), (generation, "made-up-token"));
        assert_eq!((token.grant.scheme(), token.lifetime), ("DPoP", LIFETIME));
        assert!(token.left <= left && token.left > left / 2, "{:?}", token.left);
    }
}

async fn who_has_the_stored_token_gets_the_lease<B: Backend>(pair: &Pair<B>) {
    let account = Account::new();
    let first = settle(&pair.one, &account.ask(), "first").await;
    let lease = lease(&pair.other, &account.instead_of(first)).await;
    let claim = pair.one.claim(&account.instead_of(first)).await;
    assert!(matches!(claim, Claim::Held { .. }), "{claim:?}");
    let still = token(&pair.one, &account.ask()).await;
    assert_eq!(secret(&still), "first", "meanwhile the old one is there");
    let settled = pair.other.settle(&account.ask(), Some(lease), &offered("second")).await;
    let second = kept(&settled);
    assert_ne!(first, second);
    assert_eq!(secret(&token(&pair.one, &account.instead_of(first)).await), "second");
}

async fn a_refused_token_is_dropped_but_not_time_and_again<B: Backend>(pair: &Pair<B>) {
    let account = Account::new();
    let first = settle(&pair.one, &account.ask(), "first").await;
    let second = settle(&pair.one, &account.after_a_401(first), "second").await;
    // The other one was refused the first token too, and gets the second.
    assert_eq!(token(&pair.other, &account.after_a_401(first)).await.generation, second);
    // An API that refuses all tokens must not make a fleet ask for one after the other.
    assert_eq!(token(&pair.other, &account.after_a_401(second)).await.generation, second);
}

async fn a_token_that_nobody_refused_is_not_dropped<B: Backend>(pair: &Pair<B>) {
    let account = Account::new();
    let first = settle(&pair.one, &account.ask(), "first").await;
    let another = Generation::new([7; 16]);
    assert_eq!(token(&pair.other, &account.after_a_401(another)).await.generation, first);
    assert_eq!(token(&pair.other, &account.ask()).await.generation, first);
}

async fn without_a_lease_a_token_takes_the_place_of_the_one_that_was_known<B: Backend>(
    pair: &Pair<B>,
) {
    let account = Account::new();
    let settled = pair.one.settle(&account.ask(), None, &offered("first")).await;
    let first = kept(&settled);
    let settled = pair.other.settle(&account.ask(), None, &offered("late")).await;
    assert!(
        matches!(&settled, Settled::Superseded(token) if token.generation == first),
        "it knew no token, and one is there: {settled:?}"
    );
    let settled = pair.other.settle(&account.instead_of(first), None, &offered("second")).await;
    let second = kept(&settled);
    let settled = pair.one.settle(&account.instead_of(first), None, &offered("late")).await;
    assert!(
        matches!(&settled, Settled::Superseded(token) if token.generation == second),
        "{settled:?}"
    );
    assert_eq!(secret(&token(&pair.one, &account.ask()).await), "second");
}

async fn a_lease_that_is_given_back_is_free<B: Backend>(pair: &Pair<B>) {
    let account = Account::new();
    let given = lease(&pair.one, &account.ask()).await;
    pair.one.release(&account.ask(), given, None).await;
    let given = lease(&pair.other, &account.ask()).await;
    pair.other.release(&account.ask(), given, None).await;
}

async fn a_lease_can_be_renewed<B: Backend>(pair: &Pair<B>) {
    let account = Account::new();
    let lease = lease(&pair.one, &account.ask()).await;
    pair.one.renew(&account.ask(), &lease).await;
    let claim = pair.other.claim(&account.ask()).await;
    assert!(matches!(claim, Claim::Held { .. }), "{claim:?}");
    kept(&pair.one.settle(&account.ask(), Some(lease), &offered("made-up")).await);
}

async fn a_rejection_is_told_to_who_sends_the_same_request<B: Backend>(pair: &Pair<B>) {
    let account = Account::new();
    let rejection = Error::new(ErrorKind::Credentials, "credentials rejected: check them")
        .with_status(StatusCode::UNAUTHORIZED)
        .with_code("invalid_client", &Scrubber::default())
        .with_description("Wer sind Sie?", &Scrubber::default());
    let given = lease(&pair.one, &account.ask()).await;
    pair.one.release(&account.ask(), given, Some(&rejection)).await;
    // Who has another secret asks itself.
    let given = lease(&pair.other, &account.asks_otherwise()).await;
    pair.other.release(&account.asks_otherwise(), given, None).await;
    if !pair.one.seals().await {
        // Nothing to name the request with that does not say something of the secret.
        lease(&pair.other, &account.ask()).await;
        return;
    }
    let (error, left) = refusal(&pair.other, &account.ask()).await;
    assert_eq!((error.kind(), error.status()), (rejection.kind(), rejection.status()));
    assert_eq!((error.code(), error.description()), (rejection.code(), rejection.description()));
    assert_eq!(error.provider(), Some("contract"));
    assert!(error.message().starts_with("credentials rejected: check them"), "{error}");
    assert!(error.message().contains("another process was told so"), "{error}");
    assert!(left > Duration::from_secs(20) && left <= Duration::from_secs(30), "{left:?}");
}

async fn a_rate_limit_is_told_to_everybody<B: Backend>(pair: &Pair<B>) {
    let account = Account::new();
    let wait = Duration::from_secs(120);
    let limit = Error::new(ErrorKind::RateLimited, "too many")
        .with_status(StatusCode::TOO_MANY_REQUESTS)
        .with_retry_after(wait);
    let given = lease(&pair.one, &account.ask()).await;
    pair.one.release(&account.ask(), given, Some(&limit)).await;
    for ask in [account.ask(), account.asks_otherwise()] {
        let (error, left) = refusal(&pair.other, &ask).await;
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert!(left <= wait && left > wait / 2, "{left:?}");
        assert_eq!(error.retry_after(), Some(left));
    }
}

async fn a_network_that_fails_is_told_to_nobody<B: Backend>(pair: &Pair<B>) {
    let account = Account::new();
    for kind in [ErrorKind::Connect, ErrorKind::Timeout, ErrorKind::Unavailable] {
        let given = lease(&pair.one, &account.ask()).await;
        pair.one.release(&account.ask(), given, Some(&Error::new(kind, "no luck"))).await;
    }
    lease(&pair.other, &account.ask()).await;
}

async fn a_token_ends_a_rate_limit<B: Backend>(pair: &Pair<B>) {
    let account = Account::new();
    let limit =
        Error::new(ErrorKind::RateLimited, "too many").with_status(StatusCode::TOO_MANY_REQUESTS);
    let given = lease(&pair.one, &account.ask()).await;
    pair.one.release(&account.ask(), given, Some(&limit)).await;
    let settled = pair.other.settle(&account.ask(), None, &offered("made-up")).await;
    let generation = kept(&settled);
    lease(&pair.one, &account.instead_of(generation)).await;
}

async fn a_token_that_has_expired_is_not_there<B: Backend>(pair: &Pair<B>) {
    let account = Account::new();
    let lifetime = Duration::from_millis(80);
    let offer = Offered::new("Bearer", "made-up", &[], lifetime, lifetime);
    kept(&pair.one.settle(&account.ask(), None, &offer).await);
    tokio::time::sleep(lifetime + Duration::from_millis(40)).await;
    lease(&pair.other, &account.ask()).await;
}

async fn a_token_too_long_is_not_kept_and_its_lease_is_free<B: Backend>(pair: &Pair<B>) {
    let account = Account::new();
    let given = lease(&pair.one, &account.ask()).await;
    let long = "a".repeat(33 * 1_024);
    let settled = pair.one.settle(&account.ask(), Some(given), &offered(&long)).await;
    assert!(matches!(settled, Settled::Unpublished), "{settled:?}");
    lease(&pair.other, &account.ask()).await;
}

async fn what_is_no_record_is_written_over<B: Backend>(pair: &Pair<B>) {
    for garbage in [&b"x"[..], b"\0", b"0123456789abcdef", &[7; 1_000]] {
        let account = Account::new();
        let Some(name): Option<RecordName> = pair.one.name_of(&account.identity).await else {
            return;
        };
        let place = pair.one.backend();
        assert!(done(place.swap(&name, None, Some(garbage), LIFETIME).await));
        settle(&pair.other, &account.ask(), "made-up").await;
        assert_eq!(secret(&token(&pair.one, &account.ask()).await), "made-up");
    }
}

async fn of_sixteen_claims_one_gets_the_lease<B: Backend>(pair: &Pair<B>) {
    let mut claims = JoinSet::new();
    let account = std::sync::Arc::new(Account::new());
    for number in 0..16 {
        let store = if number % 2 == 0 { pair.one.clone() } else { pair.other.clone() };
        let account = std::sync::Arc::clone(&account);
        claims.spawn(async move { store.claim(&account.ask()).await });
    }
    let claims = claims.join_all().await;
    let leases = claims.iter().filter(|claim| matches!(claim, Claim::Lease(_))).count();
    let held = claims.iter().filter(|claim| matches!(claim, Claim::Held { .. })).count();
    assert_eq!((leases, held), (1, 15), "{claims:?}");
}

async fn of_two_settles_one_is_kept<B: Backend>(pair: &Pair<B>) {
    let mut settles = JoinSet::new();
    let account = std::sync::Arc::new(Account::new());
    for (store, secret) in [(pair.one.clone(), "one"), (pair.other.clone(), "other")] {
        let account = std::sync::Arc::clone(&account);
        settles.spawn(async move {
            (store.settle(&account.ask(), None, &offered(secret)).await, secret)
        });
    }
    let settles = settles.join_all().await;
    let there = token(&pair.one, &account.ask()).await;
    let mut kept = 0;
    for (settled, offered) in settles {
        match settled {
            Settled::Kept(generation) => {
                kept += 1;
                assert_eq!((generation, offered), (there.generation, secret(&there)));
            }
            Settled::Superseded(token) => assert_eq!(token.generation, there.generation),
            other => assert!(matches!(other, Settled::Kept(_)), "{other:?}"),
        }
    }
    assert_eq!(kept, 1);
}

pub(super) async fn another_key_reads_nothing<B: Backend>(pair: &Pair<B>, apart: &SharedStore<B>) {
    let account = Account::new();
    settle(&pair.one, &account.ask(), "made-up").await;
    let given = lease(apart, &account.ask()).await;
    kept(&apart.settle(&account.ask(), Some(given), &offered("another")).await);
    assert_eq!(secret(&token(&pair.other, &account.ask()).await), "made-up");
}

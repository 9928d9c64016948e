//! What a place may have of its own: locks, a key. And what nobody sees.

use super::*;

fn with_lock(claim: Claim) -> Lease {
    let lease = leased(claim);
    assert!(lease.holder::<Holder>().unwrap().has_lock());
    assert!(!format!("{lease:?}").contains("renew_every: Some"), "it is not renewed: {lease:?}");
    lease
}

#[tokio::test]
async fn a_lock_is_the_lease_and_is_free_as_soon_as_it_is_dropped() {
    let (place, account) = (Faulty::with_locks(), Account::new());
    let (store, other) = (sealed(&place), sealed(&place));
    let lease = with_lock(store.claim(&account.ask()).await);
    assert!(place.records.is_empty(), "nothing is written");
    assert!(matches!(other.claim(&account.ask()).await, Claim::Held { .. }));
    place.calls();
    store.renew(&account.ask(), &lease).await;
    assert_eq!(place.calls(), 0);
    drop(lease);
    let lease = with_lock(other.claim(&account.ask()).await);
    other.release(&account.ask(), lease, None).await;
    let lease = with_lock(store.claim(&account.ask()).await);
    let first = kept(store.settle(&account.ask(), Some(lease), &offered("first")).await);
    assert_eq!(found(other.claim(&account.ask()).await).generation, first);
    // A claim that is dropped half-way gives its lock back, too.
    place.always(Fault::None);
    let lease = with_lock(other.claim(&account.instead_of(first)).await);
    assert!(matches!(store.claim(&account.instead_of(first)).await, Claim::Held { .. }));
    drop(lease);
}

#[tokio::test]
async fn a_process_that_gets_the_lock_looks_again_before_asking() {
    let (place, account) = (Faulty::with_locks(), Account::new());
    let store = sealed(&place);
    let lease = with_lock(store.claim(&account.ask()).await);
    let first = kept(store.settle(&account.ask(), Some(lease), &offered("first")).await);
    place.calls();
    let lease = with_lock(store.claim(&account.instead_of(first)).await);
    assert_eq!(place.calls(), 2, "one look before the lock, and one with it");
    store.release(&account.ask(), lease, None).await;
}

#[tokio::test]
async fn with_a_lock_a_refused_token_is_dropped_and_a_rejection_is_told_as_well() {
    let (place, account) = (Faulty::with_locks(), Account::new());
    let (store, other) = (sealed(&place), sealed(&place));
    let first = kept(store.settle(&account.ask(), None, &offered("first")).await);
    let busy = with_lock(store.claim(&account.instead_of(first)).await);
    let claim = other.claim(&account.after_a_401(first)).await;
    assert!(matches!(claim, Claim::Held { .. }), "{claim:?}");
    let claim = other.claim(&account.ask()).await;
    assert!(matches!(claim, Claim::Held { .. }), "it is dropped, though the lock was taken");
    store.release(&account.ask(), busy, Some(&rejection())).await;
    let claim = other.claim(&account.ask()).await;
    assert!(matches!(claim, Claim::Refused { .. }), "{claim:?}");
    place.clock.advance(Duration::from_secs(30));
    let lease = with_lock(other.claim(&account.ask()).await);
    assert!(format!("{lease:?}").contains("is_probe: true"));
    // The holder of the lock writes, whatever was there.
    kept(store.settle(&account.ask(), None, &offered("meanwhile")).await);
    let last = kept(other.settle(&account.ask(), Some(lease), &offered("last")).await);
    assert_eq!(found(store.claim(&account.ask()).await).generation, last);
}

#[tokio::test]
async fn the_key_of_a_place_is_asked_for_at_each_claim_and_kept_through_the_lease() {
    let (place, account) = (Faulty::new(), Account::new());
    let store = clear(&place);
    place.set_key(StoreKey::new([1; 32]));
    let lease = leased(store.claim(&account.ask()).await);
    let names = place.records.records();
    place.set_key(StoreKey::new([2; 32]));
    kept(store.settle(&account.ask(), Some(lease), &offered(TOKEN)).await);
    let after = place.records.records();
    assert_eq!(names.len(), 1);
    assert_eq!((after.len(), &after[0].0), (1, &names[0].0), "the same record");
    leased(store.claim(&account.ask()).await);
    place.set_key(StoreKey::new([1; 32]));
    assert_eq!(secret(&found(store.claim(&account.ask()).await)), TOKEN);
    // A rejection is told, since there is a key to name the request with.
    place.records.lose_all();
    let lease = leased(store.claim(&account.ask()).await);
    store.release(&account.ask(), lease, Some(&rejection())).await;
    assert!(matches!(store.claim(&account.ask()).await, Claim::Refused { .. }));
}

#[tokio::test]
async fn nothing_shows_a_secret_a_token_or_an_account() {
    for is_sealed in [true, false] {
        let (place, account) = (Faulty::new(), Account::new());
        let store = if is_sealed { sealed(&place) } else { clear(&place) };
        let lease = leased(store.claim(&account.ask()).await);
        let mut shown = format!("{store:?} {store:#?} {lease:?} {place:?} {:?}", account.ask());
        shown += &format!("{:?}", lease.holder::<Holder>().unwrap());
        let settled = store.settle(&account.ask(), Some(lease), &offered(TOKEN)).await;
        shown += &format!("{settled:?}");
        let first = kept(settled);
        shown += &format!("{:?}", store.claim(&account.ask()).await);
        let lease = leased(store.claim(&account.instead_of(first)).await);
        store.release(&account.ask(), lease, Some(&rejection())).await;
        shown += &format!("{:?}", store.claim(&account.instead_of(first)).await);
        for (name, record) in place.records.records() {
            shown += &format!("{name:?}");
            shown += &format!("{:?}", place.records.read(&name).await.unwrap());
            let text = String::from_utf8_lossy(&record).into_owned();
            for canary in ["CANARY", "acme", "pay.example.com", "credentials"] {
                let is_there = text.contains(canary);
                let is_token = canary == "CANARY" && !is_sealed;
                assert!(!is_there || is_token, "{canary}");
            }
            assert!(!text.contains("CANARY-secret") && !text.contains("CANARY-account"));
        }
        assert!(!shown.contains("CANARY"), "{shown}");
        assert!(!shown.contains("7, 7, 7"), "the key: {shown}");
    }
}

#[tokio::test]
async fn clones_are_one_store_with_one_breaker() {
    let (place, account) = (Faulty::new(), Account::new());
    let store = sealed(&place);
    let clone = store.clone();
    place.always(Fault::Error);
    store.claim(&account.ask()).await;
    place.calls();
    assert!(matches!(clone.claim(&account.ask()).await, Claim::Unavailable));
    assert_eq!(place.calls(), 0);
}

/// A flow whose provider nobody may ask.
#[derive(Debug)]
struct Flow;

impl auth_core::TokenExchange for Flow {
    fn provider(&self) -> &'static str {
        "acme"
    }

    fn identity(&self) -> Identity {
        Account::new().identity
    }

    fn request(&self) -> Result<HttpRequest, Error> {
        Ok(Account::new().request)
    }

    fn read(&self, _: &auth_core::TokenResponse) -> Result<auth_core::Grant, Error> {
        Err(Error::protocol("nobody asked"))
    }
}

#[tokio::test]
async fn a_source_gets_the_token_of_another_process_with_its_headers() {
    use auth_core::{CachedTokenSource, ScriptedClient};

    let (place, account) = (Faulty::new(), Account::new());
    let mut key = http::HeaderValue::from_static("CANARY-key");
    key.set_sensitive(true);
    let headers = [(http::HeaderName::from_static("x-key"), key)];
    let offer = Offered::new("DPoP", TOKEN, &headers, LIFETIME, LIFETIME);
    kept(sealed(&place).settle(&account.ask(), None, &offer).await);
    let provider = ScriptedClient::default();
    let source = CachedTokenSource::builder(Flow)
        .http_client(provider.clone())
        .clock(place.clock.clone())
        .store(sealed(&place))
        .build()
        .unwrap();
    let token = source.token().await.unwrap();
    let map = token.header_map();
    assert_eq!(map["authorization"], format!("DPoP {TOKEN}"));
    assert!(map["x-key"] == "CANARY-key" && map["x-key"].is_sensitive());
    assert_eq!(provider.requests(), 0);
}

#[tokio::test]
async fn what_is_forgotten_is_gone_for_all() {
    let (place, account) = (Faulty::new(), Account::new());
    let store = sealed(&place);
    let ask = account.ask();
    let lease = leased(store.claim(&ask).await);
    kept(store.settle(&ask, Some(lease), &offered(TOKEN)).await);
    assert!(store.forget(ask.identity).await.unwrap());
    assert!(!store.forget(ask.identity).await.unwrap());
    leased(sealed(&place).claim(&ask).await);
    place.always(Fault::Error);
    assert!(store.forget(ask.identity).await.is_err());
}

#[tokio::test]
async fn a_check_says_what_a_token_call_works_around_and_leaves_nothing() {
    let place = Faulty::with_locks();
    let store = SharedStore::unsealed(place.clone()).clock(place.clock.clone());
    store.check().await.unwrap();
    assert!(place.records.is_empty());
    // A lost reply is tried again; what fails twice is said.
    place.next([Fault::LostReply]);
    store.check().await.unwrap();
    for fault in [Fault::Error, Fault::Full, Fault::LostRecords] {
        place.always(fault);
        let error = store.check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store, "{fault:?}");
    }
}

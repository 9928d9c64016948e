//! A call that fails, or whose answer or record is lost.

use super::*;

/// Any call of the backend may do its work and lose the answer. Each is sent twice, so nobody
/// notices.
#[tokio::test]
async fn an_answer_that_is_lost_changes_nothing() {
    for fault in [Fault::LostReply, Fault::Error, Fault::Raced] {
        for at in 0..2 {
            let lose = |place: &Faulty| {
                place.next((0..at).map(|_| Fault::None).chain([fault]));
            };
            let (place, account) = (Faulty::new(), Account::new());
            let (store, other) = (sealed(&place), sealed(&place));
            lose(&place);
            let lease = leased(store.claim(&account.ask()).await);
            assert!(matches!(other.claim(&account.ask()).await, Claim::Held { .. }));
            lose(&place);
            store.renew(&account.ask(), &lease).await;
            assert!(matches!(other.claim(&account.ask()).await, Claim::Held { .. }));
            lose(&place);
            let first = kept(store.settle(&account.ask(), Some(lease), &offered("first")).await);
            lose(&place);
            assert_eq!(found(other.claim(&account.ask()).await).generation, first);
            lose(&place);
            let lease = leased(other.claim(&account.after_a_401(first)).await);
            lose(&place);
            other.release(&account.ask(), lease, Some(&rejection())).await;
            lose(&place);
            let claim = store.claim(&account.ask()).await;
            assert!(matches!(claim, Claim::Refused { .. }), "{fault:?} {at}: {claim:?}");
            lose(&place);
            let second = kept(store.settle(&account.ask(), None, &offered("second")).await);
            assert_eq!(found(other.claim(&account.ask()).await).generation, second);
        }
    }
}

#[tokio::test]
async fn a_record_may_be_lost_between_any_two_calls() {
    let (place, account) = (Faulty::new(), Account::new());
    let (store, other) = (sealed(&place), sealed(&place));
    let lose = || place.records.lose_all();
    let lease = leased(store.claim(&account.ask()).await);
    lose();
    store.renew(&account.ask(), &lease).await;
    let another = leased(other.claim(&account.ask()).await);
    // Nobody wrote since the claim, so the token is kept; the other holder's, too, with its lease.
    let first = kept(store.settle(&account.ask(), Some(lease), &offered("first")).await);
    let second = kept(other.settle(&account.ask(), Some(another), &offered("second")).await);
    lose();
    // A 401 for a token that is not there any more.
    let lease = leased(store.claim(&account.after_a_401(second)).await);
    lose();
    let third = kept(store.settle(&account.ask(), Some(lease), &offered("third")).await);
    assert_ne!(first, third);
    let lease = leased(store.claim(&account.instead_of(third)).await);
    lose();
    // What it knew is gone: somebody may have dropped it for a reason.
    let settled = store.settle(&account.instead_of(third), Some(lease), &offered("x")).await;
    assert!(matches!(settled, Settled::Unpublished), "{settled:?}");
    let lease = leased(store.claim(&account.ask()).await);
    lose();
    store.release(&account.ask(), lease, Some(&rejection())).await;
    leased(other.claim(&account.ask()).await);
}

#[tokio::test]
async fn a_record_may_be_lost_within_a_call() {
    for at in 0..2 {
        let (place, account) = (Faulty::new(), Account::new());
        let store = sealed(&place);
        let lose = || place.next((0..at).map(|_| Fault::None).chain([Fault::LostRecords]));
        lose();
        let lease = leased(store.claim(&account.ask()).await);
        lose();
        store.renew(&account.ask(), &lease).await;
        lose();
        kept(store.settle(&account.ask(), Some(lease), &offered("first")).await);
        place.next([]);
        store.claim(&account.ask()).await;
    }
}

#[tokio::test]
async fn a_settle_that_a_full_place_refuses_removes_the_record_so_that_nobody_waits() {
    let (place, account) = (Faulty::new(), Account::new());
    let (store, other) = (sealed(&place), sealed(&place));
    for verb in ["settle", "release"] {
        let lease = leased(store.claim(&account.ask()).await);
        place.always(Fault::Full);
        if verb == "settle" {
            let settled = store.settle(&account.ask(), Some(lease), &offered(TOKEN)).await;
            assert!(matches!(settled, Settled::Unpublished), "{settled:?}");
        } else {
            store.release(&account.ask(), lease, Some(&rejection())).await;
        }
        assert!(place.records.is_empty(), "{verb}");
        place.next([]);
        let lease = leased(other.claim(&account.ask()).await);
        other.release(&account.ask(), lease, None).await;
        place.clock.advance(Duration::from_secs(1));
        leased(store.claim(&account.ask()).await);
        place.records.lose_all();
    }
}

#[tokio::test]
async fn a_settle_that_errs_leaves_the_lease_of_somebody_else_alone() {
    let (place, account) = (Faulty::new(), Account::new());
    let (store, other, third) = (sealed(&place), sealed(&place), sealed(&place));
    let late = leased(store.claim(&account.ask()).await);
    place.clock.advance(Duration::from_secs(6)); // It is over.
    let lease = leased(other.claim(&account.ask()).await);
    place.always(Fault::Full);
    store.settle(&account.ask(), Some(late), &offered(TOKEN)).await;
    place.next([]);
    assert!(matches!(third.claim(&account.ask()).await, Claim::Held { .. }));
    kept(other.settle(&account.ask(), Some(lease), &offered("another")).await);
}

#[tokio::test]
async fn a_settle_that_was_done_and_seemed_to_fail_twice_is_kept() {
    let (place, account) = (Faulty::new(), Account::new());
    let (store, other) = (sealed(&place), sealed(&place));
    let lease = leased(store.claim(&account.ask()).await);
    // The swap is done; then the read of the second try fails.
    place.next([Fault::None, Fault::LostReply, Fault::Error]);
    let generation = kept(store.settle(&account.ask(), Some(lease), &offered(TOKEN)).await);
    assert_eq!(found(other.claim(&account.ask()).await).generation, generation);
}

#[tokio::test]
async fn a_lease_of_another_store_is_no_lease() {
    let (place, account) = (Faulty::new(), Account::new());
    let store = sealed(&place);
    store.renew(&account.ask(), &Lease::new(())).await;
    store.release(&account.ask(), Lease::new(()), Some(&rejection())).await;
    assert_eq!(place.calls(), 0);
    kept(store.settle(&account.ask(), Some(Lease::new(())), &offered(TOKEN)).await);
}

#[tokio::test]
async fn a_lease_that_is_over_goes_to_the_next_one_and_its_token_is_taken_unless_one_is_there() {
    let (place, account) = (Faulty::new(), Account::new());
    let (store, other) = (sealed(&place), sealed(&place));
    let late = leased(store.claim(&account.ask()).await);
    let later = leased({
        place.clock.advance(Duration::from_secs(5));
        store.claim(&account.ask()).await
    });
    place.clock.advance(Duration::from_secs(5));
    let lease = leased(other.claim(&account.ask()).await);
    store.renew(&account.ask(), &late).await;
    let first = kept(store.settle(&account.ask(), Some(late), &offered("late")).await);
    let settled = store.settle(&account.ask(), Some(later), &offered("later")).await;
    assert!(matches!(&settled, Settled::Superseded(token) if token.generation == first));
    let last = kept(other.settle(&account.ask(), Some(lease), &offered("holder")).await);
    assert_eq!(found(store.claim(&account.ask()).await).generation, last);
}

#[tokio::test]
async fn a_lease_that_is_renewed_lasts() {
    let (place, account) = (Faulty::new(), Account::new());
    let (store, other) = (sealed(&place), sealed(&place));
    let lease = leased(store.claim(&account.ask()).await);
    for _ in 0..10 {
        place.clock.advance(Duration::from_secs(4));
        assert!(matches!(other.claim(&account.ask()).await, Claim::Held { .. }));
        store.renew(&account.ask(), &lease).await;
    }
    place.clock.advance(Duration::from_secs(5));
    leased(other.claim(&account.ask()).await);
}

#[tokio::test]
async fn a_clock_of_the_place_that_steps_costs_a_token_and_never_gives_one_more_time() {
    let (place, account) = (Faulty::new(), Account::new());
    let store = sealed(&place);
    let wall = place.clock.wall();
    let hour = Duration::from_secs(3_600);
    for (stepped, is_there) in [
        (wall - Duration::from_secs(30), true),
        (wall - hour, false),
        (wall + Duration::from_secs(299), true),
        (wall + LIFETIME + Duration::from_secs(2), false),
        (wall + 24 * hour, false),
    ] {
        place.clock.set_wall(wall);
        place.records.lose_all();
        kept(store.settle(&account.ask(), None, &offered(TOKEN)).await);
        place.clock.set_wall(stepped);
        match store.claim(&account.ask()).await {
            Claim::Token(token) => assert!(is_there && token.left <= LIFETIME, "{stepped:?}"),
            claim => {
                assert!(!is_there, "{stepped:?}");
                // The lease of a clock that is set back again holds nobody up.
                drop(leased(claim));
                place.clock.set_wall(stepped - Duration::from_secs(1));
                drop(leased(store.claim(&account.ask()).await));
            }
        }
    }
}

//! Patience, and what follows when it is over.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Polls as often as there is something to do without time passing.
fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test]
async fn a_place_that_hangs_costs_a_caller_its_patience_and_no_more() {
    let (place, account) = (Faulty::new(), Account::new());
    let store = sealed(&place);
    place.always(Fault::Hang);
    let ask = account.ask();
    let mut claim = pin!(store.claim(&ask));
    assert!(poll(claim.as_mut()).is_pending());
    assert_eq!(place.calls(), 1);
    place.clock.advance(MS(149));
    assert!(poll(claim.as_mut()).is_pending());
    assert_eq!(place.calls(), 0);
    place.clock.advance(MS(1));
    assert!(poll(claim.as_mut()).is_pending());
    assert_eq!(place.calls(), 1, "sent again at half of it");
    place.clock.advance(MS(149));
    assert!(poll(claim.as_mut()).is_pending());
    place.clock.advance(MS(1));
    assert!(matches!(poll(claim.as_mut()), Poll::Ready(Claim::Unavailable)));
    assert_eq!(place.calls(), 0);
    for _ in 0..64 {
        assert!(matches!(store.claim(&ask).await, Claim::Unavailable), "the others at once");
    }
    assert_eq!(place.calls(), 0);
}

#[tokio::test]
async fn each_call_has_its_patience() {
    let (place, account) = (Faulty::new(), Account::new());
    for call in ["renew", "settle", "release"] {
        let store = sealed(&place).patience(MS(100)).unwrap();
        place.next([]);
        place.records.lose_all();
        let ask = account.ask();
        let lease = leased(store.claim(&ask).await);
        place.always(Fault::Hang);
        place.calls();
        let offer = offered(TOKEN);
        let mut ends = pin!(async {
            match call {
                "renew" => store.renew(&ask, &lease).await,
                "settle" => {
                    let settled = store.settle(&ask, Some(lease), &offer).await;
                    assert!(matches!(settled, Settled::Unpublished), "{settled:?}");
                }
                _ => store.release(&ask, lease, None).await,
            }
        });
        for _ in 0..2 {
            assert!(poll(ends.as_mut()).is_pending(), "{call}");
            place.clock.advance(MS(50));
        }
        assert!(poll(ends.as_mut()).is_ready(), "{call}");
        assert_eq!(place.calls(), 2, "{call}");
    }
}

#[tokio::test]
async fn in_an_outage_64_callers_call_the_place_once_a_pause() {
    let (place, account) = (Faulty::new(), Account::new());
    let store = sealed(&place);
    let ask = account.ask();
    place.always(Fault::Error);
    let mut calls = Vec::new();
    for _ in 0..40 {
        for _ in 0..64 {
            assert!(matches!(store.claim(&ask).await, Claim::Unavailable));
        }
        calls.push(place.calls());
        place.clock.advance(MS(250));
    }
    // Each claim is sent twice. The pauses: 500 ms four times, then a quarter of the outage.
    assert_eq!(calls[..9], [2, 0, 2, 0, 2, 0, 2, 0, 2]);
    let claims = calls.iter().sum::<usize>() / 2;
    assert!((5..14).contains(&claims), "10 s of outage: {claims}");

    place.next([]);
    place.clock.advance(MS(30_000));
    let lease = leased(store.claim(&ask).await);
    assert!(matches!(store.claim(&ask).await, Claim::Held { .. }), "it works again, for all");
    kept(store.settle(&ask, Some(lease), &offered(TOKEN)).await);
}

#[tokio::test]
async fn while_one_probes_the_others_do_not_wait_for_it() {
    let (place, account) = (Faulty::new(), Account::new());
    let store = sealed(&place);
    let ask = account.ask();
    place.always(Fault::Error);
    store.claim(&ask).await;
    place.always(Fault::Hang);
    place.clock.advance(MS(500));
    place.calls();
    {
        let mut probe = pin!(store.claim(&ask));
        assert!(poll(probe.as_mut()).is_pending());
        assert!(matches!(store.claim(&ask).await, Claim::Unavailable));
        assert_eq!(place.calls(), 1);
    } // Its caller goes away.
    place.next([]);
    leased(store.claim(&ask).await);
}

#[tokio::test]
async fn in_an_outage_what_ends_a_flight_is_tried_once_and_nothing_else() {
    let (place, account) = (Faulty::new(), Account::new());
    let store = sealed(&place);
    let ask = account.ask();
    let lease = leased(store.claim(&ask).await);
    place.always(Fault::Error);
    store.claim(&ask).await;
    place.calls();
    store.renew(&ask, &lease).await;
    assert_eq!(place.calls(), 0);
    let settled = store.settle(&ask, None, &offered(TOKEN)).await;
    assert!(matches!(settled, Settled::Unpublished));
    assert_eq!(place.calls(), 1);
    store.release(&ask, lease, Some(&rejection())).await;
    assert_eq!(place.calls(), 1);
    store.settle(&ask, None, &offered(TOKEN)).await;
    assert_eq!(place.calls(), 0, "there is nothing to give back");
    place.clock.advance(MS(500));
    store.claim(&ask).await;
    place.always(Fault::Hang);
    let token = offered(TOKEN);
    let mut settle = pin!(store.settle(&ask, None, &token));
    assert!(poll(settle.as_mut()).is_pending());
    place.clock.advance(MS(30));
    assert!(matches!(poll(settle.as_mut()), Poll::Ready(Settled::Unpublished)));
}

/// Its answers were lost, but its lease was written: without the token the others would wait for 5 s.
#[tokio::test]
async fn the_token_of_a_flight_whose_claim_seemed_to_fail_reaches_the_others() {
    let (place, account) = (Faulty::new(), Account::new());
    let (store, other) = (sealed(&place), sealed(&place));
    let ask = account.ask();
    place.next([Fault::None, Fault::LostReply, Fault::None, Fault::LostReply]);
    assert!(matches!(store.claim(&ask).await, Claim::Unavailable));
    assert!(matches!(other.claim(&ask).await, Claim::Held { .. }));
    kept(store.settle(&ask, None, &offered(TOKEN)).await);
    assert!(matches!(other.claim(&ask).await, Claim::Token(_)));
    assert!(matches!(store.claim(&ask).await, Claim::Unavailable), "it is left alone all the same");
}

#[tokio::test]
async fn a_place_where_somebody_else_is_always_first_is_given_up_in_time() {
    let (place, account) = (Faulty::new(), Account::new());
    let store = sealed(&place);
    place.next([Fault::None, Fault::Raced, Fault::None, Fault::Raced, Fault::None]);
    leased(store.claim(&account.ask()).await);
    assert_eq!(place.calls(), 6, "at once, until it works");

    place.records.lose_all();
    place.always(Fault::Raced);
    let ask = account.ask();
    let mut claim = pin!(store.claim(&ask));
    for _ in 0..2 {
        for _ in 0..100 {
            assert!(poll(claim.as_mut()).is_pending());
        }
        place.clock.advance(MS(150));
    }
    assert!(matches!(poll(claim.as_mut()), Poll::Ready(Claim::Unavailable)));
}

#[test]
fn a_patience_of_over_two_seconds_or_none_is_refused() {
    let with = |span| sealed(&Faulty::new()).patience(span).is_ok();
    assert!(!with(Duration::ZERO) && with(MS(1)) && with(MS(2_000)) && !with(MS(2_001)));
}

#[cfg(feature = "tracing")]
#[tokio::test]
async fn an_outage_is_warned_of_once_and_without_a_secret() {
    // Known to tracing from here on. It would miss the log if the thread of another test had it
    // registered just now.
    trace::unavailable(&Error::config("not this one"), MS(1));
    trace::claimed("acme", &Claim::Unavailable);
    let log = trace::tests::Log::default();
    let _logs = tracing::subscriber::set_default(log.clone());
    let (place, account) = (Faulty::new(), Account::new());
    let store = sealed(&place);
    let lease = leased(store.claim(&account.ask()).await);
    kept(store.settle(&account.ask(), Some(lease), &offered(TOKEN)).await);
    found(store.claim(&account.ask()).await);
    place.always(Fault::Error);
    for _ in 0..20 {
        store.claim(&account.ask()).await;
        place.clock.advance(MS(1_000));
    }
    let lines = log.lines();
    let warnings: Vec<_> = lines.iter().filter(|line| line.starts_with("WARN")).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("the place failed, as it was told to"), "{warnings:?}");
    assert!(warnings[0].contains("retry_in_ms=500"), "{warnings:?}");
    assert!(lines.iter().any(|line| line.contains("answer=\"token\"")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("CANARY")), "{lines:?}");
}

//! A stress test of the flight: callers that leave at random, on two runtimes, while the provider
//! fails and the exchange is replaced. It runs in real time, briefly.

use super::*;
use crate::{Clock as _, SystemClock};

/// No caller hangs or gets an expired token, and the source works at the end.
#[test]
fn callers_that_leave_at_random_on_two_runtimes_leave_no_other_hanging() {
    let script = [
        Answer::Token(1),
        Answer::Status(503, None),
        Answer::Token(1),
        Answer::Panic,
        Answer::Connect,
        Answer::Token(1),
    ];
    let provider = Provider::new(script.iter().cycle().take(6_000).cloned());
    provider.shut();
    let source = CachedTokenSource::builder(Acme::default())
        .http_client(provider.clone())
        .retry_policy(RetryPolicy::default().backoff(MILLIS(1), MILLIS(2)).deadline(MILLIS(300)))
        .build()
        .unwrap();
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()
    };
    let (first, second) = (runtime(), runtime());
    let callers: Vec<_> = (0..64_u64)
        .map(|seed| {
            let (source, provider) = (source.clone(), provider.clone());
            let mut draw = fastrand::Rng::with_seed(seed);
            let runtime = if seed % 2 == 0 { &first } else { &second };
            runtime.spawn(async move {
                for _ in 0..1_000 {
                    let patience = Duration::from_micros(draw.u64(0..600));
                    let asked_at = SystemClock.wall();
                    let result = tokio::time::timeout(patience, source.token()).await;
                    match (draw.u8(0..24), result) {
                        (0, Ok(Ok(token))) => source.invalidate(&token),
                        (1..3, _) => source.replace_exchange(Acme::default()).unwrap(),
                        (3..12, _) => provider.let_through(1),
                        (_, Ok(Ok(token))) => {
                            // Not compared with the time now: this task may have been preempted.
                            assert!(token.expires_at().unwrap() > asked_at);
                        }
                        _ => {}
                    }
                }
            })
        })
        .collect();
    for (seed, caller) in callers.into_iter().enumerate() {
        let runtime = if seed % 2 == 0 { &first } else { &second };
        let done = runtime.block_on(async { tokio::time::timeout(SECS(20), caller).await });
        done.expect("a caller hangs").unwrap();
    }
    assert!(provider.requests() > 200, "{} requests are no stress", provider.requests());
    // One runtime is shut down, with any flight on it.
    first.shutdown_background();
    provider.then([Answer::Token(300)]);
    provider.let_through(10_000);
    source.replace_exchange(Acme::default()).unwrap();
    let token = second.block_on(async { tokio::time::timeout(SECS(5), source.token()).await });
    token.expect("the last caller hangs").unwrap();
}

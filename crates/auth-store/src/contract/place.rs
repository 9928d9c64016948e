//! The sentences about a place that keeps records.

use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;

use super::{Pair, done, name};
use crate::backend::{Backend, Lock};
use crate::id::Id;
use crate::key::RecordName;
use crate::shared::SharedStore;

const KEEP: Duration = Duration::from_secs(60);

pub(super) async fn all<B: Backend>(pair: &Pair<B>) {
    what_was_never_written_is_not_there(pair).await;
    what_one_writes_the_other_reads_byte_for_byte(pair).await;
    a_record_is_written_only_in_place_of_the_one_that_was_read(pair).await;
    a_record_is_removed_only_if_it_is_still_the_one_that_was_read(pair).await;
    a_record_of_a_few_bytes_can_be_replaced_too(pair).await;
    records_of_two_names_are_apart(pair).await;
    of_sixteen_writes_in_place_of_one_record_one_is_done(pair).await;
    no_write_is_lost(pair).await;
    the_clock_is_shared_and_goes_on(pair).await;
    a_lock_is_held_once_and_given_back(pair).await;
}

async fn read<B: Backend>(store: &SharedStore<B>, name: &RecordName) -> Option<Bytes> {
    done(store.backend().read(name).await).record
}

async fn swap<B: Backend>(
    store: &SharedStore<B>,
    name: &RecordName,
    old: Option<&[u8]>,
    new: Option<&[u8]>,
) -> bool {
    done(store.backend().swap(name, old, new, KEEP).await)
}

/// A record whose first 16 bytes no other has.
fn record(stamp: u8) -> Vec<u8> {
    [vec![stamp; 16], b"payload".to_vec()].concat()
}

async fn what_was_never_written_is_not_there<B: Backend>(pair: &Pair<B>) {
    let name = name();
    assert_eq!(read(&pair.one, &name).await, None);
    assert!(!swap(&pair.one, &name, Some(&record(1)), Some(&record(2))).await);
    assert!(!swap(&pair.one, &name, Some(&record(1)), None).await);
    assert_eq!(read(&pair.one, &name).await, None);
}

async fn what_one_writes_the_other_reads_byte_for_byte<B: Backend>(pair: &Pair<B>) {
    let long: Vec<u8> = (0..=u8::MAX).cycle().take(40 * 1_024).collect();
    for record in [record(0), long] {
        let name = name();
        assert!(swap(&pair.one, &name, None, Some(&record)).await);
        assert!(read(&pair.other, &name).await.is_some_and(|read| read == record));
        assert!(read(&pair.one, &name).await.is_some_and(|read| read == record));
        assert!(swap(&pair.other, &name, Some(&record), None).await);
    }
}

async fn a_record_is_written_only_in_place_of_the_one_that_was_read<B: Backend>(pair: &Pair<B>) {
    let name = name();
    let (first, second, third) = (record(1), record(2), record(3));
    assert!(swap(&pair.one, &name, None, Some(&first)).await);
    assert!(!swap(&pair.other, &name, None, Some(&second)).await, "something is there");
    assert!(!swap(&pair.other, &name, Some(&third), Some(&second)).await, "it is another one");
    assert_eq!(read(&pair.one, &name).await.as_deref(), Some(first.as_slice()));
    assert!(swap(&pair.other, &name, Some(&first), Some(&second)).await);
    assert!(!swap(&pair.one, &name, Some(&first), Some(&third)).await, "it was replaced");
    assert_eq!(read(&pair.one, &name).await.as_deref(), Some(second.as_slice()));
}

async fn a_record_is_removed_only_if_it_is_still_the_one_that_was_read<B: Backend>(pair: &Pair<B>) {
    let name = name();
    assert!(swap(&pair.one, &name, None, Some(&record(1))).await);
    assert!(!swap(&pair.other, &name, Some(&record(2)), None).await);
    assert_eq!(read(&pair.one, &name).await.as_deref(), Some(record(1).as_slice()));
    assert!(swap(&pair.other, &name, Some(&record(1)), None).await);
    assert_eq!(read(&pair.one, &name).await, None);
    assert!(swap(&pair.one, &name, None, Some(&record(3))).await, "it can be written again");
}

async fn a_record_of_a_few_bytes_can_be_replaced_too<B: Backend>(pair: &Pair<B>) {
    let name = name();
    assert!(swap(&pair.one, &name, None, Some(b"x")).await);
    assert_eq!(read(&pair.other, &name).await.as_deref(), Some(&b"x"[..]));
    assert!(!swap(&pair.other, &name, Some(b"y"), Some(&record(1))).await);
    assert!(swap(&pair.other, &name, Some(b"x"), Some(&record(1))).await);
    assert_eq!(read(&pair.one, &name).await.as_deref(), Some(record(1).as_slice()));
}

async fn records_of_two_names_are_apart<B: Backend>(pair: &Pair<B>) {
    let (one, other) = (name(), name());
    assert!(swap(&pair.one, &one, None, Some(&record(1))).await);
    assert_eq!(read(&pair.one, &other).await, None);
    assert!(swap(&pair.one, &other, None, Some(&record(2))).await);
    assert!(swap(&pair.one, &one, Some(&record(1)), None).await);
    assert_eq!(read(&pair.other, &other).await.as_deref(), Some(record(2).as_slice()));
}

async fn of_sixteen_writes_in_place_of_one_record_one_is_done<B: Backend>(pair: &Pair<B>) {
    for old in [None, Some(record(0))] {
        let name = name();
        if let Some(old) = &old {
            assert!(swap(&pair.one, &name, None, Some(old)).await);
        }
        let mut writes = JoinSet::new();
        for stamp in 1..=16 {
            let store = if stamp % 2 == 0 { pair.one.clone() } else { pair.other.clone() };
            let (name, old) = (name.clone(), old.clone());
            writes.spawn(async move {
                swap(&store, &name, old.as_deref(), Some(&record(stamp))).await.then_some(stamp)
            });
        }
        let written: Vec<u8> = writes.join_all().await.into_iter().flatten().collect();
        assert_eq!(written.len(), 1, "a swap is atomic");
        let left = read(&pair.one, &name).await;
        assert_eq!(left.and_then(|left| left.first().copied()), written.first().copied());
    }
}

async fn no_write_is_lost<B: Backend>(pair: &Pair<B>) {
    const TASKS: usize = 4;
    const EACH: usize = 10;
    let name = name();
    let mut counts = JoinSet::new();
    for task in 0..TASKS {
        let store = if task % 2 == 0 { pair.one.clone() } else { pair.other.clone() };
        let name = name.clone();
        counts.spawn(async move {
            for _ in 0..EACH {
                loop {
                    let old = read(&store, &name).await;
                    let stamp = done(Id::draw());
                    // One byte more than before.
                    let more = old.as_ref().map_or(1, |old| old.len() - 16 + 1);
                    let new = [stamp.as_bytes().as_slice(), &vec![7; more]].concat();
                    if swap(&store, &name, old.as_deref(), Some(&new)).await {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    counts.join_all().await;
    assert_eq!(read(&pair.one, &name).await.map(|left| left.len() - 16), Some(TASKS * EACH));
}

async fn the_clock_is_shared_and_goes_on<B: Backend>(pair: &Pair<B>) {
    let name = name();
    let before = done(pair.one.backend().read(&name).await).now;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let after = done(pair.other.backend().read(&name).await).now;
    // Coarse clocks go in steps; a machine under load takes its time.
    let passed = after.saturating_sub(before);
    assert!(passed >= Duration::from_millis(30), "50 ms later it is {passed:?} later");
    assert!(passed < Duration::from_secs(30), "50 ms later it is {passed:?} later");
}

async fn a_lock_is_held_once_and_given_back<B: Backend>(pair: &Pair<B>) {
    let (one, another) = (name(), name());
    let guard = match done(pair.one.backend().lock(&one).await) {
        Lock::Unsupported => return,
        Lock::Held(guard) => guard,
        #[allow(clippy::panic)] // `all` documents it
        Lock::Taken => panic!("nobody has this lock"),
    };
    let again = done(pair.one.backend().lock(&one).await);
    assert!(matches!(again, Lock::Taken), "not twice in one process either: {again:?}");
    let again = done(pair.other.backend().lock(&one).await);
    assert!(matches!(again, Lock::Taken), "{again:?}");
    let apart = done(pair.other.backend().lock(&another).await);
    assert!(matches!(apart, Lock::Held(_)), "each record has its own: {apart:?}");
    // It guards nothing by itself: a record can be written meanwhile.
    assert!(swap(&pair.other, &one, None, Some(&record(1))).await);
    drop(guard);
    let again = done(pair.other.backend().lock(&one).await);
    assert!(matches!(again, Lock::Held(_)), "it was given back: {again:?}");
}

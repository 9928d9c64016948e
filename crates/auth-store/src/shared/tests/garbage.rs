//! Records that somebody damaged, or wrote.

use super::*;
use crate::record::{Record, Token};

/// The one record of a place.
fn only(place: &Faulty) -> (RecordName, Vec<u8>) {
    let mut records = place.records.records();
    assert_eq!(records.len(), 1);
    records.pop().map(|(name, record)| (name, record.to_vec())).unwrap()
}

async fn put(place: &Faulty, name: &RecordName, record: &[u8]) {
    place.records.lose_all();
    assert!(place.records.swap(name, None, Some(record), LIFETIME).await.unwrap());
}

#[tokio::test]
async fn a_record_damaged_at_any_byte_is_as_none_and_is_written_over() {
    for is_sealed in [true, false] {
        let (place, account) = (Faulty::new(), Account::new());
        let store = if is_sealed { sealed(&place) } else { clear(&place) };
        kept(store.settle(&account.ask(), None, &offered(TOKEN)).await);
        let (name, whole) = only(&place);
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            for damaged in [&flipped[..], &whole[..at]] {
                put(&place, &name, damaged).await;
                let lease = leased(store.claim(&account.ask()).await);
                if at % 16 == 0 {
                    kept(store.settle(&account.ask(), Some(lease), &offered("next")).await);
                    assert_eq!(secret(&found(store.claim(&account.ask()).await)), "next");
                }
            }
        }
        put(&place, &name, &whole).await;
        assert_eq!(secret(&found(store.claim(&account.ask()).await)), TOKEN);
    }
}

#[tokio::test]
async fn a_record_moved_from_another_account_is_as_none() {
    for is_sealed in [true, false] {
        let (place, account) = (Faulty::new(), Account::new());
        let store = if is_sealed { sealed(&place) } else { clear(&place) };
        let host = Endpoint::parse("https://pay.example.com/token").unwrap();
        let another = Identity::new("acme", &host, &["another"]);
        kept(store.settle(&Ask::new(&another, &account.request), None, &offered(TOKEN)).await);
        let (_, record) = only(&place);
        let name = store.name_of(&account.identity).await.unwrap();
        put(&place, &name, &record).await;
        leased(store.claim(&account.ask()).await);
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_read_back_is_replaced_and_not_handed_out_for_ever() {
    let (place, account) = (Faulty::new(), Account::new());
    let (store, other) = (sealed(&place), sealed(&place));
    let name = store.name_of(&account.identity).await.unwrap();
    let now = crate::record::millis(place.records.read(&name).await.unwrap().now);
    let generation = Id::new([9; 16]);
    let token = Token::of(generation, &offered("CANARY with\nspaces"), now);
    let record = Record { token: Some(token), ..Record::default() };
    let payload = record.write().unwrap();
    let key = StoreKey::new([7; 32]);
    let bytes = crate::seal::seal(Some(&key), &name, Id::new([8; 16]), payload.as_slice()).unwrap();
    put(&place, &name, &bytes).await;

    for ask in [account.ask(), account.after_a_401(Generation::new([1; 16]))] {
        let lease = leased(store.claim(&ask).await);
        assert!(matches!(other.claim(&ask).await, Claim::Held { .. }));
        store.release(&ask, lease, None).await;
    }
    // A process that read it knows it, and who does not is told of none.
    let settled = other.settle(&account.ask(), None, &offered("x")).await;
    assert!(matches!(settled, Settled::Unpublished), "{settled:?}");
    let lease = leased(store.claim(&account.ask()).await);
    kept(store.settle(&account.ask(), Some(lease), &offered("good")).await);
    assert_eq!(secret(&found(other.claim(&account.ask()).await)), "good");
}

#[tokio::test]
async fn two_keys_never_read_each_other_even_under_one_name() {
    let (place, account) = (Faulty::new(), Account::new());
    let (store, another) = (
        sealed(&place),
        SharedStore::sealed(place.clone(), StoreKey::new([8; 32])).clock(place.clock.clone()),
    );
    kept(store.settle(&account.ask(), None, &offered(TOKEN)).await);
    let (_, record) = only(&place);
    leased(another.claim(&account.ask()).await);
    leased(clear(&place).claim(&account.ask()).await);
    assert_eq!(place.records.records().len(), 3, "each has a record of its own");
    for reader in [&another, &clear(&place)] {
        let name = reader.name_of(&account.identity).await.unwrap();
        put(&place, &name, &record).await;
        leased(reader.claim(&account.ask()).await);
    }
}

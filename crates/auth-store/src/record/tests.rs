//! The rules, each as a sentence. Instants are small numbers: the origin of a clock is arbitrary.

use auth_core::{Error, ErrorKind, Offered};
use http::StatusCode;

use super::*;

const MINUTE: u64 = 60_000;
const ONE: Id = Id::new([1; 16]);
const OTHER: Id = Id::new([2; 16]);
const PRINT: Id = Id::new([3; 16]);

fn generation(number: u8) -> Id {
    Id::new([100 + number; 16])
}

/// A token that lives five minutes from `now` on.
fn token(number: u8, now: u64) -> Token {
    let span = Duration::from_secs(300);
    Token::of(generation(number), &Offered::new("Bearer", "made-up", &[], span, span), now)
}

fn holding(number: u8, now: u64) -> Record {
    Record { token: Some(token(number, now)), ..Record::default() }
}

fn wish(owner: Id) -> Wish {
    Wish { owner, have: None, is_refused: false, print: Some(PRINT) }
}

fn having(owner: Id, number: u8) -> Wish {
    Wish { have: Some(generation(number)), ..wish(owner) }
}

fn refused(owner: Id, number: u8) -> Wish {
    Wish { is_refused: true, ..having(owner, number) }
}

fn look(record: &mut Record, now: u64, wish: Wish) -> Look {
    record.look(now, &wish).0
}

const FREE: Look = Look::Free { is_probe: false };

fn owner(owner: Id, base: Option<Id>) -> Writer {
    Writer { owner: Some(owner), base, holds_lock: false }
}

fn nobody(base: Option<Id>) -> Writer {
    Writer { owner: None, base, holds_lock: false }
}

#[test]
fn a_a_live_token_that_the_caller_has_not_is_the_answer() {
    let mut record = holding(1, 0);
    record.lease(0, OTHER);
    for wish in [wish(ONE), having(ONE, 2), refused(ONE, 2), wish(OTHER)] {
        assert_eq!(record.look(100_000, &wish), (Look::Token { left: 200_000 }, false));
    }
    assert_eq!(look(&mut record, 299_999, wish(ONE)), Look::Token { left: 1 });
    assert_eq!(look(&mut record, 300_000, wish(ONE)), FREE, "it has expired");
}

#[test]
fn a_clock_that_stepped_back_gives_a_token_no_more_time_than_it_has_in_all() {
    let mut record = holding(1, 10 * MINUTE);
    for (now, left) in [(10 * MINUTE - 1, 300_000), (9 * MINUTE, 300_000)] {
        assert_eq!(look(&mut record, now, wish(ONE)), Look::Token { left }, "{now}");
    }
    // So far back that it may have expired long ago.
    for now in [9 * MINUTE - 1, 0] {
        assert_eq!(look(&mut record, now, wish(ONE)), FREE, "{now}");
    }
    assert_eq!(record.settle(0, nobody(None), token(2, 0)), Write::Done);
}

#[test]
fn b_a_refused_token_is_dropped_and_no_other() {
    let mut record = holding(1, 0);
    assert_eq!(record.look(0, &refused(ONE, 1)), (FREE, true));
    assert!(record.token.is_none());
    let mut record = holding(1, 0);
    assert_eq!(record.look(0, &having(ONE, 1)), (FREE, false));
    assert!(record.token.is_some(), "nobody refused it");
}

#[test]
fn b_a_refused_token_is_dropped_even_while_another_asks_for_one() {
    let mut record = holding(1, 0);
    record.lease(0, OTHER);
    assert_eq!(record.look(1, &refused(ONE, 1)), (Look::Held { left: LEASE - 1 }, true));
    assert!(record.token.is_none());
}

#[test]
fn b_tokens_are_dropped_ever_more_rarely_until_that_stops() {
    let mut record = Record::default();
    let mut pauses = Vec::new();
    let mut now = 0;
    for number in 0..9 {
        record.token = Some(token(number, now));
        assert_eq!(record.look(now, &refused(ONE, number)), (FREE, true), "{number}");
        let next = record.drops.as_ref().unwrap().next;
        record.token = Some(token(100 + number, now));
        let again = record.look(next - 1, &refused(ONE, 100 + number));
        assert!(matches!(again, (Look::Token { .. }, false)), "{again:?}");
        pauses.push(next - now);
        now = next;
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60].map(|seconds| seconds * 1_000));
    for (later, count) in [(FORGOTTEN, 10), (FORGOTTEN + 1, 1)] {
        record.token = Some(token(1, now + later));
        let drops = record.drops.clone();
        look(&mut record, now + later, refused(ONE, 1));
        assert_eq!(record.drops.as_ref().unwrap().count, count, "{later}");
        record.drops = drops;
    }
}

#[test]
fn b_a_throttle_that_a_clock_set_far_ahead_is_not_believed() {
    let mut record = holding(1, 0);
    let drops = |next| Some(Drops { count: 5, next, last: generation(9) });
    record.drops = drops(LONGEST_DROP);
    assert!(matches!(record.look(0, &refused(ONE, 1)), (Look::Token { .. }, false)));
    record.drops = drops(LONGEST_DROP + 1);
    assert_eq!(record.look(0, &refused(ONE, 1)), (FREE, true));
    assert_eq!(record.drops.unwrap().count, 1);
}

#[test]
fn c_a_lease_of_another_is_held_for_its_span_and_no_longer() {
    let mut record = Record::default();
    record.lease(MINUTE, OTHER);
    assert_eq!(look(&mut record, MINUTE, wish(ONE)), Look::Held { left: LEASE });
    assert_eq!(look(&mut record, MINUTE + LEASE - 1, wish(ONE)), Look::Held { left: 1 });
    assert_eq!(look(&mut record, MINUTE + LEASE, wish(ONE)), FREE, "it is over");
    assert_eq!(look(&mut record, MINUTE - 1, wish(ONE)), FREE, "the clock stepped back");
    assert_eq!(look(&mut record, MINUTE, wish(OTHER)), FREE, "it is the caller's own");
}

#[test]
fn d_what_was_said_to_a_request_is_said_to_the_same_one_alone() {
    let said = |print| {
        let error = Error::new(ErrorKind::Unavailable, "x").with_status(StatusCode::BAD_GATEWAY);
        let mut said = Said::of(&error, None, None, 0).unwrap();
        said.print = print;
        said
    };
    for (print, asked, is_told) in [
        (None, None, true),
        (None, Some(PRINT), true),
        (Some(PRINT), Some(PRINT), true),
        (Some(PRINT), Some(ONE), false),
        (Some(PRINT), None, false),
    ] {
        let mut record = Record { said: Some(said(print)), ..Record::default() };
        let found = look(&mut record, 100, Wish { print: asked, ..wish(ONE) });
        let told = if is_told { Look::Refused { left: 400 } } else { FREE };
        assert_eq!(found, told, "{print:?} {asked:?}");
    }
}

#[test]
fn e_the_lease_of_a_claim_after_a_pause_is_a_probe() {
    let error = Error::new(ErrorKind::Credentials, "x");
    let said = Said::of(&error, Some(PRINT), None, 10 * MINUTE).unwrap();
    let until = said.until;
    let mut record = Record { said: Some(said), ..Record::default() };
    let probe = Look::Free { is_probe: true };
    assert_eq!(look(&mut record, until - 1, wish(ONE)), Look::Refused { left: 1 });
    assert_eq!(look(&mut record, until, wish(ONE)), probe);
    assert_eq!(look(&mut record, until + FORGOTTEN, wish(ONE)), probe);
    assert_eq!(look(&mut record, until + FORGOTTEN + 1, wish(ONE)), FREE, "it was long ago");
    assert_eq!(look(&mut record, 0, wish(ONE)), FREE, "the clock stepped back");
    let another = Wish { print: Some(ONE), ..wish(ONE) };
    assert_eq!(look(&mut record, until, another), FREE, "it was said to another request");
}

#[test]
fn a_claim_that_is_sent_twice_gets_its_own_lease_again() {
    let mut record = Record::default();
    for now in [0, 200] {
        assert_eq!(look(&mut record, now, wish(ONE)), FREE);
        record.lease(now, ONE);
    }
    assert_eq!(record.lease, Some(Held { owner: ONE, until: 200 + LEASE, span: LEASE }));
}

#[test]
fn a_token_is_written_by_the_owner_by_who_knew_the_last_one_and_by_nobody_else() {
    let (g1, g2) = (generation(1), generation(2));
    let superseded = Write::Superseded { left: 300_000 };
    let lock = Writer { holds_lock: true, ..nobody(None) };
    for (there, leased, writer, says) in [
        (false, true, owner(ONE, None), Write::Done),
        (true, true, owner(ONE, None), Write::Done),
        (true, true, owner(ONE, Some(g2)), Write::Done),
        (true, true, owner(OTHER, Some(g1)), Write::Done), // its lease was over, nobody wrote
        (true, true, owner(OTHER, None), superseded),
        (true, false, owner(ONE, None), superseded),
        (true, false, owner(ONE, Some(g2)), superseded),
        (true, false, nobody(Some(g1)), Write::Done),
        (true, false, nobody(Some(g2)), superseded),
        (true, false, nobody(None), superseded),
        (true, false, lock, Write::Done),
        (false, false, nobody(None), Write::Done),
        (false, true, nobody(None), Write::Done),
        (false, false, nobody(Some(g1)), Write::Refused),
        (false, true, owner(OTHER, Some(g1)), Write::Refused),
    ] {
        let mut record = if there { holding(1, 0) } else { Record::default() };
        if leased {
            record.lease(0, ONE);
        }
        let before = record.token.as_ref().map(|token| token.generation);
        assert_eq!(record.settle(0, writer, token(3, 0)), says, "{there} {leased} {writer:?}");
        let is_written = says == Write::Done;
        let after = record.token.as_ref().map(|token| token.generation);
        assert_eq!(after, if is_written { Some(generation(3)) } else { before });
        let is_ours = writer.owner == Some(ONE);
        assert_eq!(record.lease.is_some(), leased && !(is_written && is_ours), "{writer:?}");
    }
}

#[test]
fn a_token_that_has_expired_supersedes_nothing() {
    let mut record = holding(1, 0);
    assert_eq!(record.settle(300_000, nobody(None), token(2, 300_000)), Write::Done);
    let mut record = holding(1, 0);
    let knew = nobody(Some(generation(1)));
    assert_eq!(record.settle(300_000, knew, token(2, 300_000)), Write::Done);
    let mut record = holding(1, 0);
    let other = nobody(Some(generation(9)));
    assert_eq!(record.settle(300_000, other, token(2, 300_000)), Write::Refused);
}

#[test]
fn a_settle_that_is_sent_twice_finds_its_own_token() {
    let mut record = Record::default();
    record.lease(0, ONE);
    assert_eq!(record.settle(0, owner(ONE, None), token(1, 0)), Write::Done);
    record.lease(1, OTHER);
    assert_eq!(record.settle(1, owner(ONE, None), token(1, 1)), Write::There);
    assert!(record.is_owner(OTHER), "somebody else has the lease by now, and keeps it");
}

#[test]
fn a_settle_that_is_sent_twice_does_not_bring_a_dropped_token_back() {
    let mut record = Record::default();
    assert_eq!(record.settle(0, nobody(None), token(1, 0)), Write::Done);
    look(&mut record, 1, refused(OTHER, 1));
    assert_eq!(record.settle(2, nobody(None), token(1, 2)), Write::Refused);
    assert_eq!(record.settle(2, nobody(None), token(2, 2)), Write::Done);
}

#[test]
fn a_token_that_is_written_ends_what_was_said() {
    let error = Error::new(ErrorKind::Credentials, "x");
    let said = Said::of(&error, Some(PRINT), None, 0);
    let mut record = Record { said, ..holding(1, 0) };
    assert_eq!(record.settle(0, nobody(None), token(2, 0)), Write::Superseded { left: 300_000 });
    assert!(record.said.is_some());
    assert_eq!(record.settle(0, nobody(Some(generation(1))), token(2, 0)), Write::Done);
    assert!(record.said.is_none());
}

#[test]
fn only_its_owner_renews_a_lease_or_gives_it_back() {
    let error = Error::new(ErrorKind::Credentials, "x");
    let said = || Said::of(&error, Some(PRINT), None, 0);
    let mut record = Record::default();
    assert!(!record.renew(0, ONE) && !record.release(ONE, false, said()));
    assert!(record.is_empty());
    record.lease(0, OTHER);
    assert!(!record.renew(1_000, ONE) && !record.release(ONE, false, said()));
    assert_eq!(record.lease, Some(Held { owner: OTHER, until: LEASE, span: LEASE }));
    assert!(record.said.is_none());
    assert!(record.renew(1_000, OTHER));
    assert_eq!(record.lease, Some(Held { owner: OTHER, until: 1_000 + LEASE, span: LEASE }));
    assert!(record.release(OTHER, false, said()));
    assert!(record.lease.is_none() && record.said.is_some());
    assert!(!record.release(OTHER, false, None), "sent twice");
    assert!(record.said.is_some());
}

#[test]
fn the_holder_of_a_lock_tells_what_was_said_and_leaves_the_record_alone_otherwise() {
    let mut record = Record::default();
    assert!(!record.release(ONE, true, None));
    let said = Said::of(&Error::new(ErrorKind::Request, "x"), Some(PRINT), None, 0);
    assert!(record.release(ONE, true, said.clone()));
    assert_eq!(record.said, said);
}

#[test]
fn a_record_is_kept_ten_minutes_longer_than_anything_in_it() {
    let kept = |record: &Record| record.keep(1_000).as_millis();
    let mut record = Record::default();
    assert_eq!(kept(&record), 600_000);
    record.lease(1_000, ONE);
    assert_eq!(kept(&record), 605_000);
    record.drops = Some(Drops { count: 1, next: 61_000, last: ONE });
    assert_eq!(kept(&record), 660_000);
    record.token = Some(token(1, 1_000));
    assert_eq!(kept(&record), 900_000);
    let limit = Error::new(ErrorKind::RateLimited, "x").with_status(StatusCode::TOO_MANY_REQUESTS);
    let limit = limit.with_retry_after(Duration::from_secs(3_600));
    record.said = Said::of(&limit, None, None, 1_000);
    assert_eq!(kept(&record), 4_200_000);
    assert_eq!(record.keep(u64::MAX).as_millis(), 600_000);
    record.token.as_mut().unwrap().ends = u64::MAX;
    assert_eq!(record.keep(0), Duration::from_secs(400 * 24 * 3_600));
}

#[test]
fn fields_of_a_later_version_are_ignored() {
    let text = r#"{"more":[1],"lease":{"owner":"AQEBAQEBAQEBAQEBAQEBAQ","until":5,"span":5,"more":1},
        "said":{"kind":"SomethingNew","message":"x","until":400,"pause":500,"more":{}}}"#;
    let mut record = Record::read(text.as_bytes()).unwrap();
    assert_eq!(record.lease, Some(Held { owner: ONE, until: 5, span: 5 }));
    assert_eq!(look(&mut record, 6, wish(ONE)), FREE, "a kind that is not known is not told");
}

#[test]
fn neither_a_token_nor_what_else_is_secret_shows_in_a_debug() {
    let span = Duration::from_secs(300);
    let header =
        (http::HeaderName::from_static("x-key"), http::HeaderValue::from_static("CANARY-2"));
    let headers = [header];
    let offered = Offered::new("Bearer", "CANARY-1", &headers, span, span);
    let record = Record { token: Some(Token::of(ONE, &offered, 0)), ..Record::default() };
    let shown = format!("{record:?} {record:#?}");
    assert!(!shown.contains("CANARY") && shown.contains("300000"), "{shown}");
    assert!(String::from_utf8_lossy(record.write().unwrap().as_slice()).contains("CANARY-1"));
}

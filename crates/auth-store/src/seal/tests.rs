use auth_core::{Endpoint, Identity};

use super::*;

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

fn name(key: Option<&StoreKey>, account: &str) -> RecordName {
    let host = Endpoint::parse("https://pay.example.com/token").unwrap();
    RecordName::of(key, &Identity::new("acme", &host, &[account])).unwrap()
}

const STAMP_1: Id = Id::new([5; 16]);
const PAYLOAD: &[u8] = br#"{"token":{"secret":"CANARY-1"}}"#;

fn both() -> [Option<StoreKey>; 2] {
    [None, Some(key())]
}

#[test]
fn a_record_opens_with_its_key_and_name_and_with_no_other() {
    for key in both() {
        let name = name(key.as_ref(), "a");
        let record = seal(key.as_ref(), &name, STAMP_1, PAYLOAD).unwrap();
        assert_eq!(record.len(), STAMP + 1 + PAYLOAD.len() + TAG);
        assert_eq!(open(key.as_ref(), &name, &record).unwrap().as_slice(), PAYLOAD);
        let another_name = RecordName::made_up(1);
        assert!(open(key.as_ref(), &another_name, &record).is_none());
        assert!(open(Some(&StoreKey::new([8; 32])), &name, &record).is_none());
        let without = if key.is_some() { None } else { Some(self::key()) };
        assert!(open(without.as_ref(), &name, &record).is_none());
    }
}

#[test]
fn a_record_in_the_clear_is_not_taken_where_there_is_a_key() {
    let name = name(Some(&key()), "a");
    let written_by_anybody = seal(None, &name, STAMP_1, PAYLOAD).unwrap();
    assert!(open(None, &name, &written_by_anybody).is_some());
    assert!(open(Some(&key()), &name, &written_by_anybody).is_none());
}

#[test]
fn a_record_cut_or_damaged_at_any_byte_is_no_record() {
    for key in both() {
        let name = name(key.as_ref(), "a");
        let record = seal(key.as_ref(), &name, STAMP_1, PAYLOAD).unwrap();
        let opens = |record: &[u8]| open(key.as_ref(), &name, record).is_some();
        for at in 0..record.len() {
            assert!(!opens(&record[..at]), "cut at {at}");
            assert!(!opens(&record[at + 1..]), "without the first {at}");
            for bit in 0..8 {
                let mut damaged = record.to_vec();
                damaged[at] ^= 1 << bit;
                assert!(!opens(&damaged), "bit {bit} of byte {at}");
            }
            let mut longer = record.to_vec();
            longer.insert(at, 0);
            assert!(!opens(&longer), "one more at {at}");
        }
        assert!(!opens(&[record.as_ref(), &[0]].concat()));
        assert!(opens(&record));
    }
}

#[test]
fn a_record_that_is_far_too_long_is_not_read() {
    let name = RecordName::made_up(1);
    let payload = vec![b' '; LONGEST];
    let record = seal(None, &name, STAMP_1, &payload).unwrap();
    assert!(open(None, &name, &record).is_none());
    let record = seal(None, &name, STAMP_1, &payload[..LONGEST - 33]).unwrap();
    assert!(open(None, &name, &record).is_some());
}

#[test]
fn nothing_of_a_sealed_record_can_be_read_without_the_key() {
    let key = key();
    let sealed = seal(Some(&key), &name(Some(&key), "a"), STAMP_1, PAYLOAD).unwrap();
    let has = |record: &[u8], text: &[u8]| record.windows(text.len()).any(|part| part == text);
    for text in [&b"CANARY"[..], b"token", b"secret", b"acme", b"{\""] {
        assert!(!has(&sealed, text));
    }
    let another = seal(Some(&key), &name(Some(&key), "a"), Id::new([6; 16]), PAYLOAD).unwrap();
    assert_ne!(sealed[17..], another[17..], "the same payload under another stamp is another text");
}

/// Made once, with this key. A change of the format, the derivation of the keys or the name
/// needs another number in the name: this build reads records of format 1 for ever.
#[test]
fn a_record_of_format_1_is_read_for_ever() {
    for (key, golden_name, golden) in
        [(Some(key()), SEALED_NAME, SEALED_RECORD), (None, CLEAR_NAME, CLEAR_RECORD)]
    {
        let name = name(key.as_ref(), "account-0001");
        assert_eq!(name.as_str(), golden_name);
        let golden: Vec<u8> = (0..golden.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&golden[at..at + 2], 16).unwrap())
            .collect();
        let payload = open(key.as_ref(), &name, &golden).unwrap();
        assert_eq!(payload.as_slice(), GOLDEN_PAYLOAD.as_bytes());
        assert_eq!(seal(key.as_ref(), &name, STAMP_1, &payload).unwrap(), golden);

        let record = crate::record::Record::read(&payload).unwrap();
        let (token, left) = record.live(1_764_000_100_000).unwrap();
        let stored = token.stored(left).unwrap();
        assert_eq!(stored.generation.as_bytes(), &[1; 16]);
        assert_eq!(auth_core::ExposeSecret::expose_secret(stored.grant.secret()), "made-up-token");
        assert_eq!((stored.left.as_secs(), stored.lifetime.as_secs()), (200, 300));
    }
}

const GOLDEN_PAYLOAD: &str = concat!(
    r#"{"token":{"generation":"AQEBAQEBAQEBAQEBAQEBAQ","type":"Bearer","secret":"made-up-token","#,
    r#""headers":[{"name":"x-environment","value":"bGl2ZQ","is_sensitive":false}],"#,
    r#""ends":1764000300000,"lifetime":300000},"lease":{"owner":"AgICAgICAgICAgICAgICAg","#,
    r#""until":1764000005000,"span":5000},"said":{"print":"AwMDAwMDAwMDAwMDAwMDAw","#,
    r#""kind":"Credentials","message":"credentials rejected","status":401,"code":"invalid_client","#,
    r#""description":"no","until":1764000030000,"pause":30000,"times":0},"drops":{"count":1,"#,
    r#""next":1764000001000,"last":"BAQEBAQEBAQEBAQEBAQEBA"}}"#,
);
const SEALED_NAME: &str = "pa1:AK5BioZNyiV7m_9rm4fSTgu_DJjwLENHfFMxXNGvZJ8";
const CLEAR_NAME: &str = "pa1:CtftyToHgRh-nIOwGFown0JFUXdxr9khL_Wi1Cxnr_Q";
const SEALED_RECORD: &str = "\
    0505050505050505050505050505050501aecb3068c2a906c42b08ad98518dcd721e4c30dc621e012e6d21ee7b\
    286230f14e4a215d8d3b98447eb9f77ebc9adb01bf8c4a99e02249a944cf53f865c771cb24a96b4eb5bda50f26\
    7f662c60ac97d0fc54c062b4d35d9d2b7954567b0b9183da49e837ca5f6ae7404d588486e40586560602e8ba6d\
    2f3fbda387da55d7cb6a40776f1d4e5a711040669351ad84d1ebdaa0d7f9363bf8d10ed84b2ac5d41f133dda05\
    d47e70d8e1386c788232136045261d260466da2e1fa7e2e9494f17a29b532dfcd6b8a941efcce3f5eb50363633\
    08da211fd0bf7b4a57809f18bc741699b526b351a54b060ac62735b49b7b7cbaccf0e78e044bb07c5684f27708\
    9f123c7b8bbd7c1a528dfe6adb76947a0af4d6d5e42f96b704ac8c91368f7c8fd3e1c146785cf511f19fd1340a\
    088c47192c6293035cdad5b0baa01f866f081cc850b8a33b745819fbc815435789e77f3fdeca1bcebc8af4b28f\
    f877516e98baff89fae5dec956223c8f5f8eab6c34749b137bbce628b3d5b2be34a57a60e8de3c3a7d0ec26fa9\
    989fd5740c99348def68ac8e05a8af1aa797dbf76e998722e9b6b743b10a6e8ce1b998f0067240c68c151607e3\
    ec3cb0e788e7e1c4814387d5bd295effac8b2e926ee1aa191d9a970a04be5f16e561d65f4699bfb9d2afb318c3\
    ae60f0de4d3e8afdbc5295b43b1f74e246cfc5afb3ebb45cdbe7d75c5ae00e920af1b33844be7eeef7776934c5\
    d35bb0eb392ce3b82bf017b52912dc4f957d0528f647498d6e8979b18927f3f629b00cd358b94a71252803c9ca";
const CLEAR_RECORD: &str = "\
    05050505050505050505050505050505007b22746f6b656e223a7b2267656e65726174696f6e223a2241514542\
    415145424151454241514542415145424151222c2274797065223a22426561726572222c22736563726574223a\
    226d6164652d75702d746f6b656e222c2268656164657273223a5b7b226e616d65223a22782d656e7669726f6e\
    6d656e74222c2276616c7565223a2262476c325a51222c2269735f73656e736974697665223a66616c73657d5d\
    2c22656e6473223a313736343030303330303030302c226c69666574696d65223a3330303030307d2c226c6561\
    7365223a7b226f776e6572223a2241674943416749434167494341674943416749434167222c22756e74696c22\
    3a313736343030303030353030302c227370616e223a353030307d2c2273616964223a7b227072696e74223a22\
    41774d4441774d4441774d4441774d4441774d444177222c226b696e64223a2243726564656e7469616c73222c\
    226d657373616765223a2263726564656e7469616c732072656a6563746564222c22737461747573223a343031\
    2c22636f6465223a22696e76616c69645f636c69656e74222c226465736372697074696f6e223a226e6f222c22\
    756e74696c223a313736343030303033303030302c227061757365223a33303030302c2274696d6573223a307d\
    2c2264726f7073223a7b22636f756e74223a312c226e657874223a313736343030303030313030302c226c6173\
    74223a2242415145424151454241514542415145424151454241227d7d98c615c86735fea1d0ffb665ad6ae3e4";

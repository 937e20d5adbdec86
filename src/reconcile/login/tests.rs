//! The effect of each write on the state. Its histories are in `tests/simulation`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::{
    Claim, ClaimState, Rejected, RejectedToken, SeedNow, StoredLogin,
    record::LoginRecord,
    secret::{RECORD, REFRESH_TOKEN, REPLACED_TOKEN},
};
use crate::reconcile::token::{ACCESS_TOKEN, TokenMetadata};

const POD: &str = "pod";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn token(name: &str) -> SecretString {
    name.into()
}

/// A login that began with the seed `a` and continues with `a2`.
fn a2() -> StoredLogin {
    StoredLogin::begin(&token("a"), Some("1".into()), None).succeeded(Some(token("a2")), None, None)
}

fn begin(seed: &str, before: &StoredLogin) -> StoredLogin {
    StoredLogin::begin(&token(seed), Some("2".into()), Some(before))
}

fn claimed(stored: &StoredLogin, by: &str, second: i64) -> StoredLogin {
    stored.claimed(by, SeedNow::default(), None, at(second))
}

fn no() -> Rejected {
    Rejected {
        what: "no".into(),
        inputs: "h".into(),
        request: None,
    }
}

#[test]
fn a_state_is_read_back_as_it_was_written() {
    let stored = claimed(&begin("b", &a2()), POD, 0).rejected(no(), at(1));
    let read = StoredLogin::read(&stored.data()).unwrap();
    assert_eq!(read.record, stored.record);
    assert_eq!(read.token_hash(), stored.token_hash());
    assert_eq!(
        read.replaced_token.unwrap().expose_secret(),
        stored.replaced_token.unwrap().expose_secret()
    );
}

#[test]
fn a_state_that_lacks_something_is_not_read_as_another_one() {
    for record in ["{}", "x", r#"{"generation":1,"seed":"s"}"#] {
        let mut data = a2().data();
        data.insert(RECORD.into(), record.into());
        assert!(StoredLogin::read(&data).is_none(), "{record}");
    }
}

#[test]
fn an_edited_value_that_is_no_token_is_neither_sent_nor_published() {
    let good = begin("b", &a2()).succeeded(None, None, None);
    let edited = |key: &str, value: &str| {
        let mut data = good.data();
        data.insert(key.into(), value.into());
        StoredLogin::read(&data)
    };
    for value in ["", "a\n", "a\u{7f}", "é"] {
        assert!(edited(REFRESH_TOKEN, value).is_none(), "{value:?}");
        assert!(edited(ACCESS_TOKEN, value).unwrap().access_token.is_none());
        assert!(
            edited(REPLACED_TOKEN, value)
                .unwrap()
                .replaced_token
                .is_none()
        );
    }
}

#[test]
fn its_own_seed_and_those_before_it_begin_nothing() {
    let b2 = begin("b", &a2()).succeeded(Some(token("b2")), None, None);
    for seed in ["a", "b"] {
        assert!(b2.knows(&token(seed)), "{seed}");
    }
    for other in ["c", "b2", "a2"] {
        assert!(!b2.knows(&token(other)), "{other}");
    }
}

#[test]
fn a_wrong_seed_does_not_cost_the_login_before_it() {
    let good = a2();
    let wrong = begin("wrong", &good);
    assert_eq!(wrong.refresh_token.expose_secret(), "wrong");
    let worse = begin("worse", &wrong);
    for replaced in [wrong, worse] {
        let back = begin("a", &replaced);
        assert_eq!(back.refresh_token.expose_secret(), "a2");
        assert_eq!(back.record.seed, good.record.seed);
        assert_eq!(back.record.replaced, None);
    }
}

#[test]
fn a_new_login_that_has_worked_replaces_the_one_before_for_good() {
    let b2 = begin("b", &a2()).succeeded(Some(token("b2")), None, None);
    assert!(b2.replaced_token.is_none() && b2.record.replaced.is_none());
    assert_eq!(b2.record.rotation, 2);
}

#[test]
fn a_claim_holds_until_it_ends_and_leaves_the_outcome_unknown() {
    let theirs = claimed(&a2(), "other", 0);
    assert_eq!(
        theirs.claim_state(Some(POD), None, at(39)),
        ClaimState::Others { until: at(40) }
    );
    assert_eq!(
        theirs.claim_state(Some(POD), None, at(40)),
        ClaimState::OutcomeUnknown
    );
    // A container of the same pod that was there before is gone.
    assert_eq!(
        theirs.claim_state(Some("other"), None, at(1)),
        ClaimState::OutcomeUnknown
    );
    // Another object may have claimed it from here, and its request may still be in progress.
    assert_eq!(
        theirs.claim_state(None, None, at(1)),
        ClaimState::Others { until: at(40) }
    );
    let unused = theirs.record.claim.as_ref();
    assert_eq!(
        theirs.claim_state(Some("other"), unused, at(1)),
        ClaimState::Ours { until: at(40) }
    );
    assert!(claimed(&theirs, POD, 50).record.outcome_unknown);
    assert_eq!(
        theirs.released().claim_state(Some(POD), None, at(1)),
        ClaimState::Free
    );
}

#[test]
fn an_unknown_outcome_stays_until_the_provider_accepts_a_token() {
    let unknown = claimed(&claimed(&a2(), "other", 0), POD, 50).released();
    assert!(claimed(&unknown, POD, 60).record.outcome_unknown);
    let next = unknown.succeeded(Some(token("a3")), None, None);
    assert!(!next.record.outcome_unknown);
    // Without a new token the old one stays, and its outcome is known again.
    let same = unknown.succeeded(None, None, None);
    assert_eq!(same.refresh_token.expose_secret(), "a2");
    assert!(!same.record.outcome_unknown && same.record.claim.is_none());
}

#[test]
fn a_rejection_is_confirmed_once_and_a_loss_never() {
    let reject = |stored: &StoredLogin| stored.rejected(no(), at(0)).record.rejection;
    let first = claimed(&a2(), POD, 0).rejected(no(), at(0));
    assert_eq!(
        first.record.rejection.as_ref().unwrap().next_attempt(),
        Some(at(300))
    );
    assert_eq!(reject(&first).unwrap().next_attempt(), None);

    let lost = reject(&claimed(&claimed(&a2(), "other", 0), POD, 50)).unwrap();
    assert!(lost.lost && lost.next_attempt().is_none());
    // A token that was rejected with a known outcome does not become lost by the confirmation.
    assert!(
        !reject(&claimed(&claimed(&first, "other", 300), POD, 350))
            .unwrap()
            .lost
    );
}

#[test]
fn a_state_from_a_backup_counts_on_from_what_is_published() {
    let next = a2().succeeded(Some(token("a3")), None, Some(10));
    assert_eq!(next.record.rotation, 11);
}

#[test]
fn the_newer_token_has_the_greater_number_then_the_later_time() {
    let metadata = |rotation, second| TokenMetadata {
        owner_uid: "uid".into(),
        issued_at: at(second),
        expires_at: at(second + 60),
        inputs_hash: String::new(),
        generation: 1,
        source_version: "1".into(),
        seed_version: None,
        provider_version: None,
        rotation,
        consumed_seed: None,
        refresh_request: None,
        scopes: vec![],
        login: None,
        unproven: false,
    };
    for (newer, older) in [
        (metadata(Some(2), 0), metadata(Some(1), 9)),
        // A person wrote this number there.
        (metadata(Some(u64::MAX), 1), metadata(Some(u64::MAX), 0)),
        (metadata(Some(1), 0), metadata(None, 9)),
        (metadata(None, 1), metadata(None, 0)),
    ] {
        assert!(newer.is_newer_than(&older), "{newer:?} {older:?}");
        assert!(!older.is_newer_than(&newer), "{newer:?} {older:?}");
    }
}

#[test]
fn the_number_of_a_response_does_not_overflow() {
    let next = a2().succeeded(Some(token("a3")), None, Some(u64::MAX));
    assert_eq!(next.record.rotation, u64::MAX - 1);
}

/// As the version before this layout of the code wrote it: the stored format must stay readable.
#[test]
fn a_state_of_the_version_before_is_read() {
    const RECORD_BEFORE: &str = r#"{"generation":3,"seed":"5e","seedVersion":"7","tokenHosts":"api.example.com","pastSeeds":["0a"],"issued":{"ownerUid":"uid","issuedAt":"2026-11-25T09:55:00Z","expiresAt":"2026-11-25T10:55:00Z","inputsHash":"1f","generation":2,"sourceVersion":"11","seedVersion":"7","rotation":3,"refreshRequest":"c0","scopes":["read"]},"claim":{"of":"be","by":"pod","until":"2026-11-25T09:55:40Z"},"inDoubt":true,"rejection":{"lost":true,"what":"token endpoint responded 400 invalid_grant","at":"2026-11-25T09:59:00Z","confirmed":false,"inputs":"d1","request":null},"replaced":{"generation":2,"seed":"0b","seedVersion":"6","tokenHosts":null,"pastSeeds":[],"issued":null,"claim":null,"inDoubt":false,"rejection":null,"replaced":null}}"#;
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    let data = BTreeMap::from([
        (REFRESH_TOKEN.to_owned(), token("r3")),
        (ACCESS_TOKEN.to_owned(), token("a3")),
        (REPLACED_TOKEN.to_owned(), token("r2")),
        (RECORD.to_owned(), RECORD_BEFORE.into()),
    ]);
    let read = StoredLogin::read(&data).unwrap();
    let expected = LoginRecord {
        rotation: 3,
        seed: "5e".into(),
        seed_version: Some("7".into()),
        token_hosts: Some("api.example.com".into()),
        token_ca: None,
        binding: None,
        past_seeds: vec!["0a".into()],
        issued: Some(TokenMetadata {
            owner_uid: "uid".into(),
            issued_at: time("2026-11-25T09:55:00Z"),
            expires_at: time("2026-11-25T10:55:00Z"),
            inputs_hash: "1f".into(),
            generation: 2,
            source_version: "11".into(),
            seed_version: Some("7".into()),
            provider_version: None,
            rotation: Some(3),
            consumed_seed: None,
            refresh_request: Some("c0".into()),
            scopes: vec!["read".into()],
            login: None,
            unproven: false,
        }),
        claim: Some(Claim {
            of: "be".into(),
            by: "pod".into(),
            until: time("2026-11-25T09:55:40Z"),
        }),
        outcome_unknown: true,
        rejection: Some(RejectedToken {
            lost: true,
            what: "token endpoint responded 400 invalid_grant".into(),
            at: time("2026-11-25T09:59:00Z"),
            confirmed: false,
            inputs: "d1".into(),
            request: None,
        }),
        replaced: Some(Box::new(LoginRecord {
            rotation: 2,
            seed: "0b".into(),
            seed_version: Some("6".into()),
            ..LoginRecord::default()
        })),
    };
    assert_eq!(read.record, expected);
    assert_eq!(read.refresh_token.expose_secret(), "r3");
    assert_eq!(read.access_token.as_ref().unwrap().expose_secret(), "a3");
    assert_eq!(read.replaced_token.as_ref().unwrap().expose_secret(), "r2");
    // It is written in the same form, so that a downgrade reads it too.
    assert_eq!(read.data()[RECORD].expose_secret(), RECORD_BEFORE);
}

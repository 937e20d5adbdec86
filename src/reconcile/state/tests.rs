//! What each write makes of the state. Its histories are in `tests/simulation`.

use super::*;

const POD: &str = "pod";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn token(name: &str) -> SecretString {
    name.into()
}

/// A login that began with the seed `a` and goes on with `a2`.
fn a2() -> Stored {
    Stored::begin(&token("a"), Some("1".into()), None).succeeded(Some(token("a2")), None, None)
}

fn begin(seed: &str, before: &Stored) -> Stored {
    Stored::begin(&token(seed), Some("2".into()), Some(before))
}

fn claimed(stored: &Stored, by: &str, second: i64) -> Stored {
    stored.claimed(by, (None, None), None, at(second))
}

#[test]
fn a_state_is_read_back_as_it_was_written() {
    let stored = claimed(&begin("b", &a2()), POD, 0).rejected("no", "h".into(), None, at(1));
    let read = Stored::read(&stored.data()).unwrap();
    assert_eq!(read.record, stored.record);
    assert_eq!(read.of(), stored.of());
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
        assert!(Stored::read(&data).is_none(), "{record}");
    }
}

#[test]
fn what_was_edited_and_is_no_token_is_neither_sent_nor_published() {
    let good = begin("b", &a2()).succeeded(None, None, None);
    let edited = |key: &str, value: &str| {
        let mut data = good.data();
        data.insert(key.into(), value.into());
        Stored::read(&data)
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
    assert_eq!(b2.record.generation, 2);
}

#[test]
fn a_claim_stands_until_it_ends_and_leaves_doubt_behind() {
    let theirs = claimed(&a2(), "other", 0);
    assert_eq!(theirs.standing(POD, None, at(39)), Standing::Others(at(40)));
    assert_eq!(theirs.standing(POD, None, at(40)), Standing::OutcomeUnknown);
    // A container of the same pod that was there before is gone.
    assert_eq!(
        theirs.standing("other", None, at(1)),
        Standing::OutcomeUnknown
    );
    let unspent = theirs.record.claim.as_ref();
    assert_eq!(
        theirs.standing("other", unspent, at(1)),
        Standing::Ours(at(40))
    );
    assert!(claimed(&theirs, POD, 50).record.outcome_unknown);
    assert_eq!(theirs.released().standing(POD, None, at(1)), Standing::Free);
}

#[test]
fn doubt_stays_until_the_provider_takes_a_token() {
    let doubtful = claimed(&claimed(&a2(), "other", 0), POD, 50).released();
    assert!(claimed(&doubtful, POD, 60).record.outcome_unknown);
    let next = doubtful.succeeded(Some(token("a3")), None, None);
    assert!(!next.record.outcome_unknown);
    // Without a new token it is the old one, and no longer in doubt either.
    let same = doubtful.succeeded(None, None, None);
    assert_eq!(same.refresh_token.expose_secret(), "a2");
    assert!(!same.record.outcome_unknown && same.record.claim.is_none());
}

#[test]
fn a_rejection_is_confirmed_once_and_a_loss_never() {
    let reject = |stored: &Stored| {
        stored
            .rejected("no", "h".into(), None, at(0))
            .record
            .rejection
    };
    let first = claimed(&a2(), POD, 0).rejected("no", "h".into(), None, at(0));
    assert_eq!(
        first.record.rejection.as_ref().unwrap().next_try(),
        Some(at(300))
    );
    assert_eq!(reject(&first).unwrap().next_try(), None);

    let lost = reject(&claimed(&claimed(&a2(), "other", 0), POD, 50)).unwrap();
    assert!(lost.lost && lost.next_try().is_none());
    // What was rejected without doubt is not lost by the confirmation.
    assert!(
        !reject(&claimed(&claimed(&first, "other", 300), POD, 350))
            .unwrap()
            .lost
    );
}

#[test]
fn a_state_from_a_backup_counts_on_from_what_is_published() {
    let next = a2().succeeded(Some(token("a3")), None, Some(10));
    assert_eq!(next.record.generation, 11);
}

#[test]
fn the_newer_answer_has_the_greater_number_then_the_later_time() {
    let answer = |rotation, second| Record {
        owner_uid: "uid".into(),
        issued_at: at(second),
        expires_at: at(second + 60),
        inputs_hash: String::new(),
        generation: 1,
        source_version: "1".into(),
        seed_version: None,
        rotation,
        refresh_request: None,
        scopes: vec![],
    };
    for (newer, older) in [
        (answer(Some(2), 0), answer(Some(1), 9)),
        // A number that somebody wrote there.
        (answer(Some(u64::MAX), 1), answer(Some(u64::MAX), 0)),
        (answer(Some(1), 0), answer(None, 9)),
        (answer(None, 1), answer(None, 0)),
    ] {
        assert!(newer.is_newer_than(&older), "{newer:?} {older:?}");
        assert!(!older.is_newer_than(&newer), "{newer:?} {older:?}");
    }
}

#[test]
fn the_number_of_an_answer_does_not_overflow() {
    let next = a2().succeeded(Some(token("a3")), None, Some(u64::MAX));
    assert_eq!(next.record.generation, u64::MAX);
}

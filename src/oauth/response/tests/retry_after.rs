//! The pause that a response asks for.

use jiff::SignedDuration;

use super::*;

#[test]
fn retry_after_is_seconds_or_a_date_against_the_answers_own_date() {
    let at = |second: u32| format!("Sun, 06 Nov 1994 08:49:{second:02} GMT");
    for (header, date, pause) in [
        (None, None, None),
        (Some("30".to_owned()), None, Some(30)),
        (Some("0".into()), None, Some(10)),
        (Some(at(45)), Some(at(5)), Some(40)),
        (Some(at(45)), None, None),
        (Some(at(5)), Some(at(45)), Some(10)),
        (Some("1.5".into()), None, None),
        (Some("-1".into()), None, None),
        (Some(String::new()), None, None),
        (Some("99999999".into()), None, Some(3600)),
        (Some("9".repeat(40)), None, Some(3600)),
    ] {
        for status in [429, 503] {
            let answer = Response {
                retry_after: header.clone(),
                date: date.clone(),
                ..answer(status, "")
            };
            let refusal = meaning(CLIENT, &answer).outcome.unwrap_err();
            assert_eq!(
                refusal.pause(),
                pause.map(SignedDuration::from_secs),
                "{header:?} {date:?}"
            );
        }
    }
    let unpaused = Response {
        retry_after: Some("30".into()),
        ..answer(401, "")
    };
    assert_eq!(
        meaning(CLIENT, &unpaused).outcome.unwrap_err().pause(),
        None
    );
}

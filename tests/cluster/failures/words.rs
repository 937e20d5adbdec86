//! What people read is short, in plain English, and stands there once.

use std::collections::BTreeMap;

use cube_operator::api::Reason;

use super::{observed::Snapshot, setup::Setup};

/// The most characters of a message, without quoted words of others.
const LONGEST_MESSAGE: usize = 200;
/// The most characters of an event's note.
const LONGEST_NOTE: usize = 120;

/// Beginnings of what a provider, a policy or a webhook says in its own words.
const OTHERS: [&str; 2] = ["(the provider says: \"", "(it says: \""];

/// Phrases that had to be read twice.
const BANNED: [&str; 36] = [
    " answer",
    "answers",
    "at once",
    "authority",
    "authorities",
    "by which",
    "cannot be replaced",
    "given back",
    "goes on",
    "has to be",
    "have its owner",
    "have the owner",
    "if it lasts",
    "in its memory alone",
    "in the way",
    "is looked at",
    "is to be",
    "line break",
    "mend",
    "next try",
    "not before",
    "nothing has to",
    "on the way",
    "permit",
    "so far",
    "somebody",
    "spent ",
    "that of",
    "to go on",
    "tried again",
    "try again",
    "used up",
    "what came",
    "whoever",
    "wants",
    "so long as",
];

/// Asserts it of the conditions of all rows, and of all events.
pub(super) fn messages_are_short_plain_and_stand_once(
    setup: &Setup,
    snapshots: &BTreeMap<&'static str, Snapshot>,
) {
    let mut faults = Vec::new();
    for (name, snapshot) in snapshots {
        let conditions = &snapshot.status.conditions;
        let messages: Vec<_> = conditions
            .iter()
            .map(|condition| condition.message.as_str())
            .collect();
        for (at, message) in messages.iter().enumerate() {
            faults.extend(
                fault(message, LONGEST_MESSAGE).map(|fault| format!("{name}: {fault}: {message}")),
            );
            if messages
                .iter()
                .enumerate()
                .any(|(other, text)| other != at && text.contains(message))
            {
                faults.push(format!("{name}: stands twice: {message}"));
            }
        }
    }
    for note in setup.notes() {
        faults.extend(fault(&note, LONGEST_NOTE).map(|fault| format!("event: {fault}: {note}")));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The first fault of a text that people read.
fn fault(text: &str, longest: usize) -> Option<String> {
    let own = without_others(text);
    if own.chars().count() > longest {
        return Some(format!("has {} characters", own.chars().count()));
    }
    if let Some(phrase) = BANNED.iter().find(|phrase| own.contains(*phrase)) {
        return Some(format!("says {phrase:?}"));
    }
    if let Some(time) = own.split(' ').find(|word| is_other_time(word)) {
        return Some(format!(
            "has a time that is not RFC 3339 in whole seconds, {time:?}"
        ));
    }
    own.contains(r#": "true""#)
        .then(|| "does not write a label as key=value".into())
}

/// The text without what others say in their own words.
fn without_others(text: &str) -> String {
    let mut own = text.to_owned();
    for start in OTHERS {
        while let Some(at) = own.find(start) {
            let end = own[at..].find("\")").map_or(own.len(), |end| at + end + 2);
            own.replace_range(at..end, "");
        }
    }
    own
}

/// `12:05:00Z`, `2026-11-21T12:05:00.5Z`, `1s 666ms`.
fn is_other_time(word: &str) -> bool {
    let word = word.trim_matches([',', ';', ':', ')', '(', '`']);
    let clock = word.matches(':').count() == 2 && word.bytes().any(|byte| byte.is_ascii_digit());
    let is_path = word.contains('/') || word.contains('"');
    let whole =
        word.parse::<jiff::Timestamp>().is_ok() && word.len() == "2026-11-21T12:05:00Z".len();
    let fraction = word
        .strip_suffix("ms")
        .is_some_and(|number| number.parse::<u32>().is_ok());
    (clock && !is_path && !whole) || fraction
}

#[test]
fn faults_of_a_text_are_found() {
    for (text, found) in [
        (
            "token in Secret \"a\" is valid until 2026-11-21T12:05:00Z",
            false,
        ),
        ("retrying at 12:05:00Z", true),
        ("retrying at 2026-11-21T12:05:00.5Z", true),
        ("replaced 1s 666ms before", true),
        ("nothing has to be done", true),
        (
            "responded 401 (the provider says: \"try again at once\"): check the client",
            false,
        ),
        ("label cube-operator.dev/credential: \"true\"", true),
    ] {
        assert_eq!(fault(text, LONGEST_MESSAGE).is_some(), found, "{text}");
    }
    assert!(fault("four", 3).is_some());
}

#[test]
fn each_meaning_leaves_room_for_the_rest_of_an_event() {
    let rest = "; the token is valid until 2026-11-21T12:05:00Z".len();
    for reason in Reason::ALL {
        let note = "x".repeat(rest) + reason.meaning();
        assert_eq!(fault(&note, LONGEST_NOTE), None, "{reason}");
    }
}

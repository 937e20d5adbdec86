//! Shortens what LZ4 cannot: hashes and uids are random, and take half as many bytes as numbers. The words of our own labels and
//! annotations lose their prefix, which LZ4 would find in each of them, but then not the word behind it.
//!
//! These bytes stand in no JSON text: a tab is escaped in it, and the others are in no UTF-8.

use uuid::Uuid;

use crate::{object::uuid, reconcile::hex};

/// The prefix of our own names.
const PREFIX: &[u8] = b"cube-operator.dev/";
const OWN_NAME: u8 = b'\t';
const UID: u8 = 0xfe;
const HASH: u8 = 0xff;

/// Returns whether a text has none of these bytes.
pub(super) fn may_be_shortened(text: &[u8]) -> bool {
    !text
        .iter()
        .any(|byte| matches!(*byte, OWN_NAME | UID | HASH))
}

/// Shortens a JSON text. What stays as it is between two short forms is copied in one piece.
pub(super) fn shorten(text: &[u8]) -> Vec<u8> {
    let mut short = Vec::with_capacity(text.len());
    let (mut copied, mut begin) = (0, 0);
    for word in text.split(|byte| *byte == b'"') {
        let mut replace = |length, kind, bytes: &[u8]| {
            short.extend(&text[copied..begin]);
            short.push(kind);
            short.extend(bytes);
            copied = begin + length;
        };
        if word.starts_with(PREFIX) {
            replace(PREFIX.len(), OWN_NAME, &[]);
        } else if let Some(uid) = uuid(word) {
            replace(word.len(), UID, uid.as_bytes());
        } else if let Some(hash) = number(word) {
            replace(word.len(), HASH, &hash);
        }
        begin += word.len() + 1;
    }
    short.extend(&text[copied..]);
    short
}

/// The JSON text that was shortened.
pub(super) fn lengthen(short: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(short.len() * 2);
    let mut rest = short;
    let is_short = |byte: &u8| matches!(*byte, OWN_NAME | UID | HASH);
    while let Some(place) = rest.iter().position(is_short) {
        text.extend(&rest[..place]);
        let kind = rest[place];
        rest = &rest[place + 1..];
        match kind {
            HASH => {
                let (hash, after) = rest.split_first_chunk::<32>()?;
                text.extend(hex(hash).into_bytes());
                rest = after;
            }
            UID => {
                let (number, after) = rest.split_first_chunk::<16>()?;
                let uid = Uuid::from_bytes_ref(number).hyphenated();
                text.extend(uid.encode_lower(&mut Uuid::encode_buffer()).as_bytes());
                rest = after;
            }
            _ => text.extend(PREFIX),
        }
    }
    text.extend(rest);
    Some(text)
}

/// The number that the hexadecimal digits of a hash state, in lower case.
fn number(digits: &[u8]) -> Option<[u8; 32]> {
    if digits.len() != 64 {
        return None;
    }
    let mut number = [0; 32];
    for (byte, pair) in number.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(number)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            any::<String>(),
            "[0-9a-f]{63,65}",
            "[0-9a-fA-F]{64}",
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "[0-9a-f-]{36}",
            "(cube-operator.dev/)?cube-operator.dev/[a-z]{0,3}",
        ];
        let words = proptest::collection::vec(word, 0..8);
        words.prop_map(|words| serde_json::to_string(&words).unwrap())
    }

    proptest! {
        #[test]
        fn a_text_that_was_shortened_comes_back(text in words()) {
            let short = shorten(text.as_bytes());
            prop_assert!(short.len() <= text.len());
            let long = lengthen(&short).unwrap();
            prop_assert_eq!(String::from_utf8(long).unwrap(), text);
        }
    }

    #[test]
    fn a_hash_and_a_uid_take_half_their_bytes_and_our_names_lose_their_prefix() {
        let (hash, uid) = (
            "0123456789abcdef".repeat(4),
            "0b5c7a80-1d3e-4f5a-9b6c-000000004711",
        );
        let text = format!("[\"{hash}\",\"{uid}\",\"cube-operator.dev/type\"]");
        let short = shorten(text.as_bytes());
        assert_eq!(
            short.len(),
            r#"["","",""]"#.len() + 33 + 17 + "\ttype".len()
        );
        // Other cases and lengths would not come back.
        for same in [hash.to_uppercase(), hash + "00", uid.replacen('-', "0", 1)] {
            let text = format!("\"{same}\"");
            assert_eq!(shorten(text.as_bytes()), text.as_bytes());
        }
    }
}

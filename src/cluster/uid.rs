//! The uid of an object as the tables keep it: 16 bytes in place of 36 characters that would be on the heap.

use std::fmt;

/// The places of the hyphens in a uid.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// A uid. The API server makes them as UUIDs, but nothing promises that.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Uid {
    Uuid([u8; 16]),
    Other(Box<str>),
}

impl From<&str> for Uid {
    fn from(text: &str) -> Self {
        uuid(text.as_bytes()).map_or_else(|| Self::Other(text.into()), Self::Uuid)
    }
}

impl From<&Self> for Uid {
    fn from(uid: &Self) -> Self {
        uid.clone()
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(number) => {
                f.write_str(str::from_utf8(&uuid_text(number)).unwrap_or_default())
            }
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// The number that a UUID in lower case states.
pub(super) fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 || HYPHENS.iter().any(|place| text[*place] != b'-') {
        return None;
    }
    let mut digits = [0; 32];
    let parts = text.split(|byte| *byte == b'-').flatten();
    for (digit, found) in digits.iter_mut().zip(parts) {
        *digit = *found;
    }
    number(&digits)
}

pub(super) fn uuid_text(number: &[u8; 16]) -> [u8; 36] {
    let mut text = [b'-'; 36];
    let mut place = 0;
    for byte in number {
        if HYPHENS.contains(&place) {
            place += 1;
        }
        text[place..place + 2].copy_from_slice(&digits(*byte));
        place += 2;
    }
    text
}

/// The number that so many bytes of hexadecimal digits in lower case state.
pub(super) fn number<const BYTES: usize>(digits: &[u8]) -> Option<[u8; BYTES]> {
    if digits.len() != 2 * BYTES {
        return None;
    }
    let mut number = [0; BYTES];
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

pub(super) fn digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [byte >> 4, byte & 15].map(|half| DIGITS[usize::from(half)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_uid_has_the_text_that_it_was_made_of(
            text in "[0-9a-f]{8}(-[0-9a-fA]{4}){3}-[0-9a-f]{12}|[0-9a-f-]{36}|.{0,40}"
        ) {
            prop_assert_eq!(Uid::from(&*text).to_string(), text);
        }
    }

    #[test]
    fn a_usual_uid_is_not_on_the_heap() {
        let uid = Uid::from("0b5c7a80-1d3e-4f5a-9b6c-00000000471f");
        assert!(matches!(uid, Uid::Uuid(_)));
        assert_eq!(size_of::<Option<Uid>>(), 24);
    }
}

//! The uid of an object as the tables keep it: 16 bytes in place of 36 characters that would be on the heap.

use std::num::NonZeroU64;

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

/// A uid. The API server makes them as UUIDs, but nothing promises that: any other text is kept as its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Uid(NonZeroU64, u64);

impl From<&str> for Uid {
    fn from(text: &str) -> Self {
        let usual = uuid(text.as_bytes()).and_then(Self::of_number);
        usual.unwrap_or_else(|| Self::of_hash(text))
    }
}

impl From<&Self> for Uid {
    fn from(uid: &Self) -> Self {
        *uid
    }
}

impl Uid {
    fn of_number(uuid: Uuid) -> Option<Self> {
        let (first, second) = uuid.as_u64_pair();
        Some(Self(NonZeroU64::new(first)?, second))
    }

    fn of_hash(text: &str) -> Self {
        let mut first = [0; 16];
        first.copy_from_slice(&Sha256::digest(text)[..16]);
        // Its version is none that an API server gives.
        let number = Builder::from_custom_bytes(first).into_uuid();
        Self::of_number(number).expect("the version is in the first half")
    }
}

/// The UUID that a text is, as the API server writes it: in lower case, with hyphens.
pub(crate) fn uuid(text: &[u8]) -> Option<Uuid> {
    let uuid = Uuid::try_parse_ascii(text).ok()?;
    let mut written = Uuid::encode_buffer();
    let written = uuid.hyphenated().encode_lower(&mut written);
    (written.as_bytes() == text).then_some(uuid)
}

#[cfg(test)]
mod tests {
    use allocation_counter::measure;
    use proptest::prelude::*;

    use super::*;

    /// UUIDs, and texts that are nearly some.
    const TEXTS: &str =
        "[0-9a-f]{8}(-[0-9a-fA]{4}){3}-[0-9a-f]{12}|[0-9a-f-]{36}|0{8}(-0{4}){3}-0{11}[01]|.{0,40}";

    proptest! {
        #[test]
        fn two_uids_are_the_same_if_their_texts_are(one in TEXTS, another in TEXTS) {
            let nearly = one.to_uppercase();
            for other in [another, nearly, one.clone()] {
                prop_assert_eq!(Uid::from(&*one) == Uid::from(&*other), one == other);
            }
        }
    }

    #[test]
    fn no_uid_is_on_the_heap() {
        for text in ["0b5c7a80-1d3e-4f5a-9b6c-00000000471f", "another text", ""] {
            assert_eq!(measure(|| _ = Uid::from(text)).count_total, 0);
        }
        assert_eq!(size_of::<Option<Uid>>(), 16);
    }
}

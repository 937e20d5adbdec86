//! The uid of an object as the tables keep it: 16 bytes in place of 36 characters that would be on the heap.

use std::fmt;

use uuid::Uuid;

/// A uid. The API server makes them as UUIDs, but nothing promises that.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Uid {
    /// One as the API server makes them.
    Uuid(Uuid),
    /// Any other text.
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
            Self::Uuid(uuid) => uuid.hyphenated().fmt(f),
            Self::Other(text) => f.write_str(text),
        }
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

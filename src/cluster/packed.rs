//! Objects in a compact form, for as long as they are only kept: as JSON, compressed. A `CubeCredential` takes 2.7 KB as a struct
//! and a tenth of that packed; packing and unpacking one takes a few microseconds, and happens once for each event and reconcile.

mod text;

use std::marker::PhantomData;

use lz4_flex::block::{compress_prepend_size_with_dict, decompress_size_prepended_with_dict};
use serde::{Serialize, de::DeserializeOwned};

/// The texts that most objects share, shortened. They need not be complete: what is not here only takes more bytes. LZ4 takes the last
/// of several places, so the usual objects are at the end.
const DICTIONARY: &[u8] = include_bytes!("packed/dictionary.json");

/// A packed value.
#[derive(Debug)]
pub(super) struct Packed<T> {
    bytes: Box<[u8]>,
    kind: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Packed<T> {
    /// `None`: it cannot be written as JSON, which no object of the API server is.
    pub(super) fn of(value: &T) -> Option<Self> {
        let text = serde_json::to_vec(value).ok()?;
        debug_assert!(text::may_be_shortened(&text), "it has no blanks of its own");
        let mut bytes = compress_prepend_size_with_dict(&text::shorten(&text), DICTIONARY);
        bytes.shrink_to_fit();
        Some(Self {
            bytes: bytes.into(),
            kind: PhantomData,
        })
    }

    pub(super) fn unpack(&self) -> Option<T> {
        let short = decompress_size_prepended_with_dict(&self.bytes, DICTIONARY).ok()?;
        serde_json::from_slice(&text::lengthen(&short)?).ok()
    }
}

//! Objects in a compact form, for as long as they are only kept: as JSON, compressed. A `CubeCredential` takes 2.7 KB as a struct
//! and a fifth of that packed; packing and unpacking one takes a few microseconds, and happens once for each event and reconcile.

use std::marker::PhantomData;

use lz4_flex::block::{compress_prepend_size_with_dict, decompress_size_prepended_with_dict};
use serde::{Serialize, de::DeserializeOwned};

/// The texts that most objects share. They need not be complete: what is not here only takes more bytes.
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
        let mut bytes = compress_prepend_size_with_dict(&text, DICTIONARY);
        bytes.shrink_to_fit();
        Some(Self {
            bytes: bytes.into(),
            kind: PhantomData,
        })
    }

    pub(super) fn unpack(&self) -> Option<T> {
        let text = decompress_size_prepended_with_dict(&self.bytes, DICTIONARY).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

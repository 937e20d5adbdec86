//! The body of a response, from the bytes that arrived.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use jiff::SignedDuration;
use thiserror::Error;

/// The most bytes of a body that are read, before and after decompression.
pub(in crate::oauth) const LARGEST_BODY: usize = 256 * 1024;

/// The body of a response.
#[derive(Clone, Default)]
pub enum Body {
    /// The whole body.
    Complete(Vec<u8>),
    /// The part of the body that arrived. Only its content can prove that nothing is missing.
    Cut {
        /// The received bytes.
        bytes: Vec<u8>,
        /// The reason why more may be missing.
        cause: Cut,
    },
    /// The body is larger than the limit.
    #[default]
    TooLarge,
}

/// The reason why a part of a body may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Cut {
    /// The connection did not end as HTTP and TLS demand.
    #[error("connection closed early")]
    ConnectionEnded,
    /// The time was up.
    #[error("its end did not arrive within {0:#}")]
    Timeout(SignedDuration),
    /// The compressed data is damaged.
    #[error("its compression is broken")]
    Compression,
}

impl Body {
    /// The body without compression. `cut` is the reason why bytes may be missing.
    ///
    /// The content decides, not its Content-Encoding: neither JSON nor a form begins as gzip does.
    #[must_use]
    pub(in crate::oauth) fn received(bytes: Vec<u8>, cut: Option<Cut>) -> Self {
        if bytes.len() > LARGEST_BODY {
            return Self::TooLarge;
        }
        if !bytes.starts_with(b"\x1f\x8b") {
            return Self::of(bytes, cut);
        }
        let mut plain = Vec::new();
        let mut decoder = MultiGzDecoder::new(bytes.as_slice()).take(LARGEST_BODY as u64 + 1);
        // The bytes before an error are kept.
        let broken = decoder.read_to_end(&mut plain).is_err();
        if plain.len() > LARGEST_BODY {
            return Self::TooLarge;
        }
        Self::of(plain, cut.or(broken.then_some(Cut::Compression)))
    }

    fn of(bytes: Vec<u8>, cut: Option<Cut>) -> Self {
        match cut {
            Some(cause) => Self::Cut { bytes, cause },
            None => Self::Complete(bytes),
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Complete(bytes) => write!(f, "<{} bytes>", bytes.len()),
            Self::Cut { bytes, .. } => write!(f, "<the first {} bytes>", bytes.len()),
            Self::TooLarge => f.write_str("<too large>"),
        }
    }
}

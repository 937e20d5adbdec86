//! The keys of the fuzz corpus: one of each kind, made by OpenSSL, by OpenSSH or taken from an RFC.

/// The text of the key with this name.
macro_rules! text {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fuzz/corpus/private_key/",
            $name
        ))
    };
}
pub(crate) use text;

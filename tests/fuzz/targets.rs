//! What others wrote, as bytes, and what must hold whatever they wrote. Shared by `main.rs` and `libfuzzer/main.rs`.

mod answer;
mod ca_bundle;
mod discovery;
mod endpoint;
mod hosts;
mod input;
mod objects;
mod private_key;
mod request;
mod retry_after;
mod scrub;
mod secrets;
mod template;

/// A function that panics if something that is promised does not hold for this input.
pub(crate) type Target = fn(&[u8]);

/// Each target has a corpus of its name.
pub(crate) const TARGETS: [(&str, Target); 10] = [
    ("answer", answer::holds),
    ("ca_bundle", ca_bundle::holds),
    ("discovery", discovery::holds),
    ("endpoint", endpoint::holds),
    ("hosts", hosts::holds),
    ("objects", objects::holds),
    ("private_key", private_key::holds),
    ("retry_after", retry_after::holds),
    ("scrub", scrub::holds),
    ("template", template::holds),
];

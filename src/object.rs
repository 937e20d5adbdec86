//! The names of an object as the tables of this process keep them: few bytes each, and shared where they are texts.

mod key;
mod uid;

pub use key::ObjectKey;
pub use uid::Uid;
pub(crate) use uid::uuid;

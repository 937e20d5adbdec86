//! Everything that can go wrong, as one table of real runs: what people read, when it is tried again, what does not help and
//! what does. `docs/troubleshooting.md` is written from the same runs.
//!
//! - [`row`]: what a row says. [`words`]: what is advised, once for each reason.
//! - [`answers`], [`local`], [`others`]: the rows: what providers answer, what is refused before anything is sent, what else
//!   is in the way.
//! - [`table`]: the test of all rows, on one [`stage`]: a namespace with the [`objects`] of all rows, an operator, and a
//!   provider with a [`script`]. Its acts are [`look`], [`wake`] and [`cure`].
//! - [`book`]: the page that is written from it, with its [`chapters`] and the [`excerpt`]s of what kubectl showed.
//! - [`stories`]: what takes several steps, with the real token server.

mod answers;
mod book;
mod chapters;
mod cure;
mod excerpt;
mod local;
mod look;
mod objects;
mod others;
mod row;
mod script;
mod stage;
mod stories;
mod table;
mod wake;
mod words;

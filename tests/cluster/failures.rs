//! Everything that can go wrong, as one table of real runs: what people read, when it is tried again, what does not help and
//! what repairs it. `docs/troubleshooting.md` is written from the same runs.
//!
//! - [`table`]: the test that runs all rows at the same time.
//! - [`row`]: what a row says. [`rows`]: all of them. [`remedies`]: what is advised, once for each reason.
//! - [`setup`]: what the rows share: a namespace with the [`objects`] of all rows, an operator, and a [`provider`] that
//!   responds as each row says.
//! - The steps of the test: [`observed`] compares what people read with the table, [`irrelevant_changes`] must change nothing,
//!   and [`apply_repairs`] ends every failure.
//! - [`words`]: people read short messages in plain English.
//! - [`page`]: the document that is written from it, with its sections and excerpts of what kubectl showed.
//! - [`client_secret`] and [`delay`]: failures that take several steps.

mod apply_repairs;
mod client_secret;
mod delay;
mod irrelevant_changes;
mod objects;
mod observed;
mod page;
mod provider;
mod remedies;
mod row;
mod rows;
mod setup;
mod table;
mod words;

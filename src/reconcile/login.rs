//! The stored refresh token.
//!
//! A refresh token that rotates is consumed when it is used, and only the response holds its successor. So the token is claimed
//! in the state Secret before it is sent, the successor is stored before anything else happens, and every write is fenced by the
//! resourceVersion of the Secret and by the hash of the token that it replaces.
//!
//! ```text
//!  initial refresh token ── begin ──┐   (the login before is kept as `replaced` until this one has worked)
//!                                   ▼
//!    ┌────────────────────────▶  FREE            no `claim`, or one of an earlier token
//!    │                              │ claimed    claim: {of: hash of the token, by: pod, until: now + 40 s}
//!    │  released: nothing was       ▼
//!    ├───── consumed ───────────  OURS           the claim that this process wrote and has not used
//!    │                              │ the request is sent
//!    │                              ├── 2xx ─────────────▶ succeeded: refresh-token, access-token, generation + 1 ──▶ FREE
//!    │                              ├── invalid_grant ───▶ REJECTED
//!    │                              └── no clear response, or the process ends
//!    │                                        ▼
//!    │                           OUTCOME UNKNOWN  a claim that is over or of this pod's earlier container; `inDoubt`
//!    │                              │ claimed again, and sent again to find out
//!    │                              ├── 2xx ─────────────▶ succeeded ──▶ FREE
//!    │                              └── invalid_grant ───▶ LOST: an earlier request consumed the token
//!    │
//!    │  OTHERS'     an unexpired claim of another pod: nothing is sent before it ends
//!    │
//!    └── REJECTED   rejection: {lost: false}; sent once more after 5 min, then `confirmed` and never again
//!        LOST       rejection: {lost: true}; never sent again
//!        Both end with another initial refresh token (begin), with changed inputs, or with a refresh request by hand.
//! ```
//!
//! | the process ends | the state Secret holds | the next process |
//! |---|---|---|
//! | before the claim is stored | the token, no claim | starts over |
//! | between claim and request | the token, a claim | sends the token as one whose outcome is unknown |
//! | between request and response, or before the response is stored | the token, a claim | the same; without a grace period at the provider the login is lost |
//! | after the response is stored | the successor with its access token, no claim | publishes the access token |
//! | between `invalid_grant` and its record | the token, a claim | sends the token once more |

mod binding;
mod claim;
mod desired;
mod origin;
mod others;
mod record;
mod secret;
mod stored;
mod transitions;

pub(super) use binding::Binding;
pub(super) use claim::{ClaimState, SeedNow};
pub(super) use desired::desired;
pub use origin::is_state_of;
pub use others::{OtherState, TokenUse};
pub(super) use record::{Claim, RejectedToken};
pub(super) use secret::StateConflict;
pub use secret::{STATE_TYPE, State, StateReading, StateSecret};
pub use stored::StoredLogin;
pub(super) use stored::{has_consumed, is_mark_of, knows_label};
pub(super) use transitions::Rejected;

#[cfg(test)]
mod tests;

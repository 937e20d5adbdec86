//! Stored refresh tokens that rotate: none is sent twice, none is lost that need not be, and people are told the truth.

mod admission;
mod lost_response;
mod rotation;
mod secrecy;
mod sign_in;
mod state;

fn base64(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

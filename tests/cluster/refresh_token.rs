//! Stored refresh tokens that rotate: none is sent twice, none is lost without need, and the status says what happened.

mod admission;
mod consent;
mod lost_response;
mod rotation;
mod rough_responses;
mod secrecy;
mod sign_in;
mod state;

fn base64(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

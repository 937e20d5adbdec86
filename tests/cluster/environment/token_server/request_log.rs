//! Requests in the token server's own log.

use std::{fs, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use super::TokenServer;

/// A request with a refresh token, as the server saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refresh {
    /// The fingerprint of the refresh token in the request.
    pub(crate) sent: String,
    /// The fingerprint of the refresh token in the response; empty if there is none.
    pub(crate) issued: String,
    /// The status that the client got.
    pub(crate) status: u64,
    /// The status of what the server committed; 0 if it committed nothing.
    pub(crate) committed: u64,
    /// When the request came, by the clock of this machine.
    pub(crate) at: Timestamp,
}

/// The fingerprint of a token in the server's log.
pub(crate) fn fingerprint(token: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(token);
    let beginning: [u8; 8] = hash[..8].try_into().unwrap();
    format!("{:016x}", u64::from_be_bytes(beginning))
}

impl TokenServer {
    /// The refreshes that this client has requested.
    pub(crate) fn refreshes_of(&self, client_id: &str) -> Vec<Refresh> {
        let lines = self.logged().into_iter();
        let own = lines
            .filter(|line| line["client_id"] == client_id && line["grant_type"] == "refresh_token");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        own.map(|line| Refresh {
            sent: text(&line["refresh_token"]),
            issued: text(&line["issued"]),
            status: line["status"].as_u64().unwrap_or_default(),
            committed: line["committed_status"].as_u64().unwrap_or_default(),
            at: Timestamp::UNIX_EPOCH + Duration::from_secs_f64(line["time"].as_f64().unwrap()),
        })
        .collect()
    }

    /// How this client authenticated in each of its requests: `body` or `basic`.
    pub(crate) fn authentications_of(&self, client_id: &str) -> Vec<String> {
        let own = self.requests_of(client_id).into_iter();
        own.map(|line| {
            line["authentication"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
    }

    /// The statuses of the responses to `cube-operator check`, whose requests name no client.
    pub(crate) fn questions(&self) -> Vec<u64> {
        let lines = self.logged().into_iter();
        let asked = lines.filter(|line| line["grant_type"] == "cube-operator-check");
        asked
            .inspect(|line| assert_eq!(line["client_id"], Value::Null))
            .map(|line| line["status"].as_u64().unwrap())
            .collect()
    }

    /// The status of each response to a token request of this client.
    pub(crate) fn answers_to(&self, client_id: &str) -> Vec<u64> {
        let lines = self.requests_of(client_id).into_iter();
        lines.filter_map(|line| line["status"].as_u64()).collect()
    }

    /// When each token request of this client came, in Unix seconds.
    pub(crate) fn times_of(&self, client_id: &str) -> Vec<f64> {
        let lines = self.requests_of(client_id).into_iter();
        lines.filter_map(|line| line["time"].as_f64()).collect()
    }

    fn requests_of(&self, client_id: &str) -> Vec<Value> {
        let lines = self.logged().into_iter();
        lines
            .filter(|line| line["client_id"] == client_id)
            .collect()
    }

    /// The complete lines of the log.
    fn logged(&self) -> Vec<Value> {
        let log = fs::read_to_string(self.launcher.fact("request_log")).unwrap_or_default();
        log.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}

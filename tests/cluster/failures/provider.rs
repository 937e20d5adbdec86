//! The provider's responses: it tells rows apart by the path of the request, and knows which of them have been repaired.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use url::{Url, form_urlencoded};

use super::row::{Repair, Row};
use crate::scripted::{Reply, Request};

/// Responds to the requests of all rows, and counts them.
pub(super) struct Responder {
    pub(super) rows: &'static [Row],
    /// The rows whose fault the provider has repaired.
    repaired: Mutex<BTreeSet<&'static str>>,
    /// Each request so far.
    seen: Mutex<Vec<Seen>>,
}

/// A request, and whether it got the response of a repaired row.
struct Seen {
    row: &'static str,
    well: bool,
    refresh_token: Option<String>,
}

impl Responder {
    pub(super) fn new(rows: &'static [Row]) -> Self {
        Self {
            rows,
            repaired: Mutex::default(),
            seen: Mutex::default(),
        }
    }

    pub(super) fn answer(&self, request: &Request) -> Reply {
        let url = Url::parse(&format!("https://x{}", request.target)).unwrap();
        let query = url.query().unwrap_or_default();
        // Two clients of one token endpoint have the same path.
        let path = query.strip_prefix("row=").unwrap_or(&url.path()[1..]);
        let row = self.rows.iter().find(|row| row.name == path);
        let row = row.unwrap_or_else(|| panic!("no row is called {path}"));
        let fields: BTreeMap<String, String> = form_urlencoded::parse(request.body.as_bytes())
            .into_owned()
            .collect();
        let field = |name: &str| fields.get(name).map(String::as_str);
        let well = match row.repair {
            Repair::Secret => {
                let client = STANDARD.encode(format!("{}:right-secret", row.name));
                let basic = format!("Basic {client}");
                let in_header = request.headers.iter().any(|(_, value)| *value == basic);
                in_header || field("client_secret") == Some("right-secret")
            }
            Repair::Spec => query == "mended",
            Repair::SignIn => field("refresh_token") == Some(&format!("new-{path}")),
            _ => self.repaired.lock().unwrap().contains(path),
        };
        let mut seen = self.seen.lock().unwrap();
        let before = seen
            .iter()
            .filter(|seen| seen.row == row.name && !seen.well)
            .count();
        seen.push(Seen {
            row: row.name,
            well,
            refresh_token: field("refresh_token").map(ToOwned::to_owned),
        });
        match row
            .replies
            .get(before.min(row.replies.len().saturating_sub(1)))
        {
            Some(reply) if !well => reply.clone(),
            _ => row.good(),
        }
    }

    /// The provider repairs its fault.
    pub(super) fn repair(&self, row: &Row) {
        self.repaired.lock().unwrap().insert(row.name);
    }

    /// How many requests of a row got the response that the row says, and how many that of a repaired row.
    pub(super) fn requests(&self, row: &Row) -> (usize, usize) {
        let seen = self.seen.lock().unwrap();
        let of = |well| {
            seen.iter()
                .filter(|seen| seen.row == row.name && seen.well == well)
                .count()
        };
        (of(false), of(true))
    }

    /// The refresh token in the first request of a row after its repair.
    pub(super) fn sent_at_first(&self, row: &Row) -> Option<String> {
        let seen = self.seen.lock().unwrap();
        let first = seen.iter().find(|seen| seen.row == row.name && seen.well)?;
        first.refresh_token.clone()
    }
}

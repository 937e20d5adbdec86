//! The environment that all rows share: one namespace, one operator and one provider.

mod policies;
mod read;
mod write;

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use kube::Client;
use tokio::runtime::Runtime;
use url::Url;

use super::{
    provider::Responder,
    row::Row,
    rows::writes::{NO_CHANGE, NO_NEW},
};
use crate::{
    environment::{ControlPlane, TokenServer},
    operator::Operator,
    place::Place,
    scripted::{Authority, CLOSED, LOCAL, Provider, Reply, Request},
};

pub(super) use read::{is_well, next_try};

/// The hosts that the installer and the owners of the Secrets allow.
const HOSTS: &str = "localhost,nowhere.invalid,169.254.169.254";

/// The environment of all rows.
pub(super) struct Setup {
    pub(super) place: Place,
    pub(super) authority: Authority,
    pub(super) stranger: Authority,
    scripted: Provider,
    pub(super) misnamed: Provider,
    pub(super) expired: Provider,
    /// It wants a client certificate.
    pub(super) mutual: Provider,
    /// An API that accepts no token.
    pub(super) api: Provider,
    /// A URL at which nothing listens.
    pub(super) refusing: String,
    responder: Arc<Responder>,
    runtime: Runtime,
    client: Client,
}

impl Setup {
    /// Starts everything except the operator, and applies nothing of the rows yet.
    pub(super) fn new(rows: &'static [Row]) -> Self {
        // This test changes the definition of the kind, so it needs a control plane of its own.
        let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
        let (authority, stranger) = (Authority::new("private"), Authority::new("stranger"));
        let responder = Arc::new(Responder::new(rows));
        let answers = responder.clone();
        let scripted = Provider::start(&authority.certificate(&LOCAL), move |request| {
            answers.answer(request)
        });
        let never = |_: &Request| Reply::close();
        let expired = authority.certificate_with(&LOCAL, |params| {
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        });
        let (runtime, client) = plane.client();
        let place = Place::without_client(plane, TokenServer::shared());
        place.reinstall("serviceAccountTokens=true");
        place.trust("roots", &authority);
        let setup = Self {
            misnamed: Provider::start(&authority.certificate(&["other.example"]), never),
            expired: Provider::start(&expired, never),
            mutual: Provider::start_with(
                authority
                    .certificate(&LOCAL)
                    .config_for_clients(rustls::DEFAULT_VERSIONS, &authority),
                never,
            ),
            api: Provider::start(&authority.certificate(&LOCAL), |_| Reply::json(403, "{}")),
            refusing: format!("https://localhost:{CLOSED}/"),
            client,
            place,
            authority,
            stranger,
            scripted,
            responder,
            runtime,
        };
        setup.accept_unchecked_fields();
        let seed = STANDARD.encode("seed-storing");
        let unchanged = format!(
            "object.data['refresh-token'] == oldObject.data['refresh-token'] || oldObject.data['refresh-token'] == '{seed}'"
        );
        setup.deny(
            NO_CHANGE,
            "UPDATE",
            "no new tokens",
            "'row-storing-cube-state'",
            &unchanged,
        );
        // `wait_for_policy` waits for this one, so it comes last.
        setup.deny(
            NO_NEW,
            "CREATE",
            "no new Secrets",
            "'row-refused-target-token', 'row-refused-state-cube-state'",
            "false",
        );
        setup.wait_for_policy(true);
        setup
    }

    /// A URL of the provider.
    pub(super) fn url(&self, target: &str) -> String {
        self.scripted.url(target)
    }

    pub(super) fn operator(&self) -> Operator {
        // As in the chart, a restarted container has the uid of its pod.
        self.place.operator_with(
            &[
                "--operator-namespace",
                &self.place.namespace,
                "--identity",
                "the-pod",
                "--allowed-token-hosts",
                HOSTS,
                "--require-token-hosts",
                "true",
                "--cluster-providers=true",
                "--service-account-tokens",
            ],
            &[],
        )
    }

    /// The provider repairs its fault.
    pub(super) fn repair_provider_of(&self, row: &Row) {
        self.responder.repair(row);
    }

    /// `host:port` of each token endpoint, also of the one at which nothing listens.
    pub(super) fn authorities(&self) -> impl Iterator<Item = String> {
        let urls = [
            &self.scripted,
            &self.misnamed,
            &self.expired,
            &self.mutual,
            &self.api,
        ]
        .map(|provider| provider.url("/"));
        let urls = urls.into_iter().chain([self.refusing.clone()]);
        urls.map(|url| Url::parse(&url).unwrap().authority().to_owned())
    }

    /// How many requests of a row got the response that the row says, and how many that of a repaired row.
    pub(super) fn requests(&self, row: &Row) -> (usize, usize) {
        self.responder.requests(row)
    }

    /// The refresh token in the first request of a row after its repair.
    pub(super) fn sent_at_first(&self, row: &Row) -> Option<String> {
        self.responder.sent_at_first(row)
    }
}

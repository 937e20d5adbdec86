//! The path of a token: client Secret, token endpoint, state, target, and the pods that use it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    recent::{self, Happening},
    secrets::{Found, Health, ca_bundle, client, look, service_account, source, state, target},
};
use crate::{
    api::{ConditionStatus, ConditionType, RefreshTokenRef},
    clock::now,
    consumers::{Consumers, Pod},
    kubernetes::pods,
    plugin::{
        cluster::Cluster,
        countdown::{age, countdown},
        object::Object,
        rights::Right,
    },
    reconcile::{ConsumerFact, Finding, Mark, Settings, SubjectToken, conditions},
    scrub::visible,
};

/// One object with everything around it.
pub(super) struct Path {
    /// The status, and whether it is kept up to date.
    pub(super) status: Vec<Part>,
    /// The parts from the client Secret to the target.
    pub(super) parts: Vec<Part>,
    pub(super) consumers: Vec<Part>,
    /// The last events, or the reason why they are not known.
    pub(super) events: Result<Vec<Happening>, String>,
}

/// The parts of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Kind {
    Status,
    Spec,
    ClientSecret,
    InitialRefreshToken,
    SubjectToken,
    CaBundle,
    TokenEndpoint,
    State,
    Target,
    Consumer,
}

/// A part, and how it is.
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) health: Health,
}

impl Part {
    fn new(kind: Kind, mut health: Health) -> Self {
        health.message = visible(&health.message);
        Self { kind, health }
    }

    fn found(kind: Kind, finding: &Finding) -> Self {
        Self::new(kind, Health::new(finding.mark, finding.to_string()))
    }
}

impl Path {
    /// Looks at everything. The path also says which parts the person may not see.
    pub(super) async fn of(cluster: &Cluster, object: &Object) -> Self {
        let findings = conditions(&object.status, object.generation(), now());
        let status = findings
            .iter()
            .map(|finding| Part::found(Kind::Status, finding));
        let mut status: Vec<_> = status.collect();
        if !object.unread.is_empty() {
            let fields = object.unread.join(", ");
            let message = format!("another version wrote the status: {fields} cannot be read");
            status.push(Part::new(Kind::Status, Health::new(Mark::Notice, message)));
        }
        Self {
            status,
            parts: parts(cluster, object).await,
            consumers: consumers(cluster, object).await,
            events: recent::of(cluster, object).await,
        }
    }
}

async fn parts(cluster: &Cluster, object: &Object) -> Vec<Part> {
    let settings = match object.resolved(&cluster.client).await {
        Ok(settings) => settings,
        Err(error) => return unusable(cluster, object, error.to_string()).await,
    };
    let mut parts = Vec::new();
    let health = client_health(cluster, object, &settings).await;
    parts.push(Part::new(Kind::ClientSecret, health));
    if let Some(initial) = settings.grant.refresh_token() {
        let seen = look(cluster, &initial.name).await;
        let health = initial_token(&initial.name, &initial.key, &seen, object);
        parts.push(Part::new(Kind::InitialRefreshToken, health));
    }
    if let Some(exchange) = settings.grant.token_exchange() {
        let health = subject_health(cluster, &exchange.subject_token).await;
        parts.push(Part::new(Kind::SubjectToken, health));
    }
    if let Some(reference) = &settings.ca_bundle {
        let health = ca_bundle(cluster, reference).await;
        parts.push(Part::new(Kind::CaBundle, health));
    }
    parts.push(Part::new(Kind::TokenEndpoint, endpoint(&settings, object)));
    if settings.grant.refresh_token().is_some() {
        let name = &settings.state_name;
        let health = state(name, object.uid(), &look(cluster, name).await);
        parts.push(Part::new(Kind::State, health));
    }
    parts.push(target_part(cluster, object).await);
    parts
}

/// The Secret with the subject token, or the ServiceAccount in its place.
async fn subject_health(cluster: &Cluster, subject: &SubjectToken) -> Health {
    match subject {
        SubjectToken::Secret(RefreshTokenRef { name, key }) => {
            source(name, &[key], &look(cluster, name).await)
        }
        SubjectToken::ServiceAccount(account) => {
            service_account(cluster, &account.service_account).await
        }
    }
}

/// The Secret with the client, or the ServiceAccount in its place.
async fn client_health(cluster: &Cluster, object: &Object, settings: &Settings) -> Health {
    if let Some(assertion) = &settings.service_account {
        return service_account(cluster, &assertion.service_account).await;
    }
    let seen = look(cluster, &settings.source.name).await;
    client(settings, object.status.client_secret_key.as_deref(), &seen)
}

/// The parts of a spec that this version cannot use.
async fn unusable(cluster: &Cluster, object: &Object, error: String) -> Vec<Part> {
    let mut parts = vec![Part::new(Kind::Spec, Health::new(Mark::Bad, error))];
    if let Some(client) = object.text("/clientSecretRef/name") {
        let health = source(client, &[], &look(cluster, client).await);
        parts.push(Part::new(Kind::ClientSecret, health));
    }
    parts.push(target_part(cluster, object).await);
    parts
}

async fn target_part(cluster: &Cluster, object: &Object) -> Part {
    let name = object.target();
    let seen = look(cluster, &name).await;
    Part::new(Kind::Target, target(&name, object.uid(), &seen, now()))
}

/// Once a login has begun, it no longer needs the initial refresh token.
fn initial_token(name: &str, key: &str, seen: &Found, object: &Object) -> Health {
    let health = source(name, &[key], seen);
    let goes_on = object.status.expires_at.is_some_and(|at| at > now());
    if health.mark == Mark::Bad && goes_on {
        return Health::new(Mark::Notice, health.message);
    }
    health
}

fn endpoint(settings: &Settings, object: &Object) -> Health {
    let url = settings.endpoint.url();
    let host = settings.endpoint.authority();
    let grant = settings.grant.spec_name();
    let address = match (&settings.provider, settings.provider_flaw()) {
        (_, Some(flaw)) => flaw.to_string(),
        (Some(used), None) => format!("https://{host}{} of {}", url.path(), used.shown()),
        (None, None) => format!("https://{host}{}", url.path()),
    };
    let mut text = vec![address, format!("grant {grant}")];
    let status = &object.status;
    if let Some(at) = status.last_attempt_at {
        text.push(format!("last request {} ago", age(at, now())));
    }
    if let Some(at) = status.refresh_at {
        text.push(format!("next refresh at {at} ({})", countdown(at, now())));
    }
    let condition = |r#type| status.condition(r#type).map(|found| found.status);
    let is_live = condition(ConditionType::Ready) == Some(ConditionStatus::True);
    let mark = match condition(ConditionType::Refreshed) {
        Some(ConditionStatus::True) => Mark::Good,
        Some(ConditionStatus::False) if is_live => Mark::Notice,
        Some(ConditionStatus::False) => Mark::Bad,
        Some(ConditionStatus::Unknown) | None => Mark::Unseen,
    };
    Health::new(mark, text.join(", "))
}

async fn consumers(cluster: &Cluster, object: &Object) -> Vec<Part> {
    let target = object.target();
    let targets = [target.clone()];
    let mut consumers = Consumers::of(&targets);
    let take = |pods: &[Pod]| consumers.add(pods);
    if let Err(error) = pods::pages(&cluster.client, &cluster.namespace, pods::PAGE, take).await {
        let right = Right::new("list", "pods", Some(&cluster.namespace));
        let message = format!("pods were not seen: {}", right.explain(error));
        return vec![Part::new(
            Kind::Consumer,
            Health::new(Mark::Unseen, message),
        )];
    }
    // The stale ones first.
    let mut found: BTreeMap<bool, Vec<Part>> = BTreeMap::new();
    for consumer in consumers.using(&target) {
        let is_fresh = consumer.is_fresh();
        let mark = if is_fresh { Mark::Good } else { Mark::Notice };
        let fact = ConsumerFact::Found(consumer.clone());
        let part = Part::new(Kind::Consumer, Health::new(mark, fact.to_string()));
        found.entry(is_fresh).or_default().push(part);
    }
    if found.is_empty() {
        let fact = ConsumerFact::NoPod { secret: target };
        return vec![Part::found(Kind::Consumer, &Finding::unseen(fact))];
    }
    found.into_values().flatten().collect()
}

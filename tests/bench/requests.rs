//! The requests that the API server has counted: its own metric, because an audit log would cost it more than they do.

use std::collections::BTreeMap;

use axum::http::Request;
use kube::Client;

/// What the operator reads and writes for a credential. Nothing else uses these verbs on these resources while it is measured; the
/// bench itself only lists, and changes `CubeCredentials` but not their status.
const RESOURCES: [&str; 5] = [
    "secrets",
    "configmaps",
    "events",
    "pods",
    "cubecredentials/status",
];

/// How often each verb was used on each resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests(BTreeMap<String, f64>);

impl Requests {
    /// The counts so far.
    pub(crate) async fn now(client: &Client) -> Self {
        let request = Request::get("/metrics").body(Vec::new()).unwrap();
        let text = client.request_text(request).await.unwrap();
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("apiserver_request_total{"));
        let mut counts = BTreeMap::new();
        for (labels, count) in lines.filter_map(|line| line.split_once("} ")) {
            if let Some(operation) = operation(labels) {
                *counts.entry(operation).or_default() += count.parse::<f64>().unwrap();
            }
        }
        Self(counts)
    }

    /// Those since an earlier moment.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let of = |name| earlier.0.get(name).copied().unwrap_or(0.0);
        let counts = self.0.iter();
        Self(
            counts
                .map(|(name, count)| (name.clone(), count - of(name)))
                .filter(|(_, count)| *count > 0.0)
                .collect(),
        )
    }

    /// Their number.
    pub(crate) fn total(&self) -> f64 {
        self.0.values().sum()
    }

    /// The writes of a status.
    pub(crate) fn statuses(&self) -> f64 {
        let writes = self
            .0
            .iter()
            .filter(|(name, _)| name.ends_with("cubecredentials/status"));
        writes.map(|(_, count)| count).sum()
    }

    /// Each of them, for so many credentials.
    pub(crate) fn each(&self, credentials: f64) -> String {
        let counts = self.0.iter();
        let counts: Vec<_> = counts
            .map(|(name, count)| format!("{name} {:.2}", count / credentials))
            .collect();
        counts.join(", ")
    }
}

/// Verb and resource, if the operator makes such requests for a credential.
fn operation(labels: &str) -> Option<String> {
    let label = |name: &str| {
        let start = labels.find(&format!("{name}=\""))? + name.len() + 2;
        let end = labels[start..].find('"')?;
        Some(&labels[start..start + end])
    };
    let verb = label("verb")?;
    let resource = match label(",subresource")? {
        "" => label(",resource")?.to_owned(),
        subresource => format!("{}/{subresource}", label(",resource")?),
    };
    let counted = RESOURCES.contains(&resource.as_str()) && !["LIST", "WATCH"].contains(&verb);
    counted.then(|| format!("{} {resource}", verb.to_lowercase()))
}

#[test]
fn the_requests_of_a_credential_are_counted_and_no_lists() {
    let labels = |verb, resource, subresource| {
        format!(
            r#"code="200",component="apiserver",dry_run="",group="",resource="{resource}",scope="resource",subresource="{subresource}",verb="{verb}",version="v1""#
        )
    };
    let name = |verb, resource, subresource| operation(&labels(verb, resource, subresource));
    assert_eq!(name("GET", "secrets", "").unwrap(), "get secrets");
    assert_eq!(
        name("APPLY", "cubecredentials", "status").unwrap(),
        "apply cubecredentials/status"
    );
    for (verb, resource) in [
        ("LIST", "secrets"),
        ("WATCH", "secrets"),
        ("APPLY", "cubecredentials"),
        ("PUT", "leases"),
    ] {
        assert_eq!(name(verb, resource, ""), None, "{verb} {resource}");
    }
}

//! The faults, each with the line about it.

use serde_json::{Value, json};

use crate::{
    check::{LOOPBACK, NETWORK, unseen},
    place::{CLIENT_SECRET, Place},
};

/// Makes something wrong in the namespace or in the spec.
pub(super) type Prepare = Box<dyn Fn(&Place, &mut Value)>;

/// A credential with one fault: the change that makes it, the flags, and the expected lines.
pub(super) struct Wrong {
    pub(super) what: &'static str,
    pub(super) prepare: Prepare,
    pub(super) flags: Vec<&'static str>,
    pub(super) lines: Vec<String>,
}

/// The names that the lines show.
pub(super) struct Names<'a> {
    /// `host:port` of the token endpoint.
    pub(super) host: &'a str,
    /// `host:port` at which nothing listens.
    pub(super) closed: &'a str,
    /// The name of the token endpoint's CA.
    pub(super) authority: &'a str,
}

impl Names<'_> {
    pub(super) fn wrongs(&self) -> Vec<Wrong> {
        [
            self.clients(),
            self.hosts(),
            self.network(),
            self.responses(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn clients(&self) -> Vec<Wrong> {
        let host = self.host;
        vec![
            case(
                "absent",
                spec(json!({"clientSecretRef": {"name": "nowhere"}})),
                &format!(
                    "✗ Secret \"nowhere\" not found: create it with keys client-id and client-secret, label \
                     cube-operator.dev/credential=true and annotation cube-operator.dev/token-hosts={host}"
                ),
                &[],
            ),
            case(
                "unlabelled",
                source(json!({"metadata": {"labels": {"cube-operator.dev/credential": "false"}}})),
                &format!(
                    "✗ Secret \"unlabelled\" is not labelled for use: its owner must set annotation \
                     cube-operator.dev/token-hosts={host}, then label cube-operator.dev/credential=true"
                ),
                &[],
            ),
            case(
                "newline",
                source(json!({"stringData": {"client-secret": format!("{CLIENT_SECRET}\n")}})),
                "✗ key \"client-secret\" of Secret \"newline\" has a trailing newline: rewrite the value with `printf %s`",
                &[],
            ),
            case(
                "key",
                spec(json!({"clientSecretRef": {"name": "client", "clientIDKey": "id"}})),
                "✗ Secret \"client\" has no key \"id\": add it, or name the right key in spec.clientSecretRef",
                &[],
            ),
        ]
    }

    fn hosts(&self) -> Vec<Wrong> {
        let host = self.host;
        let refused_host = case(
            "flag",
            spec(json!({})),
            &format!(
                "✗ the operator must not send credentials to {host}: correct spec.tokenURL, or ask the installer to add the host to \
             --allowed-token-hosts"
            ),
            &NETWORK,
        );
        let refused_network = case(
            "network",
            spec(json!({})),
            &format!(
                "✗ token endpoint {host} is on a network that is refused by default (loopback): correct spec.tokenURL, or ask the installer to \
             allow the network (--allow-network)"
            ),
            &NETWORK[1..],
        );
        vec![
            case(
                "hosts",
                source(
                    json!({"metadata": {"annotations": {"cube-operator.dev/token-hosts": "api.cubewire.com"}}}),
                ),
                &format!(
                    "✗ Secret \"hosts\" must not be sent to {host}: correct spec.tokenURL, or ask its owner to add that host to annotation \
                 cube-operator.dev/token-hosts"
                ),
                &NETWORK,
            ),
            Wrong {
                flags: vec![LOOPBACK, "--allowed-token-hosts=api.cubewire.com"],
                ..refused_host
            },
            Wrong {
                flags: Vec::new(),
                ..refused_network
            },
        ]
    }

    fn network(&self) -> Vec<Wrong> {
        let (host, closed, authority) = (self.host, self.closed, self.authority);
        vec![
            case(
                "bundle",
                spec(json!({"caBundleRef": {"name": "nowhere"}})),
                "✗ CA bundle ConfigMap \"nowhere\" not found: create it, or correct spec.caBundleRef",
                &NETWORK,
            ),
            case(
                "name",
                spec(json!({"tokenURL": "https://nowhere.invalid/token"})),
                &unreachable(
                    "nowhere.invalid",
                    "name not found in DNS",
                    "correct the host in spec.tokenURL",
                ),
                &NETWORK[1..],
            ),
            case(
                "closed",
                spec(json!({"tokenURL": format!("https://{closed}/token")})),
                &unreachable(
                    closed,
                    "connection refused",
                    "check the port in spec.tokenURL, and whether the server runs",
                ),
                &NETWORK[2..],
            ),
            case(
                "authority",
                spec(json!({"caBundleRef": {"name": "authority"}})),
                &format!(
                    "✗ TLS certificate of {host} is signed by \"CN={authority}\", an unknown CA \
                 (issued by \"CN={authority}\" for \"localhost\", \"127.0.0.1\", valid …"
                ),
                &NETWORK[3..],
            ),
        ]
    }

    fn responses(&self) -> Vec<Wrong> {
        vec![
        self.response(
            "307",
            "✗ token endpoint responded 307 with a redirect to \"https://elsewhere.example/o/token/\", which is not followed: \
             correct spec.tokenURL (redirects never get credentials)",
        ),
        self.response(
            "404",
            "✗ token endpoint responded 404: correct the path in spec.tokenURL (a trailing slash matters)",
        ),
        self.response(
            "403",
            "✗ token endpoint responded 403 with an HTML page, not JSON: check the proxy or firewall between the cluster and the token \
             endpoint",
        ),
        self.response(
            "200",
            "✗ token endpoint responded 200 with a body that is neither JSON nor form-encoded: check that spec.tokenURL is a \
             token endpoint",
        ),
        self.response(
            "503",
            "✗ token endpoint responded 503: no action needed; if this persists, check the provider's status page",
        ),
        self.response(
            "500",
            "! token endpoint responded 500 to a request without client and secret, which may be the reason",
        ),
        ]
    }

    /// The token endpoint responds so at this path.
    fn response(&self, what: &'static str, line: &str) -> Wrong {
        let url = format!("https://{}/{what}", self.host);
        case(what, spec(json!({"tokenURL": url})), line, &[])
    }
}

/// A fault with the line about it, and the steps that are left out after it.
fn case(what: &'static str, prepare: Prepare, line: &str, unmade: &[&str]) -> Wrong {
    Wrong {
        what,
        prepare,
        flags: vec![LOOPBACK],
        lines: [vec![line.to_owned()], unseen(unmade)].concat(),
    }
}

/// The Secret of an owner who names the hosts and the CA bundles of this test.
pub(super) fn limited(mut source: Value) -> Value {
    source["metadata"]["annotations"] = json!({
        "cube-operator.dev/token-hosts": "localhost, 127.0.0.1, nowhere.invalid",
        "cube-operator.dev/token-ca": "ConfigMap/scripted, ConfigMap/authority, ConfigMap/nowhere",
    });
    source
}

/// Gives the credential a client Secret by its own name, with this change.
fn source(change: Value) -> Prepare {
    Box::new(move |place, credential| {
        let name = credential["metadata"]["name"].as_str().unwrap().to_owned();
        let mut source = limited(place.source());
        source["metadata"]["name"] = json!(name);
        merge(&mut source, &change);
        place.apply(&source);
        credential["spec"]["clientSecretRef"]["name"] = json!(name);
    })
}

/// Changes the spec.
fn spec(change: Value) -> Prepare {
    Box::new(move |_, credential| merge(&mut credential["spec"], &change))
}

fn unreachable(authority: &str, why: &str, remedy: &str) -> String {
    format!("✗ token endpoint {authority} could not be reached: {why}: {remedy}")
}

fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (name, value) in change {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, change) => *into = change.clone(),
    }
}

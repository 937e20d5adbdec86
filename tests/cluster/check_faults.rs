//! `cube-operator check NAME`: each thing that can be wrong with a client, a host or a token endpoint, in its whole words.

use serde_json::{Value, json};

use crate::{
    check::{FROM_HERE, LOOPBACK, NETWORK, NOT_LOOKED_AT, unseen, untimed},
    place::{CLIENT_SECRET, Place},
    scripted::{Authority, CLOSED, LOCAL, Provider, Reply, Request},
};

/// A token endpoint that answers by its path, and what is wrong with each.
fn answer(request: &Request) -> Reply {
    match request.target.as_str() {
        "/307" => Reply::json(307, "").header("Location", "https://elsewhere.example/o/token/"),
        "/404" => Reply::json(404, "<html>"),
        "/403" => Reply::json(403, "<html>"),
        "/200" => Reply::json(200, "<html>"),
        "/500" => Reply::json(500, ""),
        "/503" => Reply::json(503, ""),
        _ => Reply::json(401, r#"{"error":"invalid_client"}"#),
    }
}

/// What makes something wrong, in the place or in the spec.
type Prepare = Box<dyn Fn(&Place, &mut Value)>;

/// A credential with one thing wrong: what changes it, the flags, and what is said.
struct Wrong {
    what: &'static str,
    prepare: Prepare,
    flags: Vec<&'static str>,
    lines: Vec<String>,
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn wrongs(namespace: &str, host: &str, closed: &str, authority: &str) -> Vec<Wrong> {
    let case = |what, prepare: Prepare, line: &str, unmade: &[&str]| Wrong {
        what,
        prepare,
        flags: vec![LOOPBACK],
        lines: [vec![line.to_owned()], unseen(unmade)].concat(),
    };
    let source = |change: Value| -> Prepare {
        Box::new(move |place, credential| {
            let name = credential["metadata"]["name"].as_str().unwrap().to_owned();
            let mut source = place.source();
            source["metadata"]["name"] = json!(name);
            merge(&mut source, &change);
            place.apply(&source);
            credential["spec"]["clientSecretRef"]["name"] = json!(name);
        })
    };
    let spec = |change: Value| -> Prepare {
        Box::new(move |_, credential| merge(&mut credential["spec"], &change))
    };
    let path = |what, line: &str| {
        let url = format!("https://{host}/{what}");
        case(what, spec(json!({"tokenURL": url})), line, &[])
    };
    let mut refused_host = case(
        "flag",
        spec(json!({})),
        &format!(
            "✗ the operator may not send to {host}: its installer has to add that host to --allowed-token-hosts, or spec.tokenURL \
             has to name another one; nothing is sent before that"
        ),
        &NETWORK,
    );
    refused_host
        .flags
        .push("--allowed-token-hosts=api.cubewire.com");
    let mut refused_network = case(
        "network",
        spec(json!({})),
        &format!(
            "✗ the token endpoint {host} is on a network that is refused by default (loopback): set spec.tokenURL to another host, or have the operator's \
             installer permit the network with --allow-network"
        ),
        &NETWORK[1..],
    );
    refused_network.flags.clear();
    let unreachable = |authority: &str, why: &str| {
        format!(
            "✗ the token endpoint {authority} could not be reached: {why}: check the host in spec.tokenURL, the cluster's DNS, and \
             network policies, firewall and proxy on the way to it"
        )
    };
    vec![
        case(
            "absent",
            spec(json!({"clientSecretRef": {"name": "nowhere"}})),
            "✗ Secret \"nowhere\" does not exist: create it with the keys \"client-id\" and \"client-secret\" and the label \
             cube-operator.dev/credential: \"true\"; it is used as soon as it is there",
            &[],
        ),
        case(
            "unlabelled",
            source(json!({"metadata": {"labels": {"cube-operator.dev/credential": "false"}}})),
            &format!(
                "✗ Secret \"unlabelled\" lacks the label cube-operator.dev/credential: \"true\", by which its owner permits its use: \
                 run kubectl label --overwrite secret unlabelled -n {namespace} cube-operator.dev/credential=true; it is used as soon \
                 as it has it"
            ),
            &[],
        ),
        case(
            "newline",
            source(json!({"stringData": {"client-secret": format!("{CLIENT_SECRET}\n")}})),
            "✗ key \"client-secret\" of Secret \"newline\" ends with a line break: write it with printf or echo -n; it is used as \
             soon as that Secret changes",
            &[],
        ),
        case(
            "key",
            spec(json!({"clientSecretRef": {"name": "client", "clientIDKey": "id"}})),
            "✗ Secret \"client\" has no key \"id\": add it, or name the right key in spec.clientSecretRef; it is used as soon as it is \
             there",
            &[],
        ),
        case(
            "hosts",
            source(
                json!({"metadata": {"annotations": {"cube-operator.dev/token-hosts": "api.cubewire.com"}}}),
            ),
            &format!(
                "✗ Secret \"hosts\" may not be sent to {host}: its owner has to add that host to its annotation \
                 cube-operator.dev/token-hosts, or spec.tokenURL has to name another one; nothing is sent before that"
            ),
            &NETWORK,
        ),
        refused_host,
        refused_network,
        case(
            "bundle",
            spec(json!({"caBundleRef": {"name": "nowhere"}})),
            "✗ spec.caBundleRef: ConfigMap \"nowhere\" does not exist: create it, or name another one; it is used as soon as that is \
             done",
            &NETWORK,
        ),
        case(
            "name",
            spec(json!({"tokenURL": "https://nowhere.invalid/token"})),
            &unreachable("nowhere.invalid", "its name does not resolve"),
            &NETWORK[1..],
        ),
        case(
            "closed",
            spec(json!({"tokenURL": format!("https://{closed}/token")})),
            &unreachable(closed, "the connection was refused"),
            &NETWORK[2..],
        ),
        case(
            "authority",
            spec(json!({"caBundleRef": {"name": "authority"}})),
            &format!(
                "✗ the certificate of the token endpoint {host} is not trusted: it was issued by an authority that is not trusted \
                 (issued by \"CN={authority}\" for \"localhost\", \"127.0.0.1\", valid …"
            ),
            &NETWORK[3..],
        ),
        path(
            "307",
            "✗ the token endpoint answered 307 with a redirect to \"https://elsewhere.example/o/token/\", which is never followed: set \
             spec.tokenURL to the token endpoint itself (a slash at its end matters)",
        ),
        path(
            "404",
            "✗ the token endpoint answered 404: correct the path in spec.tokenURL (a slash at its end matters)",
        ),
        path(
            "403",
            "✗ the token endpoint answered 403 with a page, not JSON, so it may come from a proxy or firewall on the way: ask the provider to allow the \
             egress IP addresses of this cluster and to permit this client to request tokens",
        ),
        path(
            "200",
            "✗ the token endpoint answered 200 with neither a JSON object nor a form: check that spec.tokenURL is an OAuth 2 token \
             endpoint, and ask the provider if it is",
        ),
        path(
            "503",
            "✗ the token endpoint answered 503: wait, and look at the provider's status page if it lasts",
        ),
        path(
            "500",
            "! the token endpoint answered 500 to a question without client and secret, which may be the reason",
        ),
    ]
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

#[test]
fn each_thing_that_is_wrong_is_said_with_its_remedy_and_what_depends_on_it_is_left_out() {
    let place = Place::new();
    let authority = Authority::new("Example Proxy");
    let provider = Provider::start(&authority.certificate(&LOCAL), answer);
    place.trust("scripted", &authority);
    place.apply(&place.source());
    let host = format!("localhost:{}", provider.address.port());
    let closed = format!("127.0.0.1:{CLOSED}");
    for Wrong {
        what,
        prepare,
        flags,
        lines,
    } in wrongs(&place.namespace, &host, &closed, "Example Proxy")
    {
        let name = format!("wrong-{what}");
        let mut credential = place.credential_at(&name, &provider.url("/token"), "scripted");
        // Its Secret has the name that the message shows.
        credential["metadata"]["name"] = json!(what);
        prepare(&place, &mut credential);
        credential["metadata"]["name"] = json!(name);
        place.apply(&credential);
        let (code, output, errors) = place.check_as(
            &place.kubeconfig,
            &name,
            &flags,
            &[("RES_OPTIONS", "timeout:1 attempts:1")],
        );
        let absent = format!(
            "✗ Secret \"{name}-token\" does not exist: the operator writes it with the first token; if nothing else is wrong here, \
             check that it runs"
        );
        let no_pod = format!("- no pod uses Secret \"{name}-token\"");
        let before = [FROM_HERE.to_owned(), NOT_LOOKED_AT.to_owned()];
        let expected = [before.to_vec(), lines, vec![absent, no_pod]].concat();
        let output = untimed(&output);
        let found: Vec<_> = output
            .lines()
            .filter(|line| line.starts_with(['✗', '!', '-']))
            .collect();
        assert_eq!(found, expected, "{what}");
        let faults = found.iter().filter(|line| line.starts_with('✗')).count();
        assert_eq!(
            (code, errors),
            (
                Some(1),
                format!("cube-operator: {faults} of the checks above failed\n")
            ),
            "{what}"
        );
    }
    for request in provider.requests() {
        assert_eq!(request.body, "grant_type=cube-operator-check");
    }
    // One for each path that was asked; those that shared a URL asked again in a run of their own.
    assert_eq!(
        provider
            .requests()
            .iter()
            .filter(|request| request.target == "/307")
            .count(),
        1
    );
}

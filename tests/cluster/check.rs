//! `cube-operator check NAME`: every step of a healthy credential, and each thing that can be wrong, in its whole words.

use std::{net::ToSocketAddrs, path::Path};

use cube_operator::api::CubeCredentialStatus;
use serde_json::{Value, json};

use crate::{
    commands::{Ended, run},
    consumers::{by_sub_path, in_variable, in_volume, stale},
    environment::{TokenServer, directory},
    login::{Login, STATE},
    operator::eventually,
    place::{Place, is},
    scripted::CLOSED,
};

pub(crate) const LOOPBACK: &str = "--allow-network=127.0.0.0/8,::1/128";
pub(crate) const FROM_HERE: &str = "- the network is looked at from this machine, with the flags given here; the operator may have another way \
                         and other flags: run this in its pod with kubectl exec to see what it sees";
/// What is said of a credential that no operator has looked at.
pub(crate) const NOT_LOOKED_AT: &str = "✗ the operator has not looked at it yet: check that it runs, and that it watches this namespace";

impl Place {
    /// Checks one credential with the operator's account, and with further flags.
    fn check(&self, name: &str, flags: &[&str]) -> Ended {
        self.check_as(&self.kubeconfig, name, &[&[LOOPBACK], flags].concat(), &[])
    }

    pub(crate) fn check_as(
        &self,
        kubeconfig: &str,
        name: &str,
        flags: &[&str],
        environment: &[(&str, &str)],
    ) -> Ended {
        let arguments = [&["check", "--namespace", &self.namespace, name], flags].concat();
        run(kubeconfig, &arguments, environment)
    }

    /// The lines with one of these marks.
    fn marked(&self, marks: &[char], name: &str, flags: &[&str]) -> Vec<String> {
        let (_, output, _) = self.check(name, flags);
        let lines = output.lines().filter(|line| line.starts_with(marks));
        lines.map(str::to_owned).collect()
    }
}

/// Without the times of a certificate.
pub(crate) fn untimed(output: &str) -> String {
    let lines = output
        .lines()
        .map(|line| match line.split_once(", valid from ") {
            Some((start, _)) => format!("{start}, valid …\n"),
            None => format!("{line}\n"),
        });
    lines.collect()
}

/// The addresses of `localhost`, as they are shown.
fn localhost() -> String {
    let mut addresses: Vec<_> = ("localhost", 0)
        .to_socket_addrs()
        .unwrap()
        .map(|address| address.ip().to_string())
        .collect();
    addresses.dedup();
    addresses.join(", ")
}

fn authority_of(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    format!("{}:{}", url.host_str().unwrap(), url.port().unwrap())
}

/// The findings about conditions, target and token endpoint of a healthy `main`, as far as they are the same for both grants.
fn healthy(place: &Place, status: &CubeCredentialStatus, between: &str) -> String {
    let (url, host) = (
        &place.server.token_url,
        authority_of(&place.server.token_url),
    );
    let port = host.rsplit(':').next().unwrap();
    let time = |time: Option<jiff::Timestamp>| time.unwrap().to_string();
    let (issued, expires, next) = (
        time(status.issued_at),
        time(status.expires_at),
        time(status.refresh_at),
    );
    let grant = if between.contains(STATE) {
        "RefreshToken"
    } else {
        "ClientCredentials"
    };
    format!(
        "{FROM_HERE}\n\
         \n\
         CubeCredential {}/main\n\
         ✓ the spec asks {url} for a token, grant {grant}\n\
         ✓ Ready: Secret \"main-token\" holds a token that expires at {expires}\n\
         ✓ Refreshed: a token was issued at {issued}; the next one is requested at {next}\n\
         ✓ Secret \"client\" has the label, and well-formed \"client-id\" and \"client-secret\"\n\
         {between}\
         ✓ ConfigMap \"authority\" has certificates in \"ca.crt\": 1\n\
         ✓ no list of hosts forbids {host}\n\
         ✓ localhost has the address {}\n\
         ✓ 127.0.0.1:{port} accepts connections\n\
         ✓ TLS 1.3, with a certificate that is trusted: issued by \"CN=cube-operator test CA\" for \"localhost\", \
         \"token-server.test\", \"127.0.0.1\", valid …\n\
         ✓ the token endpoint answered 400 unsupported_grant_type to a question without client and secret, as token endpoints do\n\
         ✓ Secret \"main-token\" holds a token that expires at {expires}\n",
        place.namespace,
        localhost()
    )
}

#[test]
fn a_healthy_credential_is_explained_step_by_step_and_its_endpoint_is_asked_once() {
    let server: &'static TokenServer = Box::leak(Box::new(TokenServer::start(3600)));
    let place = Place::at(crate::environment::ControlPlane::shared(), server);
    let _operator = place.operator();
    let status = place.ready_main();
    place.apply_pod("reader", &in_volume());
    let (code, output, errors) = place.check("main", &[]);
    let reader = "✓ pod \"reader\" sees each refresh of Secret \"main-token\", in volume \"/token\" of container \"app\"\n";
    assert_eq!(untimed(&output), healthy(&place, &status, "") + reader);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert_eq!(
        (server.questions(), place.exchanges()),
        (vec![400], vec![200])
    );

    // All of them, with one question more for the endpoint that they share.
    place.apply(&place.credential("second"));
    place.wait_for("second", "Ready", |status| {
        is(
            status,
            cube_operator::api::ConditionType::Ready,
            "True",
            "Synced",
        )
    });
    let (code, output, errors) = run(
        &place.kubeconfig,
        &["check", "--namespace", &place.namespace, LOOPBACK],
        &[],
    );
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{output}");
    let of = |name: &str| {
        output
            .matches(&format!("CubeCredential {}/{name}\n", place.namespace))
            .count()
    };
    assert_eq!((of("main"), of("second")), (1, 1), "{output}");
    assert!(
        output.contains("- no pod uses Secret \"second-token\"\n"),
        "{output}"
    );
    assert!(output.starts_with("✓ the API server answers\n"), "{output}");
    assert_eq!(server.questions(), [400, 400]);
    assert_eq!(place.exchanges(), [200, 200]);
}

#[test]
fn a_login_is_explained_and_its_refresh_token_is_not_spent() {
    let login = Login::with(&["--lifetime", "3600"]);
    let operator = login.operator();
    let seed = login.begin();
    let status = login.status("main");
    let between = format!(
        "✓ Secret \"seed\" has the label, and a well-formed \"refresh-token\"\n\
         ✓ Secret \"{STATE}\" holds the refresh token of the provider's answer 1\n"
    );
    let expected = healthy(&login, &status, &between) + "- no pod uses Secret \"main-token\"\n";
    let before = login.state();
    let (code, output, errors) = login.check("main", &[]);
    assert_eq!(untimed(&output), expected);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert_eq!(login.state(), before);
    assert_eq!(login.server.questions(), [400]);
    login.assert_unbroken(&seed, 1);
    login.refresh("after the check");
    login.assert_unbroken(&seed, 2);

    // The provider revokes it.
    login.server.revoke(&login.state().refresh_token);
    login.request("revoked");
    let refused = login.wait_until_refused("RefreshTokenRejected");
    let (told, refreshes) = (told(&refused), login.refreshes().len());
    let faults = login.marked(&['✗'], "main", &[]);
    assert_eq!(faults, [format!("✗ {told}")]);
    drop(operator);

    // What a crash leaves, what an edit leaves, and what somebody else has written.
    let mut record = before.record.clone();
    record["inDoubt"] = json!(true);
    let record = json!({"stringData": {"record": record.to_string()}});
    login.patch("secret", STATE, &record);
    let about_state = |marks| {
        let lines = login.marked(marks, "main", &[]).into_iter();
        lines
            .filter(|line| line.contains(STATE))
            .collect::<Vec<_>>()
    };
    let doubt = format!(
        "! the refresh token in Secret \"{STATE}\" was sent, and its answer was lost: the operator sends it again to find out \
         what became of it"
    );
    assert_eq!(about_state(&['!']), [doubt]);
    login.patch(
        "secret",
        STATE,
        &json!({"stringData": {"record": "edited"}}),
    );
    let edited = format!(
        "✗ Secret \"{STATE}\", where the refresh token is kept, was edited and cannot be read any more, so nothing is sent: restore \
         it, or delete it and sign in again; it is looked at again every minute"
    );
    assert_eq!(about_state(&['✗']), [edited]);
    let owner = json!({"metadata": {"annotations": {"cube-operator.dev/owner-name": "somebody"}}});
    login.patch("secret", STATE, &owner);
    let foreign = format!(
        "✗ Secret \"{STATE}\", where the refresh token is to be kept, exists and does not belong to this CubeCredential, so it is left \
         alone and nothing is sent: delete it, or give this CubeCredential another name; it is looked at again every minute"
    );
    assert_eq!(about_state(&['✗']), [foreign]);
    assert_eq!(login.refreshes().len(), refreshes, "nothing was sent");
}

/// What the conditions say of a dead token, with a live one still published.
fn told(status: &CubeCredentialStatus) -> String {
    let refreshed = status
        .condition(cube_operator::api::ConditionType::Refreshed)
        .unwrap();
    refreshed.message.clone()
}

/// The steps that are not made after a failed one.
pub(crate) fn unseen(steps: &[&str]) -> Vec<String> {
    steps
        .iter()
        .map(|step| format!("- {step} was not looked at"))
        .collect()
}

pub(crate) const NETWORK: [&str; 4] = [
    "the address",
    "the connection",
    "the certificate",
    "the answer of the token endpoint",
];

#[test]
fn a_target_that_belongs_to_somebody_else_is_named() {
    let place = Place::new();
    place.apply(&place.source());
    place.apply(&json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "main-token"}, "stringData": {"a": "b"}}));
    place.apply(&place.credential("main"));
    let foreign = "✗ Secret \"main-token\" exists and does not belong to this CubeCredential, so it is left alone: delete it, or set \
                   spec.target.name to another name; it is looked at again every minute";
    assert_eq!(place.marked(&['✗'], "main", &[]), [NOT_LOOKED_AT, foreign]);

    // Names of one age are ordered.
    let mut younger = place.credential("younger");
    younger["spec"]["target"] = json!({"name": "main-token"});
    place.apply(&younger);
    let duplicate = "✗ CubeCredential \"main\" is older and has the same target Secret \"main-token\": set spec.target.name of one of \
                     the two to another name; it is looked at again when one of them changes, and every minute";
    assert_eq!(
        place.marked(&['✗'], "younger", &[]),
        [NOT_LOOKED_AT, duplicate]
    );
    let user = format!("system:serviceaccount:{}:cube-operator", place.namespace);
    let given = place
        .plane
        .kinds_of_secret_given_to(&user, &place.namespace, "main-token");
    assert_eq!(
        given, ["PartialObjectMetadata"; 2],
        "a foreign Secret is not read"
    );
}

#[test]
fn consumers_that_never_see_a_refresh_are_noticed() {
    let place = Place::new();
    let _operator = place.operator();
    place.ready_main();
    for (name, container) in [("sub-path", by_sub_path()), ("variable", in_variable())] {
        place.apply_pod(name, &container);
    }
    let expected = [
        format!("! {}", stale("\"sub-path\"", "subPath mount \"/token\"")),
        format!(
            "! {}",
            stale("\"variable\"", "environment variable \"TOKEN\"")
        ),
    ];
    assert_eq!(place.marked(&['✗', '!'], "main", &[]), expected);
    assert_eq!(place.check("main", &[]).0, Some(0), "it works");
    let off = place.marked(&['✗', '!', '-'], "main", &["--warn-consumers=false"]);
    assert_eq!(
        off,
        [
            FROM_HERE,
            "- pods were not looked at, as --warn-consumers is false"
        ]
    );
}

#[test]
fn who_lacks_a_right_is_told_which_and_hears_no_false_alarm() {
    let place = Place::new();
    let _operator = place.operator();
    place.ready_main();
    let viewer = viewer(&place);
    let (code, output, errors) = place.check_as(&viewer, "main", &[LOOPBACK], &[]);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{output}");
    let user = format!("system:serviceaccount:{}:viewer", place.namespace);
    let forbidden = |verb: &str, object: &str, named: &str, resource: &str, right: &str| {
        let namespace = &place.namespace;
        format!(
            "- cannot {verb} {object}: {named} is forbidden: User \"{user}\" cannot {right} resource \"{resource}\" in API group \"\" \
             in the namespace \"{namespace}\" (403 Forbidden): ask for that right, or run this in the operator's pod"
        )
    };
    let secret = |name: &str| {
        let object = format!("Secret {}/{name}", place.namespace);
        forbidden(
            "get the metadata of",
            &object,
            &format!("secrets \"{name}\""),
            "secrets",
            "get",
        )
    };
    let bundle = format!("ConfigMap {}/authority", place.namespace);
    let pods = format!("pods of namespace {}", place.namespace);
    let host = authority_of(&place.server.token_url);
    let found: Vec<_> = output
        .lines()
        .filter(|line| line.starts_with(['✗', '!', '-']))
        .collect();
    let expected = [
        vec![
            FROM_HERE.to_owned(),
            secret("client"),
            forbidden(
                "get",
                &bundle,
                "configmaps \"authority\"",
                "configmaps",
                "get",
            ),
            format!("- whether the owner of Secret \"client\" permits {host} is not known"),
        ],
        unseen(&NETWORK),
        vec![
            secret("main-token"),
            forbidden("list", &pods, "pods", "pods", "list"),
        ],
    ];
    assert_eq!(found, expected.concat());
}

/// The kubeconfig of somebody who may see `CubeCredentials`, and nothing else.
fn viewer(place: &Place) -> String {
    place.kubectl(&["create", "serviceaccount", "viewer"]);
    let rights = [
        "--verb=get,list",
        "--resource=cubecredentials.cube-operator.dev",
    ];
    place.kubectl(&[&["create", "role", "viewer"], &rights[..]].concat());
    let subject = format!("--serviceaccount={}:viewer", place.namespace);
    place.kubectl(&["create", "rolebinding", "viewer", "--role=viewer", &subject]);
    let token = place.kubectl(&["create", "token", "viewer"]);
    let mut config: Value =
        serde_json::from_str(&std::fs::read_to_string(&place.kubeconfig).unwrap()).unwrap();
    config["users"][0]["user"]["token"] = json!(token.trim());
    let path = directory("viewer").join("config");
    std::fs::write(&path, config.to_string()).unwrap();
    let path = Path::new(&path).to_str().unwrap().to_owned();
    eventually("the role is in force", || {
        (!place.check_as(&path, "main", &[], &[]).1.is_empty()).then_some(())
    });
    path
}

#[test]
fn a_proxy_is_named_without_its_password() {
    let place = Place::new();
    place.apply(&place.source());
    place.apply(&place.credential("main"));
    let closed = format!("127.0.0.1:{CLOSED}");
    let proxy = format!("http://planted-user:planted-password@{closed}");
    let (_, output, _) = place.check_as(
        &place.kubeconfig,
        "main",
        &[LOOPBACK],
        &[("HTTPS_PROXY", &proxy)],
    );
    let looked_up =
        format!("- localhost is looked up by the proxy {closed}, which the environment names\n");
    let refused = format!(
        "✗ the proxy {closed} could not be reached: the connection was refused: check HTTPS_PROXY, and network policies and firewall on \
         the way to it\n"
    );
    assert!(output.contains(&(looked_up + &refused)), "{output}");
    assert!(!output.contains("planted"), "{output}");
    let around = [("HTTPS_PROXY", proxy.as_str()), ("NO_PROXY", "localhost")];
    let (_, output, _) = place.check_as(&place.kubeconfig, "main", &[LOOPBACK], &around);
    assert!(
        output.contains("answered 400 unsupported_grant_type"),
        "{output}"
    );
}

#[test]
fn it_says_once_where_it_looks_from_and_which_namespaces_are_watched() {
    let place = Place::new();
    place.apply(&place.credential("main"));
    let inside = [
        ("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
        ("CUBE_OPERATOR_NAMESPACES", "team-a,team-b"),
    ];
    let (_, output, _) = place.check_as(&place.kubeconfig, "main", &[LOOPBACK], &inside);
    let namespace = &place.namespace;
    let start = format!(
        "- the network is looked at from inside this pod, with the flags of its environment\n\nCubeCredential {namespace}/main\n\
         ✗ the operator watches other namespaces only (team-a, team-b): add {namespace} to watchNamespaces\n"
    );
    assert!(output.starts_with(&start), "{output}");
    assert_eq!(output.matches("looked at from").count(), 1);
}

#[test]
fn an_unknown_name_and_a_wrong_argument_are_one_line() {
    let place = Place::new();
    let unknown = |has: &str| {
        let line = format!(
            "cube-operator: there is no CubeCredential \"other\" in namespace {}: {has}\n",
            place.namespace
        );
        (Some(1), String::new(), line)
    };
    let none = unknown("it has none, so name another one with --namespace");
    assert_eq!(place.check("other", &[]), none);
    // The namespace of the kubeconfig, as kubectl does it.
    assert_eq!(run(&place.kubeconfig, &["check", "other"], &[]), none);
    for name in ["main", "another"] {
        place.apply(&place.credential(name));
    }
    assert_eq!(place.check("other", &[]), unknown("it has another, main"));
    for (arguments, line) in [
        (&["check", "a", "b"][..], "unexpected argument 'b' found"),
        (
            &["check", "--namespace", "A"],
            "invalid value 'A' for '--namespace <NAMESPACE>': a namespace has 1 to 63 lower-case letters, digits and '-'",
        ),
    ] {
        let expected = (Some(2), String::new(), format!("cube-operator: {line}\n"));
        assert_eq!(run(&place.kubeconfig, arguments, &[]), expected);
    }
}

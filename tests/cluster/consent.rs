//! What the owner of a Secret permits, against an author who may write `CubeCredentials` and not read that Secret.

use std::fs;

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    check::LOOPBACK,
    environment::directory,
    operator::eventually,
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};

fn issue(_: &Request) -> Reply {
    Reply::json(200, r#"{"access_token":"planted","expires_in":3600}"#)
}

impl Place {
    /// A client whose owner has written these annotations.
    fn owned_client(&self, annotations: &Value) {
        let mut source = self.source();
        source["metadata"]["annotations"] = annotations.clone();
        self.apply(&source);
    }

    fn refused(&self, name: &str) -> String {
        let status = self.wait_for(name, "HostNotAllowed", |status| {
            is(status, Refreshed, "False", "HostNotAllowed")
        });
        status.condition(Refreshed).unwrap().message.clone()
    }

    fn synced(&self, name: &str) {
        self.wait_for(name, "Ready", |status| {
            is(status, Ready, "True", "Synced") && is(status, Refreshed, "True", "TokenIssued")
        });
    }

    /// The owner runs the command in the message.
    fn obey(&self, message: &str) {
        let command = message.split('`').nth(1).expect("a command");
        let arguments: Vec<_> = command.split(' ').skip(1).collect();
        self.plane.kubectl(&arguments);
    }
}

/// An impostor answers under a name that the owner permits, with a certificate of the author's own CA.
#[test]
fn an_author_cannot_prove_a_permitted_host_with_a_ca_that_the_owner_does_not_name() {
    let by_the_owner = json!({"cube-operator.dev/token-hosts": "localhost"});
    let by_the_installer = json!({});
    for (annotations, flags) in [
        (by_the_owner, &[][..]),
        (by_the_installer, &["--allowed-token-hosts", "localhost"]),
    ] {
        let place = Place::new();
        let authors = Authority::new("the author's");
        let impostor = Provider::start(&authors.certificate(&LOCAL), issue);
        place.trust("mine", &authors);
        let _operator = place.operator_with(flags, &[]);
        place.owned_client(&annotations);
        place.apply(&place.credential_at("main", &impostor.url("/token"), "mine"));
        let message = place.refused("main");
        let cause = "Secret \"client\" does not allow the CAs of ConfigMap \"mine\"";
        assert!(message.starts_with(cause), "{message}");
        assert_eq!(impostor.connections(), 0);

        // It is no impostor after all, and the owner says so.
        place.obey(&message);
        place.synced("main");
        assert_eq!(impostor.requests().len(), 1);
    }
}

#[test]
fn the_installers_own_roots_count_without_the_owners_word() {
    let place = Place::new();
    let installers = Authority::new("the installer's");
    let provider = Provider::start(&installers.certificate(&LOCAL), issue);
    let roots = directory("roots").join("roots.pem");
    fs::write(&roots, installers.pem()).unwrap();
    let _operator = place.operator_with(&[], &[("SSL_CERT_FILE", roots.to_str().unwrap())]);
    place.owned_client(&json!({"cube-operator.dev/token-hosts": "localhost"}));
    let mut credential = place.credential_at("main", &provider.url("/token"), "none");
    credential["spec"]["caBundleRef"] = Value::Null;
    place.apply(&credential);
    place.synced("main");
}

#[test]
fn a_secret_that_names_no_hosts_is_warned_of_once_and_refused_where_hosts_are_required() {
    let place = Place::new();
    let operator = place.operator();
    place.ready_main();
    place.request("once more");
    eventually("two exchanges", || {
        (place.exchanges().len() == 2).then_some(())
    });
    place.synced("main");
    let warned = || place.event_count("main", "TokenHostsMissing");
    eventually("it is told", || (warned() == 1).then_some(()));
    drop(operator);

    let required = ["--require-token-hosts", "true"];
    let (_, output, _) = place.check_as(
        &place.kubeconfig,
        "main",
        &[LOOPBACK, "--require-token-hosts=true"],
        &[],
    );
    let fault = "\n\u{2717} Secret \"client\" names no hosts, which is required: its owner can run `kubectl annotate secret \
                 client ";
    assert!(output.contains(fault), "{output}");
    let _operator = place.operator_with(&required, &[]);
    place.request("again");
    let message = place.refused("main");
    assert_eq!(place.exchanges().len(), 2, "nothing was sent");
    let ca = json!({"cube-operator.dev/token-ca": "ConfigMap/authority"});
    place.patch(
        "secret",
        "client",
        &json!({"metadata": {"annotations": ca}}),
    );
    place.obey(&message);
    eventually("it is sent", || {
        (place.exchanges().len() == 3).then_some(())
    });
    place.synced("main");
    assert_eq!(warned(), 1);
}

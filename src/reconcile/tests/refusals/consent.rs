//! Hosts and CA bundles that the installer or the owner of a Secret does not permit.

use super::*;

#[test]
fn a_host_that_the_owner_of_the_source_does_not_permit() {
    assert_source_refused(
        |source| source.token_hosts = Some("api.example.com".into()),
        "HostNotAllowed",
        "Secret \"cubewire-client\" must not be sent to api.cubewire.com: correct spec.tokenURL, or ask its owner to add that \
         host to annotation cube-operator.dev/token-hosts",
    );
    assert_source_refused(
        |source| source.token_hosts = Some("api.cubewire.com, *.example.com".into()),
        "HostNotAllowed",
        "annotation cube-operator.dev/token-hosts of Secret \"cubewire-client\" has an invalid entry: its owner must write \
         host or host:port, separated by commas",
    );
    assert_source_refused(
        |source| source.token_hosts = Some(String::new()),
        "HostNotAllowed",
        "Secret \"cubewire-client\" must not be sent to api.cubewire.com: correct spec.tokenURL, or ask its owner to add that \
         host to annotation cube-operator.dev/token-hosts",
    );
}

#[test]
fn a_ca_bundle_that_the_owner_of_a_limited_secret_does_not_permit() {
    let message = |secret: &str| {
        format!(
            "Secret {secret:?} does not allow the CAs of ConfigMap \"roots\": its owner can run `kubectl annotate secret \
             {secret} -n treasury cube-operator.dev/token-ca=ConfigMap/roots`"
        )
    };
    let list = || Some(HostList::parse("api.cubewire.com,api.cubesoftware.com").unwrap());
    for entries in [
        None,
        Some(""),
        Some("ConfigMap/other,Secret/roots,roots,ConfigMap/roots2"),
    ] {
        // The list is the owner's own, or the installer's.
        for (own, installers) in [(Some("api.cubewire.com"), None), (None, list())] {
            assert_refused(
                |world| {
                    trust_roots(world);
                    world.allowed_hosts.clone_from(&installers);
                    let source = world.source.as_mut().unwrap();
                    source.token_hosts = own.map(Into::into);
                    source.token_ca = entries.map(Into::into);
                },
                "HostNotAllowed",
                &message("cubewire-client"),
            );
        }
    }
    // The owner of the seed speaks for it, as long as it is there.
    let mut world = World::signed_in();
    trust_roots(&mut world);
    world.seed.as_mut().unwrap().token_ca = None;
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.message(ConditionType::Refreshed), message("seed"));
    world.seed.as_mut().unwrap().token_ca = Some("ConfigMap/x, ConfigMap/roots".into());
    world.pass(seconds(60));
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    world.seed = None;
    world.edit_spec(|spec| spec.parameters = [("audience".into(), "x".into())].into());
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    // Then the owner of the client speaks for both, although only the seed was limited.
    world.edit_source(|source| (source.token_hosts, source.token_ca) = (None, None));
    world.edit_spec(|spec| spec.parameters = [("audience".into(), "y".into())].into());
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.message(ConditionType::Refreshed), message("client"));
}

#[test]
fn the_owner_of_a_deleted_seed_has_not_permitted_a_later_ca_bundle() {
    let mut world = World::signed_in();
    world.seed.as_mut().unwrap().token_ca = None;
    world.settle();
    world.seed = None;
    trust_roots(&mut world);
    world.edit_spec(|_| {});
    world.request = Some("another".into());
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(
        world.message(ConditionType::Refreshed),
        "Secret \"seed\" does not allow the CAs of ConfigMap \"roots\": create it again with annotation \
         cube-operator.dev/token-ca=ConfigMap/roots"
    );
    // An earlier version did not record it: the owner of the client alone speaks for it.
    world.edit_record(|record| {
        assert!(record.as_object_mut().unwrap().remove("tokenCa").is_some());
    });
    world.request = Some("yet another".into());
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
}

#[test]
fn a_ca_bundle_counts_where_no_list_of_hosts_applies() {
    let mut world = World::new();
    trust_roots(&mut world);
    let source = world.source.as_mut().unwrap();
    (source.token_hosts, source.token_ca) = (None, None);
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
}

fn trust_roots(world: &mut World) {
    world.spec.ca_bundle_ref = Some(ca_bundle_ref());
    world.put_ca_bundle(bundle(0));
}

#[test]
fn a_secret_that_names_no_hosts_where_they_are_required() {
    let message = |secret: &str, host: &str| {
        format!(
            "Secret {secret:?} names no hosts, which is required: its owner can run `kubectl annotate secret {secret} -n \
             treasury cube-operator.dev/token-hosts={host}`"
        )
    };
    assert_refused(
        |world| {
            world.token_hosts_required = true;
            world.source.as_mut().unwrap().token_hosts = None;
        },
        "HostNotAllowed",
        &message("cubewire-client", "api.cubewire.com"),
    );
    let mut world = World::signed_in();
    world.token_hosts_required = true;
    world.seed.as_mut().unwrap().token_hosts = None;
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(
        world.message(ConditionType::Refreshed),
        message("seed", "api.cubesoftware.com")
    );
}

#[test]
fn a_host_that_the_installer_does_not_permit() {
    let list = || Some(HostList::parse("api.example.com").unwrap());
    assert_refused(
        |world| world.allowed_hosts = list(),
        "HostNotAllowed",
        "the operator must not send credentials to api.cubewire.com: correct spec.tokenURL, or ask the installer to add the \
         host to --allowed-token-hosts",
    );
    // It does not come and go with the reads that a spec edit takes.
    let mut world = World::ready();
    world.allowed_hosts = list();
    world.edit_spec(|_| {});
    world.settle();
    assert_eq!(world.refreshed_is().1, "HostNotAllowed");
    assert_eq!(world.take_events().len(), 1);
}

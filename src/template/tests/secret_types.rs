//! The data that the types of Kubernetes demand of a target.

use super::*;

fn check(of: SecretType, data: &[(&str, &str)]) -> Result<(), String> {
    let data: BTreeMap<_, _> = data
        .iter()
        .map(|(key, text)| ((*key).to_owned(), SecretString::from(*text)))
        .collect();
    of.check(&data).map_err(|error| error.to_string())
}

#[test]
fn each_type_has_its_keys() {
    for (of, keys) in [
        (SecretType::BasicAuth, vec!["username"]),
        (SecretType::BasicAuth, vec!["password"]),
        (SecretType::SshAuth, vec!["ssh-privatekey"]),
        (SecretType::Tls, vec!["tls.crt", "tls.key"]),
    ] {
        let mut data: Vec<_> = keys.iter().map(|key| (*key, "x")).collect();
        data.push(("other", ""));
        assert_eq!(check(of, &data), Ok(()), "{of:?} {keys:?}");
        data.remove(0);
        let error = check(of, &data).unwrap_err();
        assert!(
            error.contains(of.name()) && error.contains(keys[0]),
            "{error}"
        );
    }
}

#[test]
fn the_credentials_of_registries_are_json() {
    use SecretType::{DockerCfg, DockerConfigJson};
    let (json, cfg) = (".dockerconfigjson", ".dockercfg");
    assert_eq!(
        check(DockerConfigJson, &[(json, r#"{"auths": {}}"#)]),
        Ok(())
    );
    assert_eq!(check(DockerCfg, &[(cfg, "{}")]), Ok(()));
    for (of, key, text) in [
        (DockerConfigJson, json, "{}"),
        (DockerConfigJson, json, r#"{"auths": []}"#),
        (DockerConfigJson, json, r#"{"auths": {}"#),
        (DockerConfigJson, json, r#"["auths"]"#),
        (DockerCfg, cfg, "[]"),
        (DockerCfg, cfg, ""),
    ] {
        let error = check(of, &[(key, text)]).unwrap_err();
        assert!(error.contains(key) && error.contains("JSON"), "{error}");
    }
    assert_eq!(
        check(DockerConfigJson, &[("other", "")]).unwrap_err(),
        r#"template ".dockerconfigjson": a Secret of type kubernetes.io/dockerconfigjson has key .dockerconfigjson"#
    );
}

#[test]
fn a_private_key_is_not_empty() {
    let error = check(SecretType::SshAuth, &[("ssh-privatekey", "")]).unwrap_err();
    assert!(error.contains("has a private key here"), "{error}");
}

#[test]
fn the_types_of_the_cluster_itself_are_not_known() {
    for name in SecretType::ALL.map(SecretType::name) {
        assert_eq!(SecretType::named(name).map(SecretType::name), Some(name));
    }
    for name in [
        "Opaque",
        "kubernetes.io/service-account-token",
        "bootstrap.kubernetes.io/token",
        "kubernetes.io/anything",
    ] {
        assert_eq!(SecretType::named(name), None, "{name}");
    }
}

//! The files of `KUBECONFIG`, and the proxy before the API server.

use std::fs;

use serde_json::{Value, json};

use super::{cube_in, ended, person::Person};
use crate::{
    commands::Ended,
    environment::directory,
    place::Place,
    tunnel::{OPEN, Proxy},
};

const PASSWORD: &str = "pl4nted";

fn status(environment: &[(&str, &str)]) -> Ended {
    ended(cube_in(environment, &["status"]))
}

#[test]
fn a_file_that_does_not_exist_is_skipped_unless_none_does() {
    let place = Place::new();
    place.apply(&place.credential("main"));
    let person = Person::with_a_view(&place);
    let files = format!("/nonexistent/first:{}", person.kubeconfig);
    let (code, table, errors) = status(&[("KUBECONFIG", &files)]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(table.contains("main"), "{table}");
    let (code, _, errors) = status(&[("KUBECONFIG", "/nonexistent/first:/nonexistent/second")]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("/nonexistent/first"), "{errors}");
}

/// The person's kubeconfig, whose cluster has this proxy.
fn proxied(person: &Person, proxy: &str) -> String {
    let config = fs::read_to_string(&person.kubeconfig).unwrap();
    let mut config: Value = serde_json::from_str(&config).unwrap();
    config["clusters"][0]["cluster"]["proxy-url"] = json!(proxy);
    let path = directory("proxied").join("config");
    fs::write(&path, config.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn server(person: &Person) -> String {
    let config = fs::read_to_string(&person.kubeconfig).unwrap();
    let config: Value = serde_json::from_str(&config).unwrap();
    let server = config["clusters"][0]["cluster"]["server"].as_str().unwrap();
    server.trim_start_matches("https://").to_owned()
}

#[test]
fn the_proxy_of_the_kubeconfig_is_used_and_that_of_the_environment_not_for_this_machine() {
    let place = Place::new();
    place.apply(&place.credential("main"));
    let person = Person::with_a_view(&place);
    let server = server(&person);
    let proxy = Proxy::start(OPEN, server.parse().unwrap());
    let of_environment = format!("http://alice:{PASSWORD}@{}", proxy.address);
    let kubeconfig = ("KUBECONFIG", person.kubeconfig.as_str());
    let (code, _, errors) = status(&[kubeconfig, ("HTTPS_PROXY", &of_environment)]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert_eq!(proxy.heads(), [""; 0]);

    let file = proxied(&person, &of_environment);
    let (code, table, errors) = status(&[("KUBECONFIG", &file)]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(table.contains("main"), "{table}");
    let heads = proxy.heads();
    assert!(
        heads[0].starts_with(&format!("CONNECT {server} ")),
        "{heads:?}"
    );

    let file = proxied(&person, &format!("ftp://alice:{PASSWORD}@proxy.corp"));
    let (code, output, errors) = status(&[("KUBECONFIG", &file)]);
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert!(
        errors.contains("the proxy before the API server cannot be used"),
        "{errors}"
    );
    assert!(!errors.contains(PASSWORD), "{errors}");
}

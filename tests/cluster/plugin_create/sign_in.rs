//! A grant that needs a person: `create` continues with the sign-in.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::Command,
};

use serde_json::json;
use url::Url;

use super::{Scene, last_line, start};
use crate::{
    operator::{eventually, get},
    place::CLIENT_SECRET,
    scripted::{Authority, LOCAL, Provider, Reply},
};

const REFRESH_TOKEN: &str = "Planted-refresh-token-5c0d";

#[test]
fn a_person_creates_signs_in_and_has_a_token() {
    let scene = Scene::new();
    let place = &scene.place;
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| {
        let body = json!({
            "access_token": "a", "token_type": "Bearer", "expires_in": 3600, "refresh_token": REFRESH_TOKEN,
        });
        Reply::json(200, body.to_string())
    });
    place.trust("scripted", &authority);
    let _operator = place.operator();
    let (token_url, sign_in) = (provider.url("/token"), provider.url("/authorize"));
    let arguments = [
        "create",
        "main",
        "--token-url",
        &token_url,
        "--authorization-url",
        &sign_in,
        "--client-id",
        "an-id",
        "--client-secret-file",
        "-",
        "--ca-bundle",
        "ConfigMap/scripted",
        "--allow-network",
        "127.0.0.0/8,::1/128",
    ];
    let mut child = start(&scene.person.kubeconfig, &arguments);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(CLIENT_SECRET.as_bytes()).unwrap();
    drop(stdin);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let Ok(url) = Url::parse(line.trim()) else {
        panic!("{line}{:?}", child.wait_with_output());
    };
    let parameter = |name: &str| {
        let mut pairs = url.query_pairs().filter(|(found, _)| found == name);
        pairs.next().unwrap().1.into_owned()
    };
    let redirect: Url = parameter("redirect_uri").parse().unwrap();
    let address = format!("127.0.0.1:{}", redirect.port().unwrap());
    let query = format!(
        "{}?code=a-code&state={}",
        redirect.path(),
        parameter("state")
    );
    assert_eq!(get(&address, &query).0, 200);
    let status = eventually("create ends", || child.try_wait().unwrap());
    let (mut rest, mut errors) = (String::new(), String::new());
    output.read_to_string(&mut rest).unwrap();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    assert!(status.success(), "{rest}{errors}");
    assert!(rest.contains("the first refresh worked"), "{rest}");
    assert!(rest.contains("secretName: main-token"), "{rest}");
    assert_eq!(place.value("main-login", "refresh-token"), REFRESH_TOKEN);
    let spec = &place.get("cubecredential", "main").unwrap()["spec"];
    assert_eq!(spec["authorizationURL"], json!(sign_in));
    assert_eq!(spec["grant"], "RefreshToken");
    for planted in [REFRESH_TOKEN, CLIENT_SECRET] {
        assert!(!format!("{line}{rest}{errors}").contains(planted));
    }
}

/// These flags, for a person who signs in there.
fn with_sign_in(flags: Vec<String>, url: &str) -> Vec<String> {
    let sign_in = ["--authorization-url", url].map(str::to_owned);
    [flags, sign_in.to_vec()].concat()
}

#[test]
fn a_sign_in_that_ends_early_leaves_the_objects_and_says_how_to_go_on() {
    let scene = Scene::new();
    let flags = with_sign_in(scene.flags(), "https://login.example.com/o");
    let more = [
        "--login-timeout",
        "1s",
        "--allow-network",
        "127.0.0.0/8,::1/128",
    ];
    let (code, _, errors) = scene.create(&flags, &more, CLIENT_SECRET);
    assert_eq!(code, Some(1), "{errors}");
    let end = format!(
        "; CubeCredential \"main\" is created, so to sign in later run `kubectl cube login main -n {}`",
        scene.place.namespace
    );
    assert!(last_line(&errors).ends_with(&end), "{errors}");
    assert!(!scene.is_empty());
}

#[test]
fn what_a_sign_in_would_refuse_is_refused_before_anything_is_written() {
    let scene = Scene::new();
    let url = "https://login.example.com/o";
    let flags = with_sign_in(scene.flags(), url);
    scene.place.apply(&scene.place.source());
    let existing = ["--from-secret", "client"].map(str::to_owned);
    let existing = with_sign_in([scene.endpoint(), existing.to_vec()].concat(), url);
    let redirect = "http://localhost:8000/callback?a=b";
    for (flags, more, code, sentence) in [
        (
            &flags,
            &["--redirect-uri", redirect][..],
            2,
            "is not a URI without query and fragment",
        ),
        (
            &flags,
            &["--parameter", "state=x"],
            1,
            "spec.parameters has \"state\", which a sign-in sets itself",
        ),
        (
            &flags,
            &["--no-browser"],
            2,
            "--client-secret-file - reads stdin to its end",
        ),
        (&existing, &[], 2, "add --trust-host "),
    ] {
        let (ended, output, errors) = scene.create(flags, more, CLIENT_SECRET);
        assert_eq!((ended, output.as_str()), (Some(code), ""), "{errors}");
        let error = last_line(&errors);
        assert!(
            error.contains(sentence) && error.ends_with("; nothing was created"),
            "{error}"
        );
        assert!(scene.is_empty(), "{error}");
    }
}

#[test]
fn an_interrupted_sign_in_says_that_the_objects_exist() {
    let scene = Scene::new();
    let flags = with_sign_in(scene.flags(), "https://login.example.com/o");
    let flags = flags.iter().map(String::as_str);
    let network = ["--allow-network", "127.0.0.0/8,::1/128"];
    let arguments: Vec<_> = ["create", "main"]
        .into_iter()
        .chain(flags)
        .chain(network)
        .collect();
    let mut child = start(&scene.person.kubeconfig, &arguments);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(CLIENT_SECRET.as_bytes()).unwrap();
    drop(stdin);
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let process = child.id().to_string();
    let killed = Command::new("kill").args(["-INT", &process]).status();
    assert!(killed.unwrap().success());
    let status = eventually("create ends", || child.try_wait().unwrap());
    let mut errors = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut errors).unwrap();
    assert_eq!(status.code(), Some(130), "{errors}");
    let end = format!(
        "\nCubeCredential \"main\" is created, so to sign in later run `kubectl cube login main -n {}`.\nkubectl cube: interrupted\n",
        scene.place.namespace
    );
    assert!(errors.ends_with(&end), "{errors}");
    assert!(!scene.is_empty());
}

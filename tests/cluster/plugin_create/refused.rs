//! What is refused before anything is written.

use super::{Scene, last_line, run};
use crate::{
    place::{CLIENT_SECRET, Place},
    plugin_status::person::Person,
};

#[test]
fn a_missing_right_is_named_before_anything_is_written() {
    let place = Place::new();
    let person = Person::with_a_view(&place);
    let scene = Scene { place, person };
    let (code, output, errors) = scene.create(&scene.flags(), &[], CLIENT_SECRET);
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert_eq!(
        last_line(&errors),
        format!(
            "kubectl cube: you may not get, create, patch secrets in namespace {}: ask for the role edit there; nothing was created",
            scene.place.namespace
        )
    );
    assert!(scene.is_empty());
}

#[test]
fn a_flag_that_is_missing_is_named_where_nobody_can_be_asked() {
    let nowhere = "/nowhere/config";
    for (arguments, sentence) in [
        (
            &["create"][..],
            "Name is missing, and there is no terminal to ask for it: add a name",
        ),
        (
            &["create", "main"],
            "Provider is missing, and there is no terminal to ask for it: add --provider",
        ),
        (
            &["create", "main", "--provider", "Custom"],
            "Token URL is missing, and there is no terminal to ask for it: add --token-url, or --issuer to look it up",
        ),
        (
            &["create", "main", "--provider", "Cubewire"],
            "Client ID is missing, and there is no terminal to ask for it: add --client-id",
        ),
        (
            &[
                "create",
                "main",
                "--provider",
                "Cubewire",
                "--client-id",
                "a",
            ],
            "Client secret (not shown) is missing, and there is no terminal to ask for it: add --client-secret-file, or \
             --client-authentication None for a public client",
        ),
        (
            &[
                "create",
                "main",
                "--provider",
                "Custom",
                "--token-url",
                "https://a.example",
                "--grant",
                "RefreshToken",
            ],
            "Authorization URL is missing, and there is no terminal to ask for it: add --authorization-url, or --issuer to look it \
             up",
        ),
    ] {
        let expected = (
            Some(2),
            String::new(),
            format!("kubectl cube: {sentence}\n"),
        );
        assert_eq!(run(nowhere, arguments, ""), expected);
    }
}

#[test]
fn flags_that_contradict_each_other_are_refused_without_a_cluster() {
    let nowhere = "/nowhere/config";
    for (arguments, sentence) in [
        (
            &["create", "A"][..],
            "\"A\" is not a valid object name: write lower-case letters, digits, '-' and '.', with a letter or digit at both ends",
        ),
        (
            &["create", "main", "--token-url", "http://a.example"],
            "spec.tokenURL must start with https:// in lower case",
        ),
        (
            &[
                "create",
                "main",
                "--provider",
                "Cubewire",
                "--authorization-url",
                "https://a.example",
            ],
            "--authorization-url is for grant RefreshToken, and the grant is ClientCredentials: leave it out, or add --grant \
             RefreshToken",
        ),
        (
            &[
                "create",
                "main",
                "--provider",
                "Cubewire",
                "--issuer",
                "https://a.example",
            ],
            "--issuer is for provider Custom: the endpoints of Cubewire are known",
        ),
        (
            &[
                "create",
                "main",
                "--token-url",
                "https://a.example",
                "--parameter",
                "scope=a",
            ],
            "spec.parameters has \"scope\", which the operator sets itself: use the fields of the spec",
        ),
        (
            &[
                "create",
                "main",
                "--provider",
                "Cubewire",
                "--client-authentication",
                "None",
            ],
            "spec.clientAuthentication None needs grant RefreshToken, JWTBearer or TokenExchange",
        ),
    ] {
        let expected = (
            Some(2),
            String::new(),
            format!("kubectl cube: {sentence}\n"),
        );
        assert_eq!(run(nowhere, arguments, ""), expected);
    }
}

#[test]
fn what_the_api_server_refuses_is_told_before_the_secret_is_written() {
    let scene = Scene::new();
    let more = ["--scope", "a\"b"];
    let (code, output, errors) = scene.create(&scene.flags(), &more, CLIENT_SECRET);
    assert_eq!((code, output.as_str()), (Some(1), ""));
    let message = last_line(&errors);
    assert!(
        message.contains("spec.scopes[0]") && message.ends_with("; nothing was created"),
        "{message}"
    );
    assert!(scene.is_empty());
}

//! Flags of grants that are refused without a cluster.

use crate::plugin_create::run;

const NOWHERE: &str = "/nowhere/config";

const AT: [&str; 4] = ["create", "main", "--token-url", "https://a.example"];

#[test]
fn a_flag_of_another_grant_is_refused_and_a_missing_one_is_named() {
    let of = |flag: &str, of: &str, grant: &str, more: &str| {
        format!(
            "{flag} is for grant {of}, and the grant is {grant}: leave it out, or add --grant {of}{more}"
        )
    };
    let secret = "Secret with the private key is missing, and there is no terminal to ask for it: add --from-secret \
                  (docs/client-authentication.md says how the Secret is created)";
    let subject = "Subject token is missing, and there is no terminal to ask for it: add --subject-secret or --subject-service-account";
    let audience = "Audience of its token is missing, and there is no terminal to ask for it: add --subject-audience";
    let both = "spec.tokenExchange.audience and the parameter \"audience\" are both set: remove one of them";
    let client = "ClientCredentials";
    for (arguments, sentence) in [
        (
            &["--jwt-issuer", "a"][..],
            of("--jwt-issuer", "JWTBearer", client, ""),
        ),
        (
            &["--grant", "TokenExchange", "--jwt-key-id", "a"],
            of("--jwt-key-id", "JWTBearer", "TokenExchange", ""),
        ),
        (
            &["--subject-secret", "a"],
            of("--subject-secret", "TokenExchange", client, ""),
        ),
        (
            &["--subject-service-account", "a"],
            of("--subject-service-account", "TokenExchange", client, ""),
        ),
        (
            &["--audience", "a"],
            of(
                "--audience",
                "TokenExchange",
                client,
                ", or use --parameter audience=...",
            ),
        ),
        (&["--grant", "JWTBearer"], secret.into()),
        (&["--grant", "TokenExchange"], subject.into()),
        (
            &["--grant", "TokenExchange", "--subject-service-account", "a"],
            audience.into(),
        ),
        (
            &[
                "--grant",
                "TokenExchange",
                "--subject-secret",
                "a",
                "--audience",
                "a",
                "--parameter",
                "audience=a",
            ],
            both.into(),
        ),
    ] {
        let expected = (
            Some(2),
            String::new(),
            format!("kubectl cube: {sentence}\n"),
        );
        assert_eq!(run(NOWHERE, &[&AT[..], arguments].concat(), ""), expected);
    }
}

#[test]
fn a_client_that_no_secret_would_hold_and_a_value_that_is_given_twice_are_refused() {
    let unused = |flag: &str| {
        format!(
            "{flag} cannot be used with grant JWTBearer, whose client is in a Secret with a private key: leave it out, and name that \
             Secret with --from-secret"
        )
    };
    let signed = ["--grant", "JWTBearer"];
    let exchange = ["--grant", "TokenExchange", "--subject-secret", "a"];
    let thrice = ["--resource", "b", "--resource", "c", "--resource", "b"];
    let most = ["--audience", "a"].repeat(17);
    for (arguments, sentence) in [
        (
            [&signed[..], &["--client-id", "a"]].concat(),
            unused("--client-id"),
        ),
        (
            [&signed[..], &["--client-secret-file", "-"]].concat(),
            unused("--client-secret-file"),
        ),
        (
            [&exchange[..], &thrice].concat(),
            "--resource b is given twice: leave one of them out".into(),
        ),
        (
            [&exchange[..], &most].concat(),
            "--audience is given 17 times, and 16 are allowed: leave some out".into(),
        ),
    ] {
        let (code, output, errors) = run(NOWHERE, &[&AT[..], &arguments].concat(), "");
        assert_eq!((code, output.as_str()), (Some(2), ""), "{arguments:?}");
        assert_eq!(errors, format!("kubectl cube: {sentence}\n"));
    }
}

#[test]
fn a_value_that_admission_would_refuse_is_refused_in_its_flag() {
    for arguments in [
        &["--subject-audience", "a"][..],
        &["--subject-secret", "a", "--subject-service-account", "b"],
        &["--subject-secret", "A"],
        &["--subject-service-account", "A"],
        &[
            "--subject-service-account",
            "a",
            "--subject-audience",
            "https://kubernetes.default.svc",
        ],
        &["--audience", "a b"],
        &["--resource", ""],
        &["--jwt-audience", "a b"],
        &["--jwt-issuer", ""],
        &["--jwt-subject", " a"],
        &["--jwt-key-id", "ä"],
    ] {
        let (code, output, errors) = run(NOWHERE, &[&AT[..], arguments].concat(), "");
        assert_eq!((code, output.as_str()), (Some(2), ""), "{arguments:?}");
        // The flag is refused, and not its grant.
        assert!(errors.contains("error: "), "{arguments:?}: {errors}");
    }
}

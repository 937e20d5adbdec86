//! Tokens of ServiceAccounts, and subject tokens.

use super::*;

/// Tokens of a ServiceAccount that authenticate a client, or are exchanged.
pub(super) fn accounts() -> Vec<Row> {
    const AUDIENCE: &str = "https://login.example.com";
    // The second audience of the API server in `tests/environment/control_plane.py`.
    const API_AUDIENCE: &str = "https://cluster.example.com";
    vec![
        Row::preflight(
            "account-absent",
            ServiceAccountNotFound,
            &format!(
                "ServiceAccount \"absent\" not found: create it with label {LABEL} and annotation {TOKEN_HOSTS}={{host}}"
            ),
            |objects, _| objects.use_account("absent", AUDIENCE),
        ),
        Row::preflight(
            "account-unlabelled",
            ServiceAccountNotLabelled,
            &unlabelled_object("ServiceAccount \"unlabelled\""),
            |objects, _| {
                objects.use_account("unlabelled", AUDIENCE);
                objects.add_account("unlabelled", &json!({}));
            },
        ),
        Row::preflight(
            "account-audience",
            ServiceAccountTokenFailed,
            &format!(
                "no token of ServiceAccount \"audience\": audience {API_AUDIENCE:?} is one of the API server: set \
                 spec.clientAssertion.audience to the one that the provider expects"
            ),
            |objects, _| {
                objects.use_account("audience", API_AUDIENCE);
                objects.add_account("audience", &json!({"cube-operator.dev/credential": "true"}));
            },
        ),
        Row::preflight(
            "subject-account-unlabelled",
            ServiceAccountNotLabelled,
            &unlabelled_object("ServiceAccount \"unlabelled-account\""),
            |objects, _| {
                objects.exchange_token_of_account("unlabelled-account", AUDIENCE);
                objects.add_account("unlabelled-account", &json!({}));
            },
        ),
        Row::preflight(
            "subject-account-audience",
            ServiceAccountTokenFailed,
            &format!(
                "no token of ServiceAccount \"subject\": audience {API_AUDIENCE:?} is one of the API server: set \
                 spec.tokenExchange.subjectServiceAccount.audience to the one that the provider expects"
            ),
            |objects, _| {
                objects.exchange_token_of_account("subject", API_AUDIENCE);
                objects.add_account("subject", &json!({"cube-operator.dev/credential": "true"}));
            },
        ),
    ]
}

/// Subject tokens of a token exchange.
pub(super) fn subjects() -> Vec<Row> {
    vec![
        Row::preflight(
            "subject-absent",
            SubjectTokenNotFound,
            &format!(
                "Secret \"no-subject\" not found: create it with key token, label {LABEL} and annotation {TOKEN_HOSTS}={{host}}"
            ),
            |objects, _| objects.exchange_token_of("no-subject"),
        ),
        Row::preflight(
            "subject-unlabelled",
            SubjectTokenNotLabelled,
            &unlabelled_object("Secret \"unlabelled-subject\""),
            |objects, _| {
                objects.exchange_token_of("unlabelled-subject");
                objects.add_subject("unlabelled-subject", &json!({}), "good");
            },
        ),
        Row::preflight(
            "subject-line-break",
            SubjectTokenMalformed,
            &format!("key \"token\" of Secret \"echoed-subject\" has a trailing newline: {PRINTF}"),
            |objects, _| {
                objects.exchange_token_of("echoed-subject");
                let labels = json!({"cube-operator.dev/credential": "true"});
                objects.add_subject("echoed-subject", &labels, "from-echo\n");
            },
        ),
    ]
}

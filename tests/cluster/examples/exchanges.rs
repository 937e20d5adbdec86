//! What the provider of each example with a `CubeCredential` expects.

/// What the provider of an example expects.
pub(super) struct Exchange {
    pub(super) file: &'static str,
    /// Path and query of the token endpoint.
    pub(super) target: &'static str,
    pub(super) authentication: Authentication,
    /// The other fields of the form.
    pub(super) form: &'static [(&'static str, &'static str)],
}

pub(super) enum Authentication {
    Body,
    Basic,
    Assertion,
    AccountToken,
    Bearer,
    Certificate,
}
use Authentication::{AccountToken, Assertion, Basic, Bearer, Body, Certificate};

const CLIENT: (&str, &str) = ("grant_type", "client_credentials");
const BEARER: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
/// It is another one each time.
pub(super) const A_JWT: &str = "a JWT";
const REFRESH: (&str, &str) = ("grant_type", "refresh_token");

/// Client credentials at any OAuth 2 server.
const fn at_custom(file: &'static str) -> Exchange {
    Exchange {
        file,
        target: "/oauth2/token",
        authentication: Body,
        form: &[CLIENT],
    }
}

/// A row for each file with a `CubeCredential`.
pub(super) const EXCHANGES: &[Exchange] = &[
    at_custom("argo-cd.yaml"),
    Exchange {
        file: "auth0.yaml",
        target: "/oauth/token",
        authentication: Body,
        form: &[CLIENT, ("audience", "https://api.example.com/")],
    },
    at_custom("basic-auth.yaml"),
    Exchange {
        file: "cube-software.yaml",
        target: "/o/token/",
        authentication: Basic,
        form: &[
            REFRESH,
            ("refresh_token", "THE-REFRESH-TOKEN-OF-THE-SIGN-IN"),
        ],
    },
    Exchange {
        file: "cubewire.yaml",
        target: "/api/v1/oauth2/token",
        authentication: Body,
        form: &[CLIENT],
    },
    at_custom("custom.yaml"),
    Exchange {
        file: "entra-id.yaml",
        target: "/TENANT-ID/oauth2/v2.0/token",
        authentication: Body,
        form: &[CLIENT, ("scope", "https://graph.microsoft.com/.default")],
    },
    at_custom("env-file.yaml"),
    at_custom("envoy-gateway.yaml"),
    at_custom("flux-basic.yaml"),
    at_custom("flux-bearer.yaml"),
    Exchange {
        file: "google-service-account.yaml",
        target: "/token",
        authentication: Bearer,
        form: &[BEARER],
    },
    Exchange {
        file: "google.yaml",
        target: "/token",
        authentication: Body,
        form: &[REFRESH, ("refresh_token", "THE-REFRESH-TOKEN-FROM-GOOGLE")],
    },
    at_custom("header.yaml"),
    Exchange {
        file: "keycloak.yaml",
        target: "/realms/treasury/protocol/openid-connect/token",
        authentication: Body,
        form: &[CLIENT],
    },
    Exchange {
        authentication: Certificate,
        ..at_custom("mutual-tls.yaml")
    },
    at_custom("netrc.yaml"),
    Exchange {
        file: "okta.yaml",
        target: "/oauth2/default/v1/token",
        authentication: Basic,
        form: &[CLIENT, ("scope", "reports.read")],
    },
    at_custom("private-ca.yaml"),
    Exchange {
        authentication: Assertion,
        ..at_custom("private-key.yaml")
    },
    Exchange {
        file: "probe-login.yaml",
        target: "/o/token/",
        authentication: Basic,
        form: &[
            REFRESH,
            ("refresh_token", "THE-REFRESH-TOKEN-OF-ANOTHER-SIGN-IN"),
        ],
    },
    Exchange {
        file: "probe.yaml",
        target: "/api/v1/oauth2/token",
        authentication: Body,
        form: &[CLIENT],
    },
    Exchange {
        file: "provider.yaml",
        target: "/oauth2/token",
        authentication: Basic,
        form: &[
            CLIENT,
            ("audience", "https://api.example.com/"),
            ("scope", "orders.read"),
        ],
    },
    at_custom("registry.yaml"),
    Exchange {
        file: "salesforce.yaml",
        target: "/services/oauth2/token",
        authentication: Bearer,
        form: &[BEARER],
    },
    Exchange {
        file: "service-account-token.yaml",
        target: "/realms/treasury/protocol/openid-connect/token",
        authentication: AccountToken,
        form: &[CLIENT],
    },
    Exchange {
        file: "token-exchange-service-account.yaml",
        target: "/oauth2/token",
        authentication: Body,
        form: &[
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            ("subject_token", A_JWT),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("audience", "orders-api"),
        ],
    },
    Exchange {
        file: "token-exchange.yaml",
        target: "/realms/treasury/protocol/openid-connect/token",
        authentication: Body,
        form: &[
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            ("subject_token", "THE-TOKEN-THAT-IS-EXCHANGED"),
            (
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
            ("audience", "orders-api"),
        ],
    },
];

//! The provider refuses.

use cube_operator::api::Reason::{
    Forbidden, InvalidClient, InvalidGrant, InvalidRequest, InvalidScope, InvalidTarget,
    RateLimited, UnauthorizedClient, UnsupportedGrantType,
};

use super::Section;

pub(super) const REFUSED: &[Section] = &[
    Section {
        reason: InvalidClient,
        who: "the owner of the client Secret, or the provider",
        first: "check the client id and the client secret",
        act: "Before the first token: write both values again, as the provider shows them: `read -rs SECRET; \
              printf %s \"$SECRET\" | jq -Rs '{stringData: {\"client-id\": \"ID\", \"client-secret\": .}}' | kubectl patch \
              secret NAME -n NAMESPACE --patch-file=/dev/stdin`. If they are \
              right, the provider may expect the secret in the other place: the message names the current \
              `spec.clientAuthentication`. After tokens have been issued: the secret was probably rotated at the \
              provider, has expired, or the client was disabled; write the new secret, or ask the provider. With \
              `PrivateKeyJWT` the provider does not know the public key, or expects another audience or key ID \
              ([which field is which](client-authentication.md#which-field-is-which)); if the message names a clock, an \
              assertion is from another time for the provider: check the time synchronization of the nodes.",
        rows: &[
            ("described", ""),
            ("warning", "While a token is still valid:"),
            ("assertion", "With a private key:"),
        ],
    },
    Section {
        reason: InvalidGrant,
        who: "the provider",
        first: "ask the provider why",
        act: "With `client_credentials` there is no code or refresh token that could be invalid, so the provider uses \
              this error for something of its own: ask it. Some providers mean a missing field, which belongs in \
              `spec.parameters`. With `JWTBearer` the assertion was refused: the provider does not know the public key, this \
              client may not act for the subject, or a claim is wrong ([which claim is \
              which](client-authentication.md#an-assertion-as-the-grant)); if the message names a clock, check the time \
              synchronization of the nodes.",
        rows: &[
            ("grant", ""),
            ("signed-grant", "With an assertion as the grant:"),
        ],
    },
    Section {
        reason: UnauthorizedClient,
        who: "the provider",
        first: "ask the provider to allow the grant",
        act: "Ask the provider to allow this client to use the grant in the message, or set `spec.grant` to the grant \
              that the client was created for.",
        rows: &[("client", "")],
    },
    Section {
        reason: UnsupportedGrantType,
        who: "the author of the CubeCredential",
        first: "check `spec.tokenURL` and `spec.grant`",
        act: "Look up in the provider's documentation which grants this token endpoint supports, and correct \
              `spec.tokenURL` or `spec.grant`.",
        rows: &[("grant-type", "")],
    },
    Section {
        reason: InvalidScope,
        who: "the author of the CubeCredential",
        first: "correct `spec.scopes`",
        act: "Set `spec.scopes` to scopes that the provider allows this client. With provider `CubeSoftware` and no \
              scopes, the operator requests `read write`. A refresh keeps the scopes of its sign-in.",
        rows: &[("scope", "")],
    },
    Section {
        reason: InvalidTarget,
        who: "the author of the CubeCredential",
        first: "correct audience and resource",
        act: "Correct `audience` or `resource` in `spec.parameters`, or in `spec.tokenExchange` with that grant, as the provider \
              documents them.",
        rows: &[("target", "")],
    },
    Section {
        reason: InvalidRequest,
        who: "the author of the CubeCredential",
        first: "compare the spec with the provider's documentation",
        act: "Look up what the token endpoint expects besides id and secret: `spec.parameters`, `spec.scopes`, \
              `spec.clientAuthentication`. The provider's documentation explains its own error codes. With `TokenExchange` a \
              subject token that has expired, or is not for this client, is an invalid request too: its owner writes a \
              new one, which is sent immediately. A new token of a ServiceAccount is sent each time, so there the \
              provider must trust its issuer, audience and subject ([how](token-exchange.md#a-token-of-a-serviceaccount)).",
        rows: &[
            ("request", ""),
            ("subject", "With a subject token:"),
            ("subject-account", "With a token of a ServiceAccount:"),
            ("own-code", "With an error code of the provider's own:"),
        ],
    },
    Section {
        reason: Forbidden,
        who: "the provider, or your network team",
        first: "allow this cluster's egress IP addresses",
        act: "Tell the provider the egress IP addresses of this cluster (its network team knows them), and check \
              that the client has not expired. Then request a retry with the annotation, because the cluster cannot \
              see that change. If the message mentions an HTML page, check your own proxy or firewall first.",
        rows: &[("forbidden", ""), ("firewall", "With an HTML page:")],
    },
    Section {
        reason: RateLimited,
        who: "the other users of the client",
        first: "no action needed",
        act: "The operator waits as long as the provider asks, for all CubeCredentials with this client id and secret, \
              and nothing shortens that. If it happens again, find the other users of this client id: another cluster, \
              a script, a second CubeCredential.",
        rows: &[("limited", "")],
    },
];

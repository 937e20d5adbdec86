//! The provider refuses.

use cube_operator::api::Reason::{
    Forbidden, InvalidClient, InvalidGrant, InvalidRequest, InvalidScope, InvalidTarget,
    RateLimited, UnauthorizedClient, UnsupportedGrantType,
};

use super::Section;

pub(super) const REFUSED: &[Section] = &[
    Section {
        reason: InvalidClient,
        meaning: "the provider does not know this client, or not with this secret",
        who: "whoever keeps the client's Secret, or the provider",
        first: "check the client id and secret",
        act: "Write both again, as the provider shows them: `kubectl patch secret NAME -n NAMESPACE -p '{\"stringData\": {\"client-id\": \
              \"...\", \"client-secret\": \"...\"}}'`. A secret that was rotated at the provider has to be written here too. If they are \
              right, ask the provider whether the client is disabled, and whether it wants the secret in a header: that is \
              `spec.clientAuthentication: Basic`.",
        rows: &[("described", ""), ("warning", "While a token still lives:")],
    },
    Section {
        reason: InvalidGrant,
        meaning: "the provider does not let this client get tokens for itself",
        who: "the provider",
        first: "ask the provider to permit the grant",
        act: "Ask the provider to permit this client the `client_credentials` grant. If the client is for people who sign in, set \
              `spec.grant` to `RefreshToken`.",
        rows: &[("grant", "")],
    },
    Section {
        reason: UnauthorizedClient,
        meaning: "this client may not use this grant",
        who: "the provider",
        first: "ask the provider to permit the grant",
        act: "Ask the provider to permit this client the grant in the message, or set `spec.grant` to the one that it was made for.",
        rows: &[("client", "")],
    },
    Section {
        reason: UnsupportedGrantType,
        meaning: "this token endpoint does not have the grant",
        who: "whoever wrote the spec",
        first: "check `spec.grant` and `spec.tokenURL`",
        act: "Look in the provider's documentation for the grants of this token endpoint, and set `spec.grant` or `spec.tokenURL`.",
        rows: &[("grant-type", "")],
    },
    Section {
        reason: InvalidScope,
        meaning: "the provider does not give these scopes to this client",
        who: "whoever wrote the spec",
        first: "correct `spec.scopes`",
        act: "Set `spec.scopes` to what the provider permits this client. With the provider `CubeSoftware` and no scopes the operator \
              asks for `read write`. A refresh token has the scopes of its sign-in.",
        rows: &[("scope", "")],
    },
    Section {
        reason: InvalidTarget,
        meaning: "the provider does not know the audience or resource that is asked for",
        who: "whoever wrote the spec",
        first: "correct `spec.parameters`",
        act: "Correct `audience` or `resource` in `spec.parameters`, as the provider documents them.",
        rows: &[("target", "")],
    },
    Section {
        reason: InvalidRequest,
        meaning: "the provider does not take the request as it is (any other 4xx)",
        who: "whoever wrote the spec",
        first: "compare the spec with the provider's documentation",
        act: "Look in the provider's documentation for what its token endpoint wants besides id and secret: `spec.parameters`, \
              `spec.scopes`, `spec.clientAuthentication`. A code of the provider's own is explained there too.",
        rows: &[
            ("request", ""),
            ("own-code", "With a code of the provider's own:"),
        ],
    },
    Section {
        reason: Forbidden,
        meaning: "403: the provider, or a firewall in front of it, lets nobody in from here",
        who: "the provider, or your network's people",
        first: "have this cluster's egress addresses allowed",
        act: "Tell the provider the egress IP addresses of this cluster (ask whoever runs its NAT), and that this client requests \
              tokens. When they have added them, ask for a try with the annotation: the cluster cannot see it. If the message speaks \
              of a page instead of JSON, look at your own proxy or firewall first.",
        rows: &[
            ("forbidden", ""),
            ("firewall", "With a page instead of JSON:"),
        ],
    },
    Section {
        reason: RateLimited,
        meaning: "429: the provider has had too many requests of this client",
        who: "whoever uses the same client too often",
        first: "wait",
        act: "Wait. If it comes again, look for others who use the same client id: another cluster, a script, a second \
              `CubeCredential`. The operator itself asks for few tokens. Nothing shortens \
              the pause, and it holds for all `CubeCredentials` with this client id and secret.",
        rows: &[("limited", "")],
    },
];

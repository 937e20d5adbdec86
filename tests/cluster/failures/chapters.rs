//! What the page says of each reason, besides what kubectl shows.

use cube_operator::api::Reason::{self, *};

/// What is said of one reason.
pub(super) struct Chapter {
    pub(super) reason: Reason,
    /// What has happened, for the index and the section.
    pub(super) meaning: &'static str,
    /// Who can mend it.
    pub(super) who: &'static str,
    /// The first thing to do, for the index.
    pub(super) first: &'static str,
    /// All that can be done.
    pub(super) act: &'static str,
    /// The rows that are shown, and what is said before each.
    pub(super) rows: &'static [(&'static str, &'static str)],
}

/// The page above the index.
pub(super) const INTRODUCTION: &str = include_str!("introduction.md");

/// The headings, and what is below them.
pub(super) const PARTS: [(&str, &[Chapter]); 6] = [
    ("The provider refuses", REFUSED),
    (
        "The provider is not reached, or not understood",
        NOT_REACHED,
    ),
    (
        "The client's Secret, and the rest of what you write",
        INPUTS,
    ),
    ("The stored refresh token", LOGIN),
    ("The Secret with the token", TARGET),
    ("No trouble", NO_TROUBLE),
];

const REFUSED: &[Chapter] = &[
    Chapter {
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
    Chapter {
        reason: InvalidGrant,
        meaning: "the provider does not let this client get tokens for itself",
        who: "the provider",
        first: "ask the provider to permit the grant",
        act: "Ask the provider to permit this client the `client_credentials` grant. If the client is for people who sign in, set \
              `spec.grant` to `RefreshToken`.",
        rows: &[("grant", "")],
    },
    Chapter {
        reason: UnauthorizedClient,
        meaning: "this client may not use this grant",
        who: "the provider",
        first: "ask the provider to permit the grant",
        act: "Ask the provider to permit this client the grant in the message, or set `spec.grant` to the one that it was made for.",
        rows: &[("client", "")],
    },
    Chapter {
        reason: UnsupportedGrantType,
        meaning: "this token endpoint does not have the grant",
        who: "whoever wrote the spec",
        first: "check `spec.grant` and `spec.tokenURL`",
        act: "Look in the provider's documentation for the grants of this token endpoint, and set `spec.grant` or `spec.tokenURL`.",
        rows: &[("grant-type", "")],
    },
    Chapter {
        reason: InvalidScope,
        meaning: "the provider does not give these scopes to this client",
        who: "whoever wrote the spec",
        first: "correct `spec.scopes`",
        act: "Set `spec.scopes` to what the provider permits this client. With the provider `CubeSoftware` and no scopes the operator \
              asks for `read write`. A refresh token has the scopes of its sign-in.",
        rows: &[("scope", "")],
    },
    Chapter {
        reason: InvalidTarget,
        meaning: "the provider does not know the audience or resource that is asked for",
        who: "whoever wrote the spec",
        first: "correct `spec.parameters`",
        act: "Correct `audience` or `resource` in `spec.parameters`, as the provider documents them.",
        rows: &[("target", "")],
    },
    Chapter {
        reason: InvalidRequest,
        meaning: "the provider does not take the request as it is (any other 4xx)",
        who: "whoever wrote the spec",
        first: "compare the spec with the provider's documentation",
        act: "Look in the provider's documentation for what its token endpoint wants besides id and secret: `spec.parameters`, \
              `spec.scopes`, `spec.clientAuthentication`.",
        rows: &[("request", "")],
    },
    Chapter {
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
    Chapter {
        reason: RateLimited,
        meaning: "429: the provider has had too many requests of this client",
        who: "whoever uses the same client too often",
        first: "wait",
        act: "Wait. If it comes again, look for others who use the same client id: another cluster, a script, a second \
              `CubeCredential`. The operator itself asks for few tokens. Nothing shortens \
              the pause, and it holds for all `CubeCredentials` with this client.",
        rows: &[("limited", "")],
    },
];

const NOT_REACHED: &[Chapter] = &[
    Chapter {
        reason: Unreachable,
        meaning: "there is no connection to the provider, so nothing was sent",
        who: "your network's people, or whoever wrote the spec",
        first: "check host, DNS, network policies, proxy",
        act: "Check the host in `spec.tokenURL`, that the operator's pod resolves it, and that network policies, firewall and proxy \
              let that pod reach it. Behind a proxy the operator needs `HTTPS_PROXY` (`extraEnv` of the chart).",
        rows: &[
            ("unresolved", ""),
            ("refused", "When nothing listens there:"),
        ],
    },
    Chapter {
        reason: TLSUntrusted,
        meaning: "the certificate of the token endpoint is not trusted, so nothing was sent",
        who: "whoever wrote the spec, or the owner of the host",
        first: "name its authority in `spec.caBundleRef`, or have it renewed",
        act: "If a private authority issued it, also that of a proxy that looks into TLS, put that authority's certificate into a \
              ConfigMap and name it in `spec.caBundleRef`. A certificate that has expired, or is for another host name, only its owner \
              can replace. There is no switch to skip the check.",
        rows: &[("untrusted", ""), ("expired", "When it has expired:")],
    },
    Chapter {
        reason: NoResponse,
        meaning: "the request was sent, and no complete answer came back",
        who: "the provider, or your network's people",
        first: "check proxy and firewall, and the provider's status page",
        act: "Look at the provider's status page, and for a proxy or firewall on the way that holds or cuts connections.",
        rows: &[("silent", ""), ("r-closed", "With a stored refresh token:")],
    },
    Chapter {
        reason: Unavailable,
        meaning: "5xx: the provider, or a proxy in front of it, has a failure",
        who: "the provider",
        first: "wait",
        act: "Nothing can be repaired here. If it lasts, look at the provider's status page.",
        rows: &[("down", "")],
    },
    Chapter {
        reason: Redirected,
        meaning: "the token endpoint redirects, and a client secret is never sent on",
        who: "whoever wrote the spec",
        first: "correct `spec.tokenURL`",
        act: "Set `spec.tokenURL` to the token endpoint itself. Often only the slash at its end is missing or too much. If the message \
              shows a sign-in page, it may be that of a proxy.",
        rows: &[("redirect", "")],
    },
    Chapter {
        reason: EndpointNotFound,
        meaning: "404, 405 or 410: there is no token endpoint at this path",
        who: "whoever wrote the spec",
        first: "correct the path in `spec.tokenURL`",
        act: "Correct the path in `spec.tokenURL`; a slash at its end matters.",
        rows: &[("absent-404", "")],
    },
    Chapter {
        reason: UnexpectedResponse,
        meaning: "the answer has no token in it that can be used",
        who: "whoever wrote the spec",
        first: "check `spec.tokenURL`",
        act: "Check that `spec.tokenURL` is an OAuth 2 token endpoint, not a web page or another API of the provider. If it is, tell \
              the provider what the message says.",
        rows: &[("page", "")],
    },
    Chapter {
        reason: UnsupportedTokenType,
        meaning: "the token is of another type than `Bearer`",
        who: "the provider",
        first: "ask the provider for bearer tokens",
        act: "Ask the provider to issue bearer tokens to this client. The operator publishes no others.",
        rows: &[("mac", "")],
    },
    Chapter {
        reason: ResponseTooLarge,
        meaning: "the answer has more than 256 KiB, as no token endpoint's has",
        who: "whoever wrote the spec",
        first: "check `spec.tokenURL`",
        act: "Check that `spec.tokenURL` is an OAuth 2 token endpoint, not a web page or a download.",
        rows: &[("bomb", "")],
    },
];

const INPUTS: &[Chapter] = &[
    Chapter {
        reason: ClientSecretNotFound,
        meaning: "there is no Secret by the name in `spec.clientSecretRef`",
        who: "whoever keeps the client's Secret",
        first: "create it",
        act: "Create it in the same namespace, or correct `spec.clientSecretRef.name`: `kubectl create secret generic NAME -n NAMESPACE \
              --from-literal=client-id=... --from-literal=client-secret=...`, then `kubectl label secret NAME -n NAMESPACE \
              cube-operator.dev/credential=true`.",
        rows: &[("absent", "")],
    },
    Chapter {
        reason: ClientSecretNotLabelled,
        meaning: "the owner of the client's Secret has not permitted its use",
        who: "whoever keeps the client's Secret",
        first: "label it",
        act: "The label is the consent of the Secret's owner: without it the operator does not read the Secret. If that is you, run the \
              command in the message.",
        rows: &[("unlabelled", "")],
    },
    Chapter {
        reason: ClientSecretKeyMissing,
        meaning: "the client's Secret lacks a key",
        who: "whoever keeps the client's Secret",
        first: "add the key, or name another",
        act: "Add the key, or name the key that has the value: `clientIDKey` and `clientSecretKey` in `spec.clientSecretRef`.",
        rows: &[("no-secret", "")],
    },
    Chapter {
        reason: ClientSecretMalformed,
        meaning: "a value in the client's Secret cannot be what the provider issued",
        who: "whoever keeps the client's Secret",
        first: "write the value again, without a line break",
        act: "Write it again; the line break comes from `echo`, and this adds none: `kubectl patch secret NAME -n NAMESPACE -p \
              '{\"stringData\": {\"client-secret\": \"...\"}}'`.",
        rows: &[("line-break", "")],
    },
    Chapter {
        reason: HostNotAllowed,
        meaning: "the client secret may not be sent to this host",
        who: "whoever wrote the spec, the Secret's owner or the operator's installer",
        first: "correct `spec.tokenURL`, or have the host permitted",
        act: "First check that `spec.tokenURL` is right: this is what keeps a secret from being sent elsewhere. If it is, the one whom \
              the message names permits the host: the owner of the Secret in its annotation `cube-operator.dev/token-hosts`, or the \
              operator's installer in `allowedTokenHosts` (for hosts) or `allowNetworks` (for loopback, link-local and such addresses).",
        rows: &[
            ("hosts", ""),
            ("metadata", "An address that is refused by default:"),
        ],
    },
    Chapter {
        reason: CABundleInvalid,
        meaning: "the CA bundle is absent, not labelled, or no PEM",
        who: "whoever keeps the CA bundle",
        first: "correct what `spec.caBundleRef` names",
        act: "Correct the ConfigMap or Secret, or `spec.caBundleRef`. A Secret needs the label, a ConfigMap does not.",
        rows: &[("no-pem", "")],
    },
    Chapter {
        reason: InvalidSpec,
        meaning: "the operator cannot use the spec",
        who: "whoever wrote the spec, or the operator's installer",
        first: "correct the field in the message",
        act: "Correct the field. The API server refuses such a spec, so the `CustomResourceDefinition` in the cluster is probably that of \
              another version: `cube-operator check` tells, and `crds/cubecredentials.yaml` of the installed version is the right one.",
        rows: &[("spec", "")],
    },
];

const LOGIN: &[Chapter] = &[
    Chapter {
        reason: RefreshTokenNotFound,
        meaning: "there is no refresh token to begin with",
        who: "whoever may sign in",
        first: "sign in, and write the refresh token into the Secret",
        act: "Sign in at the provider, and write the refresh token into the Secret and key in the message: `kubectl create secret generic \
              NAME -n NAMESPACE --from-literal=refresh-token=...`, then `kubectl label secret NAME -n NAMESPACE \
              cube-operator.dev/credential=true`. It is needed once: when the login has begun, the Secret may go.",
        rows: &[("r-absent", "")],
    },
    Chapter {
        reason: RefreshTokenNotLabelled,
        meaning: "the owner of the Secret with the first refresh token has not permitted its use",
        who: "whoever keeps the seed",
        first: "label it",
        act: "If you are its owner, run the command in the message. A login that has begun rests too while the \
              label is missing.",
        rows: &[("r-unlabelled", "")],
    },
    Chapter {
        reason: RefreshTokenMalformed,
        meaning: "the value cannot be a refresh token",
        who: "whoever keeps the seed",
        first: "write the value again, without a line break",
        act: "Write it again; this adds no line break: `kubectl patch secret NAME -n NAMESPACE -p '{\"stringData\": {\"refresh-token\": \
              \"...\"}}'`.",
        rows: &[("r-line-break", "")],
    },
    Chapter {
        reason: RefreshTokenRejected,
        meaning: "the provider does not take the refresh token any more",
        who: "whoever may sign in",
        first: "sign in again",
        act: "Sign in at the provider again and write the new refresh token into the Secret and key in the message: `kubectl patch secret \
              NAME -n NAMESPACE -p '{\"stringData\": {\"refresh-token\": \"...\"}}'`. It is adopted at once. The old one was revoked (a changed \
              password, an administrator), has expired, or somebody else has used it. In the last case find out who: a refresh token \
              that rotates belongs to the operator alone, so no second cluster, script or person may have it.",
        rows: &[
            ("r-rejected", ""),
            ("r-revoked", "While a token still lives:"),
        ],
    },
    Chapter {
        reason: RefreshTokenLost,
        meaning: "the provider has replaced the refresh token, and the answer with the new one was lost",
        who: "whoever may sign in",
        first: "sign in again",
        act: "Sign in at the provider again and write the new refresh token into the Secret and key in the message: `kubectl patch secret \
              NAME -n NAMESPACE -p '{\"stringData\": {\"refresh-token\": \"...\"}}'`. It is adopted at once. Ask the provider for a grace \
              period, with which a lost answer heals by itself ([what can and cannot be \
              lost](../README.md#what-can-and-cannot-be-lost)).",
        rows: &[("r-lost", "")],
    },
    Chapter {
        reason: StateConflict,
        meaning: "the Secret `<name>-cube-state` is somebody else's, or was edited",
        who: "whoever made or edited that Secret",
        first: "delete it, or restore it",
        act: "In this Secret the operator keeps the current refresh token. One that it did not make: delete it if nobody needs it, or \
              give the `CubeCredential` another name. One that was edited: restore it as it was; only if that is impossible, delete it, \
              sign in again and write the new refresh token into the seed's Secret.",
        rows: &[("r-foreign", "")],
    },
    Chapter {
        reason: StateNotWritable,
        meaning: "the API server refuses to store the refresh token",
        who: "the cluster's administrator",
        first: "do not restart the operator; remove what is in the way",
        act: "The message has the API server's own words: a quota, an admission policy, a missing role. Change that. If the message \
              begins with *do not restart the operator*, the provider has already replaced the refresh token, and the new one is in \
              the memory of this process alone: until it is stored, keep the pod, its node and its namespace alive.",
        rows: &[
            ("refused-state", ""),
            (
                "storing",
                "When the provider has used up the refresh token already:",
            ),
        ],
    },
];

const TARGET: &[Chapter] = &[
    Chapter {
        reason: TargetConflict,
        meaning: "a Secret by the target's name belongs to somebody else",
        who: "whoever made that Secret, or wrote the spec",
        first: "delete that Secret, or choose another `spec.target.name`",
        act: "Find out whose it is. If nobody needs it, delete it; else set `spec.target.name` to another name. The operator never \
              overwrites it.",
        rows: &[("conflict", "")],
    },
    Chapter {
        reason: TargetDuplicate,
        meaning: "another, older `CubeCredential` has the same target",
        who: "whoever wrote the two specs",
        first: "choose another `spec.target.name`",
        act: "Set `spec.target.name` of one of the two to another name, or delete one of them.",
        rows: &[("duplicate", "")],
    },
    Chapter {
        reason: TargetNotWritable,
        meaning: "the API server refuses to store the token",
        who: "the cluster's administrator",
        first: "remove what is in the way: a quota, a policy",
        act: "The message has the API server's own words: a quota, an admission policy, a missing role. Change that, or set \
              `spec.target` to what is permitted. The token waits in memory meanwhile; no further one is requested for it.",
        rows: &[("refused-target", "")],
    },
];

const NO_TROUBLE: &[Chapter] = &[
    Chapter {
        reason: Suspended,
        meaning: "`spec.suspend` is true",
        who: "whoever suspended it",
        first: "set it to false when you want tokens again",
        act: "Somebody wanted it so. `kubectl patch cubecredential NAME --type=merge -p '{\"spec\":{\"suspend\":false}}'` ends it.",
        rows: &[("suspended", "")],
    },
    Chapter {
        reason: Pending,
        meaning: "nothing was due yet, or there is something to wait for",
        who: "nobody has to",
        first: "wait; if `READY` is `False`, look for the reason of `Ready`",
        act: "Wait for the time in the message. It is told of a token that lives for seconds only, of a refresh token that another \
              process of the operator is sending (40 s at most), and as the reason of `Refreshed` while a target is in the way.",
        rows: &[("short", "")],
    },
    Chapter {
        reason: RateBudget,
        meaning: "the next token request of this client waits for its turn",
        who: "nobody has to",
        first: "wait",
        act: "Wait. All `CubeCredentials` with one client id and token URL share [a budget of requests](../README.md#the-budget), so that the \
              provider's limit is kept, and a pause that the provider asked for holds for all of them. If it takes too long, let pods \
              share the target of one `CubeCredential`, or set `tokenRequestInterval` of the chart, if the provider permits more.",
        rows: &[("turn", "")],
    },
    Chapter {
        reason: TokenIssued,
        meaning: "the last exchange worked",
        who: "nobody has to",
        first: "nothing",
        act: "Nothing. If a consumer is refused all the same, the token was revoked early, or the consumer does not read it again: a \
              file in a pod follows its Secret within 90 seconds, environment variables and `subPath` mounts never.",
        rows: &[("bearer", "")],
    },
    Chapter {
        reason: Synced,
        meaning: "the Secret holds a live token; the reason of `Ready`",
        who: "nobody has to",
        first: "nothing",
        act: "Nothing. See [`TokenIssued`](#tokenissued).",
        rows: &[],
    },
];

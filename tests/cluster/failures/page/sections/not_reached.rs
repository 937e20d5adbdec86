//! The provider is not reached, or its response is not understood.

use cube_operator::api::Reason::{
    ClientCertificateRequired, EndpointNotFound, NoResponse, Redirected, ResponseTooLarge,
    TLSUntrusted, Unavailable, UnexpectedResponse, Unreachable, UnsupportedTokenType,
};

use super::Section;

pub(super) const NOT_REACHED: &[Section] = &[
    Section {
        reason: Unreachable,
        meaning: "there is no connection to the provider, so nothing was sent",
        who: "your network's people, or whoever wrote the spec",
        first: "check host, DNS, network policies, proxy",
        act: "Check the host in `spec.tokenURL`, that the operator's pod resolves it, and that network policies, firewall and proxy \
              let that pod reach it. Behind a proxy the operator needs `HTTPS_PROXY` (`extraEnv` of the chart). If the message names a \
              proxy, the proxy refused or could not be reached: 407 asks for credentials, 403 for a rule that allows the host, and with \
              502 to 504 the proxy itself cannot reach it.",
        rows: &[
            ("unresolved", ""),
            ("refused", "When nothing listens there:"),
        ],
    },
    Section {
        reason: TLSUntrusted,
        meaning: "the certificate of the token endpoint is not trusted, so nothing was sent",
        who: "whoever wrote the spec, or the owner of the host",
        first: "name its authority in `spec.caBundleRef`, or have it renewed",
        act: "Do what the message says: each flaw has a remedy of its own. If a private CA issued the certificate, also that of a proxy \
              that looks into TLS, put the certificate of that CA into a ConfigMap and name it in `spec.caBundleRef`. A certificate that \
              has expired, is for another host, or is signed with an algorithm that is no longer safe, only its owner can replace: \
              another CA certificate does not help. There is no switch to skip the check.",
        rows: &[("untrusted", ""), ("expired", "When it has expired:")],
    },
    Section {
        reason: ClientCertificateRequired,
        meaning: "the token endpoint wants a TLS client certificate, and served nothing without one",
        who: "the provider",
        first: "ask for a token endpoint without mutual TLS",
        act: "Ask the provider for a token endpoint without mutual TLS, or to exempt this client from it. No refresh token was used up: \
              a server that refuses the handshake reads no request.",
        rows: &[("mutual", "")],
    },
    Section {
        reason: NoResponse,
        meaning: "the request was sent, and no complete answer came back",
        who: "the provider, or your network's people",
        first: "check proxy and firewall, and the provider's status page",
        act: "Look at the provider's status page, and for a proxy or firewall on the way that holds or cuts connections. A \
              whole JSON object counts as a complete answer, however its connection ends.",
        rows: &[
            ("silent", ""),
            ("cut", "When a part of the answer came:"),
            ("r-closed", "With a stored refresh token:"),
        ],
    },
    Section {
        reason: Unavailable,
        meaning: "5xx, or `temporarily_unavailable`: the provider, or a proxy in front of it, has a failure",
        who: "the provider",
        first: "wait",
        act: "Nothing can be repaired here. If it lasts, look at the provider's status page.",
        rows: &[("down", "")],
    },
    Section {
        reason: Redirected,
        meaning: "the token endpoint redirects, and a client secret is never sent on",
        who: "whoever wrote the spec",
        first: "correct `spec.tokenURL`",
        act: "Set `spec.tokenURL` to the token endpoint itself. Often only the slash at its end is missing or too much. If the message \
              shows a sign-in page, it may be that of a proxy.",
        rows: &[("redirect", "")],
    },
    Section {
        reason: EndpointNotFound,
        meaning: "404, 405 or 410: there is no token endpoint at this path",
        who: "whoever wrote the spec",
        first: "correct the path in `spec.tokenURL`",
        act: "Correct the path in `spec.tokenURL`; a slash at its end matters.",
        rows: &[("absent-404", "")],
    },
    Section {
        reason: UnexpectedResponse,
        meaning: "the answer has no token in it that can be used",
        who: "whoever wrote the spec",
        first: "check `spec.tokenURL`",
        act: "Check that `spec.tokenURL` is an OAuth 2 token endpoint, not a web page or another API of the provider. If it is, tell \
              the provider what the message says.",
        rows: &[("page", "")],
    },
    Section {
        reason: UnsupportedTokenType,
        meaning: "the token is of another type than `Bearer`",
        who: "the provider",
        first: "ask the provider for bearer tokens",
        act: "Ask the provider to issue bearer tokens to this client. The operator publishes no others.",
        rows: &[("mac", "")],
    },
    Section {
        reason: ResponseTooLarge,
        meaning: "the answer has more than 256 KiB, as no token endpoint's has",
        who: "whoever wrote the spec",
        first: "check `spec.tokenURL`",
        act: "Check that `spec.tokenURL` is an OAuth 2 token endpoint, not a web page or a download.",
        rows: &[("bomb", "")],
    },
];

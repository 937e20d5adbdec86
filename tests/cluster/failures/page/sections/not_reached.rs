//! The provider is not reached, or its response is not understood.

use cube_operator::api::Reason::{
    ClientCertificateRefused, ClientCertificateRequired, EndpointNotFound, NoResponse, Redirected,
    ResponseTooLarge, TLSUntrusted, Unavailable, UnexpectedResponse, Unreachable,
    UnsupportedTokenType,
};

use super::Section;

pub(super) const NOT_REACHED: &[Section] = &[
    Section {
        reason: Unreachable,
        who: "your network team, or the author of the CubeCredential",
        first: "check the host, DNS, network policies and proxy",
        act: "Nothing was sent. Check the host in `spec.tokenURL`, that the operator's pod can resolve it, and that \
              network policies, firewall and proxy let the pod reach it. Behind a proxy the operator needs \
              `HTTPS_PROXY` (`extraEnv` of the chart). If the message names a proxy: 407 asks for credentials, 403 for \
              a rule that allows the host, and with 502 to 504 the proxy itself cannot reach the host.",
        rows: &[
            ("unresolved", ""),
            ("refused", "When nothing listens there:"),
        ],
    },
    Section {
        reason: TLSUntrusted,
        who: "the author of the CubeCredential, or the server's owner",
        first: "name its CA in `spec.caBundleRef`, or have the certificate renewed",
        act: "Nothing was sent. Follow the message: each flaw has its own remedy. If a private CA signed the \
              certificate, or a proxy inspects TLS, put the certificate of that CA into a ConfigMap and name it in \
              `spec.caBundleRef`. If only the root CA is trusted, the server must also send its intermediate \
              certificates. Only the server's owner can replace a certificate that has expired, is for another host, \
              or is signed with an unsafe algorithm. Verification cannot be switched off.",
        rows: &[("untrusted", ""), ("expired", "When it has expired:")],
    },
    Section {
        reason: ClientCertificateRequired,
        who: "the author of the CubeCredential, or the provider",
        first: "set `spec.clientAuthentication: MutualTLS`",
        act: "Get a certificate for this client, and set `spec.clientAuthentication: MutualTLS` ([client \
              authentication](client-authentication.md#a-certificate)); or ask the provider for a token endpoint without \
              mutual TLS. No refresh token was consumed: a server that refuses the handshake reads no request.",
        rows: &[("mutual", "")],
    },
    Section {
        reason: ClientCertificateRefused,
        who: "the provider, or the owner of the client Secret",
        first: "register the certificate, or its CA, at the provider",
        act: "The alert in the message is the provider's reason: `UnknownCA` says that it does not know the CA, \
              `CertificateExpired` that one of its chain has expired, `CertificateRevoked` that it was revoked; others say \
              that this certificate is not registered for a client. No refresh token was consumed: a server that refuses \
              the handshake reads no request.",
        rows: &[("refused-cert", "")],
    },
    Section {
        reason: NoResponse,
        who: "the provider, or your network team",
        first: "check the proxy, the firewall and the provider's status page",
        act: "The request was sent. Check the provider's status page, and whether a proxy or firewall holds or cuts \
              connections. With a stored refresh token, the provider may have consumed it without the operator \
              learning the new one. The retry finds out and risks nothing more: if the old token was not consumed, or \
              the provider has a grace period, it succeeds; otherwise it is rejected, and someone must sign in again.",
        rows: &[
            ("silent", ""),
            ("cut", "When a part of the response arrived:"),
            ("r-closed", "With a stored refresh token:"),
        ],
    },
    Section {
        reason: Unavailable,
        who: "the provider",
        first: "no action needed",
        act: "The provider, or a proxy in front of it, responded with 5xx or `temporarily_unavailable`. If this \
              persists, check the provider's status page.",
        rows: &[("down", "")],
    },
    Section {
        reason: Redirected,
        who: "the author of the CubeCredential",
        first: "correct `spec.tokenURL`",
        act: "Set `spec.tokenURL` to the token endpoint itself: a client secret is never sent to where a redirect \
              points. Often a trailing slash is missing or superfluous. If the message shows a sign-in page, it may be \
              that of a proxy.",
        rows: &[("redirect", "")],
    },
    Section {
        reason: EndpointNotFound,
        who: "the author of the CubeCredential",
        first: "correct the path in `spec.tokenURL`",
        act: "The server responded with 404, 405 or 410. Correct the path in `spec.tokenURL`; a trailing slash matters.",
        rows: &[("absent-404", "")],
    },
    Section {
        reason: UnexpectedResponse,
        who: "the author of the CubeCredential",
        first: "check `spec.tokenURL`",
        act: "Check that `spec.tokenURL` is an OAuth 2 token endpoint, not a web page or another API of the provider. \
              If it is, show the message to the provider.",
        rows: &[("page", "")],
    },
    Section {
        reason: UnsupportedTokenType,
        who: "the provider",
        first: "ask for bearer tokens",
        act: "Ask the provider to issue bearer tokens to this client. The operator publishes no others.",
        rows: &[("mac", "")],
    },
    Section {
        reason: ResponseTooLarge,
        who: "the author of the CubeCredential",
        first: "check `spec.tokenURL`",
        act: "Check that `spec.tokenURL` is an OAuth 2 token endpoint, not a web page or a download.",
        rows: &[("bomb", "")],
    },
];

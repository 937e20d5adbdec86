//! The client's Secret, and the rest of what people write.

use cube_operator::api::Reason::{
    CABundleInvalid, ClientSecretKeyMissing, ClientSecretMalformed, ClientSecretNotFound,
    ClientSecretNotLabelled, HostNotAllowed, InvalidSpec,
};

use super::Section;

pub(super) const INPUTS: &[Section] = &[
    Section {
        reason: ClientSecretNotFound,
        meaning: "there is no Secret by the name in `spec.clientSecretRef`",
        who: "whoever keeps the client's Secret",
        first: "create it",
        act: "Create it in the same namespace, or correct `spec.clientSecretRef.name`: `kubectl create secret generic NAME -n NAMESPACE \
              --from-literal=client-id=... --from-literal=client-secret=...`, then `kubectl annotate secret NAME -n NAMESPACE \
              cube-operator.dev/token-hosts=HOST` and `kubectl label secret NAME -n NAMESPACE cube-operator.dev/credential=true`.",
        rows: &[("absent", "")],
    },
    Section {
        reason: ClientSecretNotLabelled,
        meaning: "the owner of the client's Secret has not permitted its use",
        who: "whoever keeps the client's Secret",
        first: "label it",
        act: "The label is the consent of the Secret's owner: without it the operator does not read the Secret. If that is you, run the \
              command in the message.",
        rows: &[("unlabelled", "")],
    },
    Section {
        reason: ClientSecretKeyMissing,
        meaning: "the client's Secret lacks a key",
        who: "whoever keeps the client's Secret",
        first: "add the key, or name another",
        act: "Add the key, or name the key that has the value: `clientIDKey` and `clientSecretKey` in `spec.clientSecretRef`.",
        rows: &[("no-secret", "")],
    },
    Section {
        reason: ClientSecretMalformed,
        meaning: "a value in the client's Secret cannot be what the provider issued",
        who: "whoever keeps the client's Secret",
        first: "write the value again, without a line break",
        act: "Write it again; the line break comes from `echo`, and this adds none: `kubectl patch secret NAME -n NAMESPACE -p \
              '{\"stringData\": {\"client-secret\": \"...\"}}'`. A blank, a no-break space or a byte order mark around the value comes from \
              an editor or a copied web page, and is not seen; blanks inside of a value are kept. A client whose secret really is \
              empty has `spec.clientAuthentication: BasicEmptySecret`.",
        rows: &[
            ("line-break", ""),
            ("id-mark", "With a character that is not seen:"),
        ],
    },
    Section {
        reason: HostNotAllowed,
        meaning: "the client secret may not be sent to this host",
        who: "whoever wrote the spec, the Secret's owner or the operator's installer",
        first: "correct `spec.tokenURL`, or have the host permitted",
        act: "First check that `spec.tokenURL` is right: this is what keeps a secret from being sent elsewhere. If it is, the one whom \
              the message names permits the host: the owner of the Secret in its annotation `cube-operator.dev/token-hosts`, or the \
              operator's installer in `allowedTokenHosts` (for hosts) or `allowNetworks` (for loopback, link-local and such addresses). Where a list \
              of hosts applies, the owner permits a private CA too, in `cube-operator.dev/token-ca`: whoever chooses the CA chooses \
              who may answer for a host.",
        rows: &[
            ("hosts", ""),
            (
                "unpermitted-ca",
                "A private CA that the owner of the Secret has not permitted:",
            ),
            (
                "unnamed-hosts",
                "A Secret without a list of hosts, where the installer requires one (`requireTokenHosts`):",
            ),
            ("metadata", "An address that is refused by default:"),
        ],
    },
    Section {
        reason: CABundleInvalid,
        meaning: "the CA bundle is absent, not labelled, too large, or no PEM",
        who: "whoever keeps the CA bundle",
        first: "correct what `spec.caBundleRef` names",
        act: "Correct the ConfigMap or Secret, or `spec.caBundleRef`. A Secret needs the label, a ConfigMap does not.",
        rows: &[("no-pem", "")],
    },
    Section {
        reason: InvalidSpec,
        meaning: "the operator cannot use the spec",
        who: "whoever wrote the spec, or the operator's installer",
        first: "correct the field in the message",
        act: "Correct the field. The API server refuses such a spec, so the `CustomResourceDefinition` in the cluster is probably that of \
              another version: `cube-operator check` tells, and `crds/cubecredentials.yaml` of the installed version is the right one.",
        rows: &[("spec", "")],
    },
];

//! The client Secret and the spec.

use cube_operator::api::Reason::{
    CABundleInvalid, ClientCertificateExpired, ClientKeyInvalid, ClientSecretKeyMissing,
    ClientSecretMalformed, ClientSecretNotFound, ClientSecretNotLabelled, HostNotAllowed,
    InvalidSpec, ProviderNotAllowed, ProviderNotFound, ProviderNotReady, ServiceAccountNotFound,
    ServiceAccountNotLabelled, ServiceAccountTokenFailed, SubjectTokenMalformed,
    SubjectTokenNotFound, SubjectTokenNotLabelled,
};

use super::Section;

pub(super) const INPUTS: &[Section] = &[
    Section {
        reason: ClientSecretNotFound,
        who: "the owner of the client Secret",
        first: "create it",
        act: "Create it in the same namespace, or correct `spec.clientSecretRef.name`: `read -rs SECRET; printf %s \
              \"$SECRET\" | kubectl create secret generic NAME -n NAMESPACE --from-literal=client-id=ID \
              --from-file=client-secret=/dev/stdin`, then `kubectl annotate secret NAME -n NAMESPACE \
              cube-operator.dev/token-hosts=HOST` and `kubectl label secret NAME -n NAMESPACE \
              cube-operator.dev/credential=true`.",
        rows: &[("absent", "")],
    },
    Section {
        reason: ClientSecretNotLabelled,
        who: "the owner of the client Secret",
        first: "label it",
        act: "The label is the consent of the Secret's owner: without it the operator does not read the Secret. The \
              annotation limits the hosts that the Secret may be sent to, so set it first: `kubectl annotate secret \
              NAME -n NAMESPACE cube-operator.dev/token-hosts=HOST`, then `kubectl label secret NAME -n NAMESPACE \
              cube-operator.dev/credential=true`.",
        rows: &[("unlabelled", "")],
    },
    Section {
        reason: ClientSecretKeyMissing,
        who: "the owner of the client Secret",
        first: "add the key, or name another one",
        act: "Add the key, or name the key that has the value: `clientIDKey` and `clientSecretKey` in \
              `spec.clientSecretRef`.",
        rows: &[("no-secret", "")],
    },
    Section {
        reason: ClientSecretMalformed,
        who: "the owner of the client Secret",
        first: "write the value again",
        act: "Write it again. `echo` adds a trailing newline, and this does not: `read -rs SECRET; printf %s \"$SECRET\" | jq -Rs \
              '{stringData: {\"client-secret\": .}}' | kubectl patch secret NAME -n NAMESPACE --patch-file=/dev/stdin`. A space, a no-break space or a byte \
              order mark around the value comes from an editor or a copied web page. Spaces inside a value are kept. \
              If the client has an empty secret, set `spec.clientAuthentication: BasicEmptySecret`.",
        rows: &[
            ("line-break", ""),
            ("id-mark", "With an invisible character:"),
        ],
    },
    Section {
        reason: ClientKeyInvalid,
        who: "the owner of the client Secret",
        first: "write the private key again",
        act: "Write the private key that belongs to the public key at the provider: PEM without a passphrase (PKCS#8, SEC1 \
              or PKCS#1), or one JWK; RSA of at least 2048 bits, P-256, P-384 or Ed25519. `openssl pkey -in KEY.pem \
              -noout -text_pub` shows what a file holds. [Client authentication](client-authentication.md) says how to \
              create a key and where it is registered.",
        rows: &[
            ("key", ""),
            ("key-curve", "With a curve that is not supported:"),
        ],
    },
    Section {
        reason: ClientCertificateExpired,
        who: "the owner of the client Secret",
        first: "renew the certificate",
        act: "Renew the certificate, and write it with its key into the Secret: nothing is sent with a certificate that is \
              not valid now. If cert-manager issues it, look at its Certificate: `kubectl describe certificate -n NAMESPACE`.",
        rows: &[("expired-client", "")],
    },
    Section {
        reason: SubjectTokenNotFound,
        who: "the owner of the Secret with the subject token",
        first: "create it",
        act: "Create it in the same namespace, or correct `spec.tokenExchange.subjectTokenRef`: `kubectl create secret \
              generic NAME -n NAMESPACE --from-file=token=FILE`, then `kubectl annotate secret NAME -n NAMESPACE \
              cube-operator.dev/token-hosts=HOST` and `kubectl label secret NAME -n NAMESPACE \
              cube-operator.dev/credential=true`. A program that replaces the Secret must keep both.",
        rows: &[("subject-absent", "")],
    },
    Section {
        reason: SubjectTokenNotLabelled,
        who: "the owner of the Secret with the subject token",
        first: "label it",
        act: "If you are its owner, set annotation and label: `kubectl annotate secret NAME -n NAMESPACE \
              cube-operator.dev/token-hosts=HOST`, then `kubectl label secret NAME -n NAMESPACE \
              cube-operator.dev/credential=true`.",
        rows: &[("subject-unlabelled", "")],
    },
    Section {
        reason: SubjectTokenMalformed,
        who: "the owner of the Secret with the subject token",
        first: "write the value again",
        act: "Write it again without a trailing newline, or correct the program that writes it: `read -rs TOKEN; printf %s \
              \"$TOKEN\" | jq -Rs '{stringData: {token: .}}' | kubectl patch secret NAME -n NAMESPACE \
              --patch-file=/dev/stdin`.",
        rows: &[("subject-line-break", "")],
    },
    Section {
        reason: ServiceAccountNotFound,
        who: "the owner of the ServiceAccount",
        first: "create it",
        act: "Create it in the same namespace, or correct `spec.clientAssertion.serviceAccountName` or \
              `spec.tokenExchange.subjectServiceAccount.name`: `kubectl create serviceaccount NAME -n NAMESPACE`, then `kubectl annotate serviceaccount NAME -n NAMESPACE \
              cube-operator.dev/token-hosts=HOST` and `kubectl label serviceaccount NAME -n NAMESPACE \
              cube-operator.dev/credential=true`.",
        rows: &[("account-absent", "")],
    },
    Section {
        reason: ServiceAccountNotLabelled,
        who: "the owner of the ServiceAccount",
        first: "label it",
        act: "The label is the owner's consent: without it the operator requests no token of the ServiceAccount. Set \
              the hosts that such a token may be sent to first: `kubectl annotate serviceaccount NAME -n NAMESPACE \
              cube-operator.dev/token-hosts=HOST`, then `kubectl label serviceaccount NAME -n NAMESPACE \
              cube-operator.dev/credential=true`.",
        rows: &[("account-unlabelled", "")],
    },
    Section {
        reason: ServiceAccountTokenFailed,
        who: "the author of the CubeCredential, or the operator's installer",
        first: "correct the audience, or have the value set",
        act: "The message says why there is no token of the ServiceAccount. If the operator may not request one, its \
              installer sets the chart value `serviceAccountTokens: true`. A token with an audience of the API server \
              would be a login to the cluster, so it is sent to nobody: name the audience that the provider expects.",
        rows: &[
            ("account-audience", ""),
            (
                "subject-account-audience",
                "With its token as the subject token:",
            ),
        ],
    },
    Section {
        reason: HostNotAllowed,
        who: "the author of the CubeCredential, the Secret's owner or the operator's installer",
        first: "correct `spec.tokenURL`, or have the host allowed",
        act: "First check that `spec.tokenURL` is right: this check keeps a secret from being sent elsewhere. If it \
              is, the party in the message can allow the host: the owner of the Secret in annotation \
              `cube-operator.dev/token-hosts`, or the operator's installer in `allowedTokenHosts` (hosts) or \
              `allowNetworks` (loopback and similar addresses). Never allow 169.254.0.0/16: it has the cloud's \
              metadata service, which gives the node's credentials to anyone who asks. Where a list of hosts applies, \
              the owner also allows a private CA, in annotation `cube-operator.dev/token-ca`, because the author of \
              the CA bundle decides who can vouch for a host.",
        rows: &[
            ("hosts", ""),
            (
                "other-ca",
                "When the owner of the Secret does not allow the CA bundle:",
            ),
            (
                "unnamed-hosts",
                "When the installer requires a list of hosts (`requireTokenHosts`):",
            ),
            ("metadata", "When the address is refused by default:"),
        ],
    },
    Section {
        reason: ProviderNotFound,
        who: "the author of the CubeCredential, or the platform team",
        first: "create the provider object, or name another one",
        act: "`kubectl get cubeproviders -n NAMESPACE` and `kubectl get clustercubeproviders` list what can be named in \
              `spec.providerRef`. A `CubeProvider` serves its own namespace only. A token that was published before stays valid until \
              it expires, and an object that is created again with the same fields requests no new one.",
        rows: &[("no-provider", "")],
    },
    Section {
        reason: ProviderNotReady,
        who: "the author of the provider object, or the operator's installer",
        first: "correct the provider object",
        act: "Correct the field in the message. If the token endpoint is not known, `kubectl describe` of the provider object says in \
              condition `Ready` why the metadata of its issuer cannot be read, and what is wrong with the ConfigMap of its \
              `caBundleRef`, which is in the operator's namespace. If the operator uses no `ClusterCubeProvider`, its installer can set \
              `clusterProviders: true`; if it cannot list provider objects, `cube-operator check` names the missing right.",
        rows: &[
            ("bad-provider", ""),
            (
                "no-ca-map",
                "The ConfigMap with the CA certificates of a `ClusterCubeProvider` is missing:",
            ),
        ],
    },
    Section {
        reason: ProviderNotAllowed,
        who: "the owner of the ClusterCubeProvider",
        first: "add the namespace",
        act: "Add the namespace to `spec.namespaces` of the `ClusterCubeProvider`, or name another one in `spec.providerRef`.",
        rows: &[("closed-provider", "")],
    },
    Section {
        reason: CABundleInvalid,
        who: "the owner of the CA bundle",
        first: "correct what `spec.caBundleRef` names",
        act: "Correct the ConfigMap or Secret, or `spec.caBundleRef`. A Secret needs the label; a ConfigMap does not.",
        rows: &[("no-pem", "")],
    },
    Section {
        reason: InvalidSpec,
        who: "the author of the CubeCredential, or the operator's installer",
        first: "correct the field in the message",
        act: "Correct the field. The API server rejects such a spec, so the `CustomResourceDefinition` in the cluster \
              is probably of another version: `cube-operator check` reports that, and `crds/cubecredentials.yaml` of \
              the installed version is the right one.",
        rows: &[("spec", "")],
    },
];

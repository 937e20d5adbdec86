//! The labels and annotations of the operator, in one place. All of them start with `cube-operator.dev/`.

/// The labels that select Secrets.
pub mod label {
    /// On a Secret that the operator may read, as its owner's consent. Only the value `true` counts.
    pub const CREDENTIAL: &str = "cube-operator.dev/credential";
    /// On every target: the operator writes this Secret. The value is `true`.
    pub const MANAGED: &str = "cube-operator.dev/managed";
    /// On every state, which is the Secret `<name>-cube-state` with the current refresh token. The value is `true`.
    pub const STATE: &str = "cube-operator.dev/state";
    /// On a state, with 16 bits of the hash of a refresh token at its end: the state knows that token, so no other `CubeCredential`
    /// sends it. The value is `true`.
    pub const KNOWS: &str = "cube-operator.dev/knows-";
    /// The only value that counts.
    pub const TRUE: &str = "true";

    /// Returns whether a label or annotation is the operator's own.
    #[must_use]
    pub fn is_ours(name: &str) -> bool {
        name.starts_with("cube-operator.dev/")
    }

    /// Returns whether this label is set to [`TRUE`].
    #[must_use]
    pub fn is_set(labels: &std::collections::BTreeMap<String, String>, name: &str) -> bool {
        labels.get(name).is_some_and(|value| value == TRUE)
    }
}

/// The annotations that people set, and those that the operator records on the Secrets that it writes.
pub mod annotation {
    /// On a Secret with a client or an initial refresh token: the only hosts that its content may be sent to, as `host` (any
    /// port) or `host:port`, separated by commas.
    pub const TOKEN_HOSTS: &str = "cube-operator.dev/token-hosts";
    /// On the same Secrets: the CA bundles that count if a list of hosts applies, as `ConfigMap/NAME` or `Secret/NAME`, separated
    /// by commas.
    pub const TOKEN_CA: &str = "cube-operator.dev/token-ca";
    /// On a `CubeCredential`: any new value requests one exchange.
    pub const REFRESH_REQUESTED_AT: &str = "cube-operator.dev/refresh-requested-at";
    /// On a `CubeCredential`: a person is signing in with `kubectl cube login`. The value names the sign-in and the time at which it
    /// ends, such as `3f9a21c8 2026-11-21T10:45:00Z`.
    pub const LOGIN: &str = "cube-operator.dev/login";
    /// On a target that a deleted `CubeCredential` left, or on a copy of a state: the uid of the `CubeCredential` that may
    /// continue it.
    pub const ADOPTABLE_BY: &str = "cube-operator.dev/adoptable-by";

    /// On a target or state: the name of the `CubeCredential` that owns it.
    pub const OWNER_NAME: &str = "cube-operator.dev/owner-name";
    /// On a target or state: the uid of the `CubeCredential` that owns it. This is the mark of ownership.
    pub const OWNER_UID: &str = "cube-operator.dev/owner-uid";
    /// On a target or state: the namespace and the name that it was written under, as `namespace/name`. A copy by another name has
    /// the marks of its original, and this one tells them apart.
    pub const WRITTEN_TO: &str = "cube-operator.dev/written-to";
    /// On a target: when the request for its token was sent (RFC 3339).
    pub const ISSUED_AT: &str = "cube-operator.dev/issued-at";
    /// On a target: when its token expires (RFC 3339).
    pub const EXPIRES_AT: &str = "cube-operator.dev/expires-at";
    /// On a target: a keyed hash of its data and of this record, so that an edit shows.
    pub const CONTENT_HASH: &str = "cube-operator.dev/content-hash";
    /// On a target: a keyed hash of what the token was issued for.
    pub const INPUTS_HASH: &str = "cube-operator.dev/inputs-hash";
    /// On a target: the generation of the `CubeCredential` for which the inputs were last confirmed.
    pub const GENERATION: &str = "cube-operator.dev/generation";
    /// On a target: the resourceVersion of the source Secret for which the inputs were last confirmed.
    pub const SOURCE_VERSION: &str = "cube-operator.dev/source-resource-version";
    /// On a target of a stored refresh token: the resourceVersion of the initial refresh token's Secret for which it was last
    /// confirmed.
    pub const SEED_VERSION: &str = "cube-operator.dev/seed-resource-version";
    /// On a target of a credential that names a provider object: a hash of that object's fields for which the inputs were last
    /// confirmed.
    pub const PROVIDER_VERSION: &str = "cube-operator.dev/provider-version";
    /// On a target of a stored refresh token: the number of the provider's response that its token came with.
    pub const ROTATION: &str = "cube-operator.dev/rotation";
    /// On such a target: a keyed hash of the initial refresh token of its login, if the provider has replaced that one. It says so
    /// also where the state is gone.
    pub const SPENT_SEED: &str = "cube-operator.dev/spent-seed";
    /// On a target of a stored refresh token: the end of the login (RFC 3339), where the provider states it.
    pub const LOGIN_EXPIRES_AT: &str = "cube-operator.dev/login-expires-at";
    /// On such a target: the last refresh did not extend the login.
    pub const LOGIN_FIXED: &str = "cube-operator.dev/login-fixed";
    /// On a target: the hash of the last refresh request that was served.
    pub const REFRESH_REQUEST: &str = "cube-operator.dev/refresh-request";
    /// On a target: its API has not accepted its token, which was published in spite of that. The value is `true`.
    pub const UNPROVEN: &str = "cube-operator.dev/unproven";
    /// On a target: the scopes that were granted, separated by spaces, where the response stated them.
    pub const SCOPES: &str = "cube-operator.dev/scopes";
    /// On a target whose data templates have made: the hash of these templates.
    pub const TEMPLATES: &str = "cube-operator.dev/templates";
    /// On such a target: its keys, separated by commas.
    pub const KEYS: &str = "cube-operator.dev/keys";
    /// On such a target: the first 8 hexadecimal digits of the SHA-256 of its token.
    pub const TOKEN_FINGERPRINT: &str = "cube-operator.dev/token-fingerprint";
    /// On such a target: the hash of what the token was issued for, keyed with what the templates made of it. It proves to another
    /// `CubeCredential` of the same name that it may continue the target.
    pub const RENDERED_INPUTS_HASH: &str = "cube-operator.dev/rendered-inputs-hash";
    /// On a target: the type it was created with, because metadata does not show a Secret's type.
    pub const TYPE: &str = "cube-operator.dev/type";

    /// On a pod that mounts a target: the token that the target was last refreshed with, as the time of its request and its
    /// fingerprint. A change of the pod's object makes the kubelet bring the new token into the volume immediately.
    pub const REFRESHED_AT: &str = "cube-operator.dev/refreshed-at";
    /// On the pod template of a workload: when the operator last restarted it (RFC 3339).
    pub const RESTARTED_AT: &str = "cube-operator.dev/restarted-at";
    /// On the same template, with the uid of a `CubeCredential` at its end: the token that it was restarted for, as the time of its
    /// request and its fingerprint.
    pub const RESTARTED_FOR: &str = "cube-operator.dev/restarted-for-";
}

//! How a pod uses the token.

/// A pod that mounts the token, to be pasted.
pub(super) fn volume(target: &str) -> String {
    format!(
        "\nMount it in your pods, and read /token/access-token for each request:\n\n\
         spec:\n  \
           containers:\n  \
           - name: app\n    \
             volumeMounts:\n    \
             - {{name: token, mountPath: /token, readOnly: true}}\n  \
           volumes:\n  \
           - name: token\n    \
             secret: {{secretName: {target}}}   # keys: access-token, token-type, expires-at"
    )
}

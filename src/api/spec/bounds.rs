//! The rules and bounds of the spec's fields, which the API server enforces.

use kube::core::Rule;
use schemars::{Schema, SchemaGenerator, json_schema};

/// A regular expression for the names in `oauth::parameters`, in any case. `settings` checks again, because a name in a query may
/// be urlencoded.
pub(in crate::api) const RESERVED: &str = "(?i:grant[_.]type|client[_.](id|secret)|refresh[_.]token|scope|response[_.]type|username|password\
    |code([_.]verifier)?|redirect[_.]uri|assertion|device[_.]code\
    |(client[_.]assertion|(subject|actor)[_.]token|requested[_.])[^=&]*)";

/// A regular expression for the further parameters that a sign-in adds to the authorization URL (RFC 7636, `OpenID` Connect).
pub(in crate::api) const SET_BY_LOGIN: &str =
    "(?i:state|nonce|response[_.]mode|code[_.]challenge([_.]method)?|request([_.]uri)?)";

/// A regular expression for the name of a header (RFC 9110, section 5.6.2).
pub(in crate::api) const PROBE_HEADER_NAME: &str = "[-!#$%&\\'*+.^_`|~0-9A-Za-z]{1,64}";

/// A regular expression for the headers in `oauth::probe` that a spec may not set, in any case.
pub(in crate::api) const PROBE_RESERVED: &str = "(?i:authorization|host|content-.*|transfer-encoding|te|trailer|connection|keep-alive|upgrade\
    |http2-settings|expect|cookie2?|proxy-.*)";

/// The same URLs that `oauth::endpoint` accepts.
pub(in crate::api) fn url_rule(field: &str) -> Rule {
    let message = format!(
        "{field} must start with https:// in lower case, name a host, and have neither user nor password, fragment or blank"
    );
    let rule = "self.matches('^https://[^@#/?\\\\s]+([/?][^#\\\\s]*)?$') && isURL(self)";
    Rule::new(rule).message(message.as_str())
}

/// No parameter of the query has one of these names.
pub(in crate::api) fn query_rule(names: &str) -> Rule {
    Rule::new(format!("!self.matches('^[^?]*[?]([^&]*&)*{names}(=|&|$)')"))
}

/// The rule allows hours, minutes and seconds in this order, because CEL and this program read other durations differently. The
/// pattern comes first, so that other texts get the message of this rule instead of a type conversion error.
pub(in crate::api) fn duration_rule(least: &str, most: &str) -> Rule {
    Rule::new(format!(
        "self.matches('^([0-9]+h)?([0-9]+m)?([0-9]+s)?$|^[0-9]+[.][0-9]+[hms]$') && self.size() > 0 \
         && duration(self) >= duration('{least}') && duration(self) <= duration('{most}')"
    ))
}

/// `oauth::authentication` checks the same: a client id has printable ASCII (RFC 6749, appendix A.1), and no blank at an end.
pub(super) fn client_id_rule() -> Rule {
    Rule::new("self.matches('^[!-~]([ -~]*[!-~])?$')")
        .message("clientID has printable ASCII characters, without a blank at an end")
}

pub(super) fn audience_rule() -> Rule {
    Rule::new("self.matches('^[!-~]+$')")
        .message("audience has printable ASCII characters and no blank")
}

/// The operator itself knows all audiences of the API server, and the policy of its account these.
pub(super) fn api_server_rule() -> Rule {
    Rule::new("!self.matches('^(https?://)?kubernetes([.]default([.]svc([.].*)?)?)?/?$')").message(
        "audience is the name that the provider expects: a token for the API server of this cluster would be a login to it",
    )
}

pub(in crate::api) fn name_rule() -> Rule {
    Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')").message(
        "a name has lower-case letters, digits, '-' and '.', and starts and ends with a letter or digit",
    )
}

pub(in crate::api) fn key_rule() -> Rule {
    Rule::new("self.matches('^[-._a-zA-Z0-9]+$')")
        .message("a key has letters, digits, '-', '_' and '.'")
}

/// One key, or two for a client secret that is being replaced.
pub(super) fn secret_keys_rule() -> Rule {
    Rule::new("self.matches('^[-._a-zA-Z0-9]{1,253}(,[-._a-zA-Z0-9]{1,253})?$')").message(
        "a key has 1 to 253 letters, digits, '-', '_' and '.'; a second key follows after a comma, without a space",
    )
}

pub(super) fn distinct_keys_rule() -> Rule {
    Rule::new("!self.contains(',') || self.split(',')[0] != self.split(',')[1]")
        .message("the two keys of clientSecretKey must differ: name the key of the next client secret second")
}

/// `oauth::parameters` checks the same.
pub(in crate::api) fn parameter_name_rule() -> Rule {
    Rule::new("self.all(k, k.matches('^[-_.A-Za-z0-9]{1,128}$'))")
        .message("a parameter's name must have 1 to 128 letters, digits, '-', '_' and '.'")
}

pub(in crate::api) fn metadata_key_rule() -> Rule {
    Rule::new("self.all(k, k.size() <= 316 && k.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$'))")
        .message("a name here has letters, digits, '-', '_' and '.', after an optional prefix such as example.com/")
}

pub(in crate::api) fn prefix_rule() -> Rule {
    Rule::new("self.all(k, !k.startsWith('cube-operator.dev/'))").message(
        "names that start with cube-operator.dev/ are the operator's own: use another prefix",
    )
}

/// The types of Secrets that `template::SecretType` knows, and all types that are not of Kubernetes.
pub(in crate::api) fn type_rule() -> Rule {
    let of_kubernetes = "^([^/]*[.])?kubernetes[.]io/";
    let allowed = "^kubernetes[.]io/(basic-auth|dockercfg|dockerconfigjson|ssh-auth|tls)$";
    let rule = format!(
        "self.matches('^[A-Za-z0-9][-A-Za-z0-9_./]*$') && (!self.matches('{of_kubernetes}') || self.matches('{allowed}'))"
    );
    Rule::new(rule).message(
        "target.type must be Opaque, a type of your own such as example.com/token, or with target.data one of \
         kubernetes.io/basic-auth, dockercfg, dockerconfigjson, ssh-auth and tls",
    )
}

/// The keys that a type of Kubernetes demands. The API server would refuse the Secret without them.
pub(in crate::api) fn data_rule(of: &str, keys: &[&str], operator: &str) -> Rule {
    let has: Vec<_> = keys
        .iter()
        .map(|key| format!("'{key}' in self.data"))
        .collect();
    let rule = format!(
        "self.type != '{of}' || (has(self.data) && ({}))",
        has.join(operator)
    );
    let keys = keys.join(if operator == " || " { " or " } else { " and " });
    let message = format!("target.type {of} needs target.data with key {keys}");
    Rule::new(rule).message(message.as_str())
}

/// The API server's own rule for the keys of a Secret.
pub(in crate::api) fn data_key_rule() -> Rule {
    Rule::new(
        "self.all(k, k.size() <= 253 && k.matches('^[-._a-zA-Z0-9]+$') && k != '.' && !k.startsWith('..'))",
    )
    .message("a key of target.data has 1 to 253 letters, digits, '-', '_' and '.', and does not start with '..'")
}

pub(in crate::api) fn one_endpoint_rule() -> Rule {
    Rule::new("has(self.tokenURL) != has(self.issuer)").message(
        "exactly one of tokenURL and issuer is required: write the token endpoint, or the issuer whose metadata names it",
    )
}

pub(in crate::api) fn endpoint_hosts_rule() -> Rule {
    Rule::new("!has(self.endpointHosts) || self.endpointHosts.size() == 0 || has(self.issuer)")
        .message("endpointHosts are for the endpoints that the metadata of an issuer names: remove them, or set issuer")
}

// These fields use `schema_with`, because schemars has no attribute for the bounds of a list's or map's elements, and the API
// server rejects rules over strings without a bound (it estimates their cost from the bound).

pub(in crate::api) fn scopes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": 64,
        // A scope-token of RFC 6749, section 3.3.
        "items": {"type": "string", "minLength": 1, "maxLength": 256, "pattern": r"^[!#-\[\]-~]+$"},
    })
}

/// Names of namespaces, each perhaps with a `*` at its end.
pub(in crate::api) fn namespace_patterns(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "minItems": 1, "maxItems": 256,
        "items": {"type": "string", "minLength": 1, "maxLength": 63, "pattern": r"^(\*|[a-z0-9][-a-z0-9]*\*?)$"},
    })
}

/// The entries that `oauth::hosts` reads.
pub(in crate::api) fn endpoint_hosts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": 8,
        "items": {"type": "string", "minLength": 1, "maxLength": 261, "pattern": r"^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$"},
    })
}

pub(in crate::api) fn parameters(_: &mut SchemaGenerator) -> Schema {
    string_map(
        32,
        &json_schema!({"type": "string", "minLength": 1, "maxLength": 2048}),
    )
}

/// The audiences or resources of a token exchange.
pub(in crate::api) fn exchanged_for(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": 16,
        "items": {"type": "string", "minLength": 1, "maxLength": 512, "pattern": "^[!-~]+$"},
    })
}

pub(in crate::api) fn probe_headers(_: &mut SchemaGenerator) -> Schema {
    // Printable ASCII without a blank at an end.
    let pattern = "^[!-~]([ -~]*[!-~])?$";
    string_map(
        16,
        &json_schema!({"type": "string", "minLength": 1, "maxLength": 1024, "pattern": pattern}),
    )
}

pub(in crate::api) fn expected_statuses(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": 32,
        "items": {"type": "integer", "minimum": 100, "maximum": 599},
    })
}

pub(in crate::api) fn target_labels(_: &mut SchemaGenerator) -> Schema {
    let pattern = "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$";
    string_map(
        32,
        &json_schema!({"type": "string", "maxLength": 63, "pattern": pattern}),
    )
}

pub(in crate::api) fn target_annotations(_: &mut SchemaGenerator) -> Schema {
    string_map(32, &json_schema!({"type": "string", "maxLength": 4096}))
}

pub(in crate::api) fn target_data(_: &mut SchemaGenerator) -> Schema {
    let mut schema = string_map(32, &json_schema!({"type": "string", "maxLength": 8192}));
    schema.insert("minProperties".into(), 1.into());
    schema
}

fn string_map(max: u32, value: &Schema) -> Schema {
    json_schema!({"type": "object", "maxProperties": max, "additionalProperties": value})
}

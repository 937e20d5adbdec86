//! The rules and bounds of the spec's fields, which the API server enforces.

use kube::core::Rule;
use schemars::{Schema, SchemaGenerator, json_schema};

/// A regular expression for the names in `oauth::parameters`, in any case. `settings` checks again, because a name in a query may
/// be urlencoded.
pub(super) const RESERVED: &str = "(?i:grant[_.]type|client[_.](id|secret)|refresh[_.]token|scope|response[_.]type|username|password\
    |code([_.]verifier)?|redirect[_.]uri|assertion|device[_.]code\
    |(client[_.]assertion|(subject|actor)[_.]token|requested[_.])[^=&]*)";

/// The rule allows hours, minutes and seconds in this order, because CEL and this program read other durations differently. The
/// pattern comes first, so that other texts get the message of this rule instead of a type conversion error.
pub(super) fn duration_rule(least: &str, most: &str) -> Rule {
    Rule::new(format!(
        "self.matches('^([0-9]+h)?([0-9]+m)?([0-9]+s)?$|^[0-9]+[.][0-9]+[hms]$') && self.size() > 0 \
         && duration(self) >= duration('{least}') && duration(self) <= duration('{most}')"
    ))
}

pub(super) fn name_rule() -> Rule {
    Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')").message(
        "a name has lower-case letters, digits, '-' and '.', and starts and ends with a letter or digit",
    )
}

pub(super) fn key_rule() -> Rule {
    Rule::new("self.matches('^[-._a-zA-Z0-9]+$')")
        .message("a key has letters, digits, '-', '_' and '.'")
}

pub(super) fn metadata_key_rule() -> Rule {
    Rule::new("self.all(k, k.size() <= 316 && k.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$'))")
        .message("a name here has letters, digits, '-', '_' and '.', after an optional prefix such as example.com/")
}

pub(super) fn prefix_rule() -> Rule {
    Rule::new("self.all(k, !k.startsWith('cube-operator.dev/'))").message(
        "names that start with cube-operator.dev/ are the operator's own: use another prefix",
    )
}

// These fields use `schema_with`, because schemars has no attribute for the bounds of a list's or map's elements, and the API
// server rejects rules over strings without a bound (it estimates their cost from the bound).

pub(super) fn scopes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": 64,
        // A scope-token of RFC 6749, section 3.3.
        "items": {"type": "string", "minLength": 1, "maxLength": 256, "pattern": r"^[!#-\[\]-~]+$"},
    })
}

pub(super) fn parameters(_: &mut SchemaGenerator) -> Schema {
    string_map(
        32,
        &json_schema!({"type": "string", "minLength": 1, "maxLength": 2048}),
    )
}

pub(super) fn target_labels(_: &mut SchemaGenerator) -> Schema {
    let pattern = "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$";
    string_map(
        32,
        &json_schema!({"type": "string", "maxLength": 63, "pattern": pattern}),
    )
}

pub(super) fn target_annotations(_: &mut SchemaGenerator) -> Schema {
    string_map(32, &json_schema!({"type": "string", "maxLength": 4096}))
}

fn string_map(max: u32, value: &Schema) -> Schema {
    json_schema!({"type": "object", "maxProperties": max, "additionalProperties": value})
}

//! The values of the flags of `create`, and the rules of names.

use jiff::SignedDuration;
use serde::de::{DeserializeOwned, value::StringDeserializer};

use crate::api::{CaBundleRef, ProviderRef, SubjectTokenRef};

/// The longest name of a `CubeCredential`: names of Secrets are derived from it.
const LONGEST_NAME: usize = 242;

/// A value of an enum of the spec.
pub(super) fn variant<T: DeserializeOwned>(name: String) -> Result<T, serde::de::value::Error> {
    T::deserialize(StringDeserializer::new(name))
}

pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    let parsed = text.parse::<SignedDuration>().ok();
    parsed
        .filter(|limit| (1..=3600).contains(&limit.as_secs()))
        .ok_or_else(|| "write a duration from 1s to 1h, such as 2m".into())
}

pub(super) fn parameter(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(_, value)| !value.is_empty());
    let (name, value) = pair.ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A CA bundle as the annotation `token-ca` names it, perhaps with its key.
pub(super) fn ca_bundle(text: &str) -> Result<CaBundleRef, String> {
    let (object, key) = text.split_once(':').unwrap_or((text, "ca.crt"));
    let (kind, name) = object
        .split_once('/')
        .ok_or("write ConfigMap/NAME or Secret/NAME")?;
    object_name(name)?;
    let kind = variant(kind.to_owned()).map_err(|_| "the kind is ConfigMap or Secret")?;
    Ok(CaBundleRef {
        kind,
        name: name.to_owned(),
        key: key.to_owned(),
        system_roots: crate::api::SystemRoots::Keep,
    })
}

/// The Secret with a subject token, perhaps with its key.
pub(super) fn subject_secret(text: &str) -> Result<SubjectTokenRef, String> {
    let (name, key) = text.split_once(':').unwrap_or((text, "token"));
    object_name(name)?;
    let (name, key) = (name.to_owned(), key.to_owned());
    Ok(SubjectTokenRef { name, key })
}

/// A provider object as KIND/NAME.
pub(super) fn provider_ref(text: &str) -> Result<ProviderRef, String> {
    const FORM: &str = "write CubeProvider/NAME or ClusterCubeProvider/NAME";
    let (kind, name) = text.split_once('/').ok_or(FORM)?;
    object_name(name)?;
    Ok(ProviderRef {
        kind: variant(kind.to_owned()).map_err(|_| FORM)?,
        name: name.to_owned(),
    })
}

/// The rules of the API server for the name of a `CubeCredential`.
pub(super) fn credential_name(name: &str) -> Result<(), String> {
    if name.len() > LONGEST_NAME {
        return Err(format!("a name has at most {LONGEST_NAME} characters here"));
    }
    object_name(name)
}

pub(super) fn object_name(name: &str) -> Result<(), String> {
    let is_part = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !part.is_empty()
            && part.bytes().all(allowed)
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    if name.len() <= 253 && name.split('.').all(is_part) {
        return Ok(());
    }
    Err(format!(
        "{name:?} is not a valid object name: write lower-case letters, digits, '-' and '.', with a letter or digit at both ends"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{CaBundleKind, Provider};

    #[test]
    fn a_name_follows_the_rules_of_the_api_server() {
        for name in ["a", "my-api", "a.b-c.0"] {
            assert_eq!(credential_name(name), Ok(()), "{name}");
        }
        for name in ["", "A", "a_b", "-a", "a-", "a..b", "a.", "ä", "a b"] {
            assert!(credential_name(name).is_err(), "{name}");
        }
        assert!(credential_name(&"a".repeat(242)).is_ok());
        assert!(credential_name(&"a".repeat(243)).is_err());
    }

    #[test]
    fn a_ca_bundle_is_kind_and_name_and_perhaps_a_key() {
        let read = ca_bundle("ConfigMap/roots").unwrap();
        assert_eq!(
            (read.kind, &*read.name, &*read.key),
            (CaBundleKind::ConfigMap, "roots", "ca.crt")
        );
        let read = ca_bundle("Secret/roots:tls.crt").unwrap();
        assert_eq!(
            (read.kind, &*read.name, &*read.key),
            (CaBundleKind::Secret, "roots", "tls.crt")
        );
        for text in ["roots", "Pod/roots", "ConfigMap/", "ConfigMap/A"] {
            assert!(ca_bundle(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_subject_token_is_in_a_secret_and_perhaps_under_a_key() {
        let read = |text| subject_secret(text).map(|read| (read.name, read.key));
        let expected = |name: &str, key: &str| Ok((name.to_owned(), key.to_owned()));
        assert_eq!(read("subject"), expected("subject", "token"));
        assert_eq!(read("subject:id.token"), expected("subject", "id.token"));
        assert!(read("Subject").is_err() && read(":token").is_err());
    }

    #[test]
    fn the_values_of_the_spec_are_read_by_their_names() {
        assert_eq!(variant("CubeSoftware".into()), Ok(Provider::CubeSoftware));
        assert_eq!(parameter("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(parameter("a").is_err() && parameter("a=").is_err());
        assert!(duration("0s").is_err() && duration("2h").is_err() && duration("90s").is_ok());
    }
}

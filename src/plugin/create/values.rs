//! The values of the flags of `create`, and the rules of names.

use jiff::SignedDuration;
use serde::de::{DeserializeOwned, value::StringDeserializer};

use crate::{
    api::{CaBundleRef, ProviderRef, SubjectTokenRef},
    plugin::questions::Check,
};

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

/// A parser of a flag, which makes the same check as the question for it.
pub(super) fn checked(
    check: Check,
) -> impl Fn(&str) -> Result<String, String> + Clone + Send + Sync + 'static {
    move |text| check(text).map(|()| text.to_owned())
}

/// A name or URI of a service that a token is for.
pub(super) fn target(text: &str) -> Result<(), String> {
    if (1..=512).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err("write 1 to 512 printable ASCII characters, and no blank".into())
}

/// The audience of a `ServiceAccount`'s token, which is sent to a provider.
pub(super) fn audience(text: &str) -> Result<(), String> {
    target(text)?;
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let host = host.unwrap_or(text);
    let name = host.strip_suffix('/').unwrap_or(host);
    let is_api_server = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
        .contains(&name)
        || host.starts_with("kubernetes.default.svc.");
    if is_api_server {
        return Err("write the name that the provider expects: a token for the API server of this cluster would be a login to it".into());
    }
    Ok(())
}

/// A claim of an assertion.
pub(super) fn claim(text: &str) -> Result<(), String> {
    printable(text, 512)
}

/// A claim that has a default.
pub(super) fn empty_or_claim(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    claim(text)
}

pub(super) fn key_id(text: &str) -> Result<(), String> {
    printable(text, 256)
}

fn printable(text: &str, most: usize) -> Result<(), String> {
    let allowed = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if (1..=most).contains(&text.len()) && text.bytes().all(allowed) && text.trim() == text {
        return Ok(());
    }
    Err(format!(
        "write 1 to {most} printable ASCII characters, without a blank at an end"
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
    fn what_admission_refuses_in_a_grant_is_refused_in_its_flags() {
        let longest = "a".repeat(512);
        for text in ["a", "https://api.example.com/?a=b#c", "!~", &longest] {
            assert!(target(text).is_ok() && claim(text).is_ok(), "{text}");
        }
        let longer = "a".repeat(513);
        for text in ["", "a ", " a", "a\tb", "a\n", "ä", &longer] {
            assert!(target(text).is_err() && claim(text).is_err(), "{text}");
        }
        assert!(target("a b").is_err() && claim("a b").is_ok());
        assert!(key_id(&longest[..256]).is_ok() && key_id(&longest[..257]).is_err());
        assert!(empty_or_claim("").is_ok() && empty_or_claim(" ").is_err());
        for text in [
            "kubernetes",
            "kubernetes/",
            "http://kubernetes.default",
            "https://kubernetes.default.svc/",
            "https://kubernetes.default.svc.cluster.local",
        ] {
            assert!(audience(text).is_err() && target(text).is_ok(), "{text}");
        }
        for text in [
            "kubernetes.example.com",
            "kubernetes.default.example",
            "svc",
        ] {
            assert!(audience(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn the_values_of_the_spec_are_read_by_their_names() {
        assert_eq!(variant("CubeSoftware".into()), Ok(Provider::CubeSoftware));
        assert_eq!(parameter("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(parameter("a").is_err() && parameter("a=").is_err());
        assert!(duration("0s").is_err() && duration("2h").is_err() && duration("90s").is_ok());
    }
}

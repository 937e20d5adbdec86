//! The checks before anything is sent. They need no request.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::{
    AccountRole, CaBundle, CaBundleFlaw, ClientValues, Flaw, Holder, Outer, Rejection, SecretRole,
    Source, SourceValue,
    rejection::Rejection::{HostListMalformed, HostNotAllowedByOperator, HostNotAllowedByOwner},
};
use crate::{
    api::{RefreshTokenRef, SystemRoots},
    oauth::{
        ca_bundle::{CaBundleError, TrustedCa},
        endpoint::Endpoint,
        hosts::HostList,
        private_key,
    },
    reconcile::{digest::hex, provider::ProviderFlaw, settings::Settings},
};

pub(super) type Checked<T> = Result<T, Rejection>;

/// Checks that the initial refresh token or the subject token can be used. Once a login has `begun` with it, it may be deleted.
pub(in crate::reconcile) fn own_token(
    role: SecretRole,
    reference: &RefreshTokenRef,
    source: &Source<SourceValue>,
    begun: bool,
) -> Checked<()> {
    let (name, key) = (&reference.name, &reference.key);
    match source {
        Source::Unread(_) => Ok(()),
        Source::NotLabelled => Err(not_labelled(role, name)),
        Source::Absent if begun => Ok(()),
        Source::Absent => Err(absent(role, name)),
        Source::Read(found) => match token(&found.values) {
            Ok(Some(_)) => Ok(()),
            Ok(None) if begun => Ok(()),
            Ok(None) => Err(key_missing(role, name, key)),
            Err(flaw) => Err(malformed(role, name, key, flaw)),
        },
    }
}

/// Checks that the token of this ServiceAccount may be requested, as far as it was read. It has nothing but its consent.
pub(in crate::reconcile) fn account(
    role: AccountRole,
    name: &str,
    source: &Source<SourceValue>,
) -> Checked<()> {
    let role = SecretRole::ServiceAccount(role);
    match source {
        Source::Unread(_) | Source::Read(_) => Ok(()),
        Source::NotLabelled => Err(not_labelled(role, name)),
        Source::Absent => Err(absent(role, name)),
    }
}

/// The initial refresh token or the subject token, if it is present and can be sent.
pub(in crate::reconcile) fn usable_token(source: &Source<SourceValue>) -> Option<&SecretString> {
    match source {
        Source::Read(found) => token(&found.values).ok().flatten(),
        Source::Unread(_) | Source::Absent | Source::NotLabelled => None,
    }
}

/// Checks that the operator allows the host.
pub(in crate::reconcile) fn operator_allows(
    allowed: Option<&HostList>,
    endpoint: &Endpoint,
) -> Checked<()> {
    match allowed {
        Some(hosts) if !hosts.allows(endpoint) => Err(HostNotAllowedByOperator {
            host: endpoint.authority(),
        }),
        _ => Ok(()),
    }
}

/// Checks that the owner of a Secret allows the host. Without a list, any host is allowed.
pub(in crate::reconcile) fn owner_allows(
    holder: Holder,
    hosts: Option<&str>,
    endpoint: &Endpoint,
) -> Checked<()> {
    let Some(hosts) = hosts else { return Ok(()) };
    match HostList::parse(hosts) {
        Err(_) => Err(HostListMalformed { holder }),
        Ok(list) if list.allows(endpoint) => Ok(()),
        Ok(_) => Err(HostNotAllowedByOwner {
            holder,
            host: endpoint.authority(),
        }),
    }
}

/// Checks that the provider object can be used, if the spec names one.
pub(in crate::reconcile) fn provider(settings: &Settings) -> Checked<()> {
    match settings.provider_flaw() {
        Some(flaw) => Err(Rejection::Provider(flaw.clone())),
        None => Ok(()),
    }
}

/// The further CA certificates, if they can be used.
pub(in crate::reconcile) fn ca_bundle(
    settings: &Settings,
    found: &CaBundle,
) -> Checked<Option<TrustedCa>> {
    provider(settings)?;
    if let Some(trusted) = settings.provider_ca() {
        return Ok(Some(trusted.clone()));
    }
    if settings.provider_ca_field().is_some() {
        // It has some that are not known here, and the system's alone are not those that it trusts.
        return Err(Rejection::Provider(ProviderFlaw::Unlisted));
    }
    let Some(reference) = &settings.ca_bundle else {
        return Ok(None);
    };
    let key = reference.key.clone();
    let flaw = match found {
        CaBundle::Read(certificates) => {
            return Ok(Some(TrustedCa {
                certificates: Arc::clone(certificates),
                system_roots: reference.system_roots,
            }));
        }
        CaBundle::Unusable(CaBundleError::TooLarge) => CaBundleFlaw::TooLarge { key },
        CaBundle::Unusable(CaBundleError::TooMuchKept) => CaBundleFlaw::TooMuchKept { key },
        CaBundle::Unusable(CaBundleError::NoCertificate) => CaBundleFlaw::NotPem { key },
        CaBundle::Unusable(CaBundleError::AllLeftOut(why)) => {
            CaBundleFlaw::AllLeftOut { key, why: *why }
        }
        CaBundle::Unread => CaBundleFlaw::Unread,
        CaBundle::Absent => CaBundleFlaw::Absent,
        CaBundle::NotLabelled => CaBundleFlaw::NotLabelled,
        CaBundle::NoKey => CaBundleFlaw::NoKey { key },
    };
    Err(Rejection::CaBundle {
        reference: reference.clone(),
        flaw,
    })
}

/// A plain hash of the certificates in a CA bundle: they are public, so it may be stored. The rest of the text is left out, because
/// a spec may name the key of a secret.
pub(in crate::reconcile) fn ca_bundle_hash(found: &CaBundle) -> Option<String> {
    match found {
        CaBundle::Read(certificates) => Some(hex(&certificates.hash()[..8])),
        _ => None,
    }
}

/// The same of the CA certificates that an exchange would trust, wherever they come from.
pub(in crate::reconcile) fn ca_hash(settings: &Settings, found: &CaBundle) -> Option<String> {
    match settings.provider_ca() {
        Some(trusted) => {
            let hash = hex(&trusted.certificates.hash()[..8]);
            Some(match trusted.system_roots {
                SystemRoots::Keep => hash,
                SystemRoots::Replace => format!("{hash}-replace"),
            })
        }
        None => ca_bundle_hash(found),
    }
}

/// The flaw of a value that is about to be written to a Secret.
#[cfg(feature = "plugin")]
pub(crate) fn flaw(value: &str) -> Option<Flaw> {
    text(&SourceValue::Text(value.into())).err()
}

/// The one of the two keys for the client secret under which the Secret has nothing that can be sent.
pub(in crate::reconcile) fn missing_secret<'a>(
    values: &ClientValues,
    (first, second): (&'a str, &'a str),
) -> Option<&'a str> {
    let usable = |value| matches!(text(value), Ok(Some(_)));
    match (usable(&values.secret), usable(&values.next_secret)) {
        (false, _) => Some(first),
        (_, false) => Some(second),
        _ => None,
    }
}

/// The text of a value that is present.
pub(super) fn text(value: &SourceValue) -> Result<Option<&SecretString>, Flaw> {
    let text = match value {
        SourceValue::Absent => return Ok(None),
        SourceValue::NotText => return Err(Flaw::NotText),
        SourceValue::Text(text) => text,
    };
    match text.expose_secret() {
        "" => Err(Flaw::Empty),
        text if private_key::is_in(text) => Err(Flaw::PrivateKey),
        text if text.ends_with('\n') => Err(Flaw::TrailingNewline),
        text if text.contains(char::is_control) => Err(Flaw::ControlCharacter),
        value => match outer_blank(value) {
            Some((place, character)) => Err(Flaw::OuterBlank { place, character }),
            None => Ok(Some(text)),
        },
    }
}

/// An editor or a copied web page leaves such characters around a value, where nobody sees them. A blank inside of it may be meant.
fn outer_blank(value: &str) -> Option<(Outer, char)> {
    let start = value.chars().next().map(|c| (Outer::Start, c));
    let end = value.chars().next_back().map(|c| (Outer::End, c));
    let mut ends = start.into_iter().chain(end);
    ends.find(|(_, c)| c.is_whitespace() || is_without_width(*c))
}

/// The characters that are not drawn, or only control how others are. Marks that combine with a letter are a part of it.
fn is_without_width(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
            // Letters and symbols that are drawn as blanks.
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}'
    )
}

/// The text of a token, which is printable ASCII (RFC 6749, appendix A.17).
fn token(value: &SourceValue) -> Result<Option<&SecretString>, Flaw> {
    match text(value)? {
        Some(text) if !text.expose_secret().is_ascii() => Err(Flaw::NotAscii),
        text => Ok(text),
    }
}

pub(super) fn absent(role: SecretRole, name: &str) -> Rejection {
    let name = name.to_owned();
    Rejection::SecretAbsent { role, name }
}

pub(super) fn not_labelled(role: SecretRole, name: &str) -> Rejection {
    let name = name.to_owned();
    Rejection::NotLabelled { role, name }
}

pub(super) fn key_missing(role: SecretRole, name: &str, key: &str) -> Rejection {
    Rejection::KeyMissing {
        role,
        name: name.to_owned(),
        key: key.to_owned(),
    }
}

pub(super) fn malformed(role: SecretRole, name: &str, key: &str, flaw: Flaw) -> Rejection {
    Rejection::Malformed {
        role,
        name: name.to_owned(),
        key: key.to_owned(),
        flaw,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[test]
    fn a_character_around_a_value_that_nobody_sees_is_rejected_and_one_inside_of_it_is_not() {
        let flaw = |value: String| text(&SourceValue::Text(value.into())).err();
        let invisible = [
            ' ',
            '\u{a0}',
            '\u{feff}',
            '\u{200b}',
            '\u{200d}',
            '\u{2003}',
            '\u{2028}',
            '\u{2060}',
            '\u{3000}',
            '\u{ad}',
            '\u{180e}',
            '\u{202e}',
            '\u{2066}',
            '\u{e0041}',
            '\u{3164}',
            '\u{2800}',
            '\u{fe0f}',
        ];
        for character in invisible {
            let outer = |place| Some(Flaw::OuterBlank { place, character });
            assert_eq!(flaw(format!("{character}s3cret")), outer(Outer::Start));
            assert_eq!(flaw(format!("s3cret{character}")), outer(Outer::End));
            assert_eq!(flaw(character.to_string()), outer(Outer::Start));
            assert_eq!(flaw(format!("s3{character}cret")), None);
        }
        // A letter with its mark.
        assert_eq!(flaw("caf\u{65}\u{301}".into()), None);
        assert_eq!(flaw("s3cret \n".into()), Some(Flaw::TrailingNewline));
        assert_eq!(flaw("s3cret\r\n".into()), Some(Flaw::TrailingNewline));
        assert_eq!(flaw("s3cret\r".into()), Some(Flaw::ControlCharacter));
    }

    #[test]
    fn the_flaw_of_a_value_names_the_character_and_never_the_value() {
        for (value, message) in [
            ("s3cret ", "ends with a space (U+0020)"),
            ("\u{feff}s3cret", "begins with a byte order mark (U+FEFF)"),
            ("s3cret\u{a0}", "ends with a no-break space (U+00A0)"),
            ("s3cret\u{3000}", "ends with a Unicode space (U+3000)"),
            (
                "s3cret\u{200b}",
                "ends with an invisible character (U+200B)",
            ),
        ] {
            let flaw = text(&SourceValue::Text(value.into())).unwrap_err();
            assert_eq!(flaw.to_string(), message);
        }
    }

    #[test]
    fn the_hash_of_a_bundle_says_nothing_about_a_text_that_is_no_certificate() {
        let hash = |pem: &str| ca_bundle_hash(&CaBundle::of(pem.as_bytes()));
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        let certificate = certificate.pem();
        // A spec may name the key of a client secret.
        assert_eq!(hash("planted-client-secret"), None);
        assert_eq!(
            hash(&format!("planted-client-secret\n{certificate}")),
            hash(&certificate)
        );
        assert_ne!(hash(&certificate), None);
        assert_ne!(hash(&certificate), hash(&certificate.repeat(2)));
    }
}

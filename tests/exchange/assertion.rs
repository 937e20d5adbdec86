//! A client that signs an assertion in place of a shared secret (RFC 7523, `OpenID` Connect Core section 9).

use std::{collections::BTreeMap, fs, sync::Arc};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use cube_operator::{
    api::{Reason, SigningAlgorithm},
    oauth::{
        assertion::Signer, authentication::Authentication, client::signed, grant::Grant,
        identity::ClientCertificate, private_key::PrivateKey, request::TokenRequest,
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use crate::{
    exchange, issued, local, refused,
    scripted::{Authority, LOCAL, Provider, Reply, Request},
    trusting,
};

const AUDIENCE: &str = "https://login.example/";

/// A key that OpenSSL made, from the corpus of the fuzz target.
pub(crate) fn text(name: &str) -> String {
    let path = format!(
        "{}/tests/fuzz/corpus/private_key/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    fs::read_to_string(path).unwrap()
}

fn signer(key: &str, algorithm: Option<SigningAlgorithm>) -> Signer {
    let key = PrivateKey::read(&text(key)).unwrap();
    Signer {
        id: "billing".into(),
        algorithm: key.algorithm(algorithm).unwrap(),
        key: Arc::new(key),
        key_id: None,
        certificate: None,
        audience: AUDIENCE.into(),
    }
}

/// The request as the operator sends it.
fn request(authority: &Authority, url: &str, signer: Signer) -> TokenRequest {
    let client = Authentication::PrivateKeyJwt(signer);
    TokenRequest {
        authentication: signed(client, Timestamp::now()).unwrap(),
        ..trusting(authority, url)
    }
}

pub(crate) fn form(request: &Request) -> BTreeMap<String, String> {
    form_urlencoded::parse(request.body.as_bytes())
        .into_owned()
        .collect()
}

pub(crate) fn json_of(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The header and the claims of an assertion with a good signature.
pub(crate) fn verified(
    assertion: &str,
    algorithm: &'static dyn VerificationAlgorithm,
    public: &[u8],
) -> (Value, Value) {
    let (message, signature) = assertion.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let public = UnparsedPublicKey::new(algorithm, public);
    public
        .verify(message.as_bytes(), &signature)
        .expect("the signature is the client's");
    let (header, claims) = message.split_once('.').unwrap();
    (json_of(header), json_of(claims))
}

#[test]
fn each_kind_of_key_signs_an_assertion_that_its_public_key_verifies() {
    use SigningAlgorithm::{ES256, ES384, EdDSA, PS256, RS256};
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| Reply::token("t"));
    let cases: [(_, _, &'static dyn VerificationAlgorithm); 7] = [
        ("rsa-pkcs8", RS256, &RSA_PKCS1_2048_8192_SHA256),
        ("rsa-pkcs8", PS256, &RSA_PSS_2048_8192_SHA256),
        ("rsa-jwk", PS256, &RSA_PSS_2048_8192_SHA256),
        ("p256-sec1-with-parameters", ES256, &ECDSA_P256_SHA256_FIXED),
        ("p256-jwk", ES256, &ECDSA_P256_SHA256_FIXED),
        ("p384-pkcs8", ES384, &ECDSA_P384_SHA384_FIXED),
        ("ed25519", EdDSA, &ED25519),
    ];
    for (key, algorithm, verification) in cases {
        let signer = signer(key, Some(algorithm));
        let public = signer.key.public().to_vec();
        let before = Timestamp::now().as_second();
        let request = request(&authority, &provider.url("/token?tenant=a"), signer);
        exchange(&local(), &request).unwrap();
        let mut form = form(provider.requests().last().unwrap());
        let assertion = form.remove("client_assertion").unwrap();
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", "billing"),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(form, BTreeMap::from(fields), "and nothing else");
        let (header, claims) = verified(&assertion, verification, &public);
        assert_eq!(
            header,
            json!({"typ": "JWT", "alg": format!("{algorithm:?}")}),
            "{key}"
        );
        assert_eq!(claims["iss"], "billing");
        assert_eq!(claims["sub"], "billing");
        assert_eq!(claims["aud"], AUDIENCE);
        let at = claims["iat"].as_i64().unwrap();
        assert!(at >= before);
        assert_eq!(claims["exp"], at + 60);
        assert_eq!(claims["nbf"], at - 5);
    }
}

#[test]
fn a_certificate_is_named_by_its_thumbprint_and_never_sent() {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| Reply::token("t"));
    let certificate = ClientCertificate::read(text("certificate").as_bytes()).unwrap();
    let signer = Signer {
        key_id: Some("key 1".into()),
        certificate: Some(Arc::new(certificate)),
        ..signer("p256-pkcs8", None)
    };
    exchange(
        &local(),
        &request(&authority, &provider.url("/token"), signer),
    )
    .unwrap();
    let form = form(&provider.requests()[0]);
    let header = form["client_assertion"].split('.').next().unwrap();
    let pem = text("certificate");
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    let der = base64::engine::general_purpose::STANDARD.decode(lines.collect::<String>());
    let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(der.unwrap()));
    assert_eq!(
        json_of(header),
        json!({"typ": "JWT", "alg": "ES256", "kid": "key 1", "x5t#S256": thumbprint})
    );
}

#[test]
fn a_refresh_is_authenticated_in_the_same_way() {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| {
        Reply::json(200, r#"{"access_token":"t","refresh_token":"next"}"#)
    });
    let request = TokenRequest {
        grant: Grant::RefreshToken("first".into()),
        ..request(&authority, &provider.url("/token"), signer("ed25519", None))
    };
    let tokens = issued(&local(), &request);
    assert_eq!(tokens, Ok(("t".into(), Some("next".into()))));
    let form = form(&provider.requests()[0]);
    assert_eq!(form["refresh_token"], "first");
    assert!(form.contains_key("client_assertion"));
    assert!(!form.contains_key("client_secret"));
}

#[test]
fn an_assertion_that_a_provider_repeats_is_not_shown() {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |request| {
        let assertion = form(request).remove("client_assertion").unwrap();
        let body = json!({"error": "invalid_client", "error_description": format!("bad <{assertion}> here")});
        Reply::json(401, body.to_string())
    });
    let request = request(
        &authority,
        &provider.url("/token"),
        signer("rsa-pkcs1", None),
    );
    assert_eq!(
        issued(&local(), &request),
        refused(
            Reason::InvalidClient,
            "token endpoint responded 401 invalid_client (the provider says: \"bad <...> here\")"
        )
    );
    let shown = format!("{request:?}");
    let assertion = form(&provider.requests()[0])
        .remove("client_assertion")
        .unwrap();
    assert!(!shown.contains(&assertion));
    let key = text("rsa-pkcs1");
    let mut lines = key.lines().filter(|line| !line.starts_with("-----"));
    assert!(lines.all(|line| !shown.contains(line)));
}

#[test]
fn a_request_that_was_not_signed_carries_no_assertion() {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| Reply::token("t"));
    let request = TokenRequest {
        authentication: Authentication::PrivateKeyJwt(signer("ed25519", None)),
        ..trusting(&authority, &provider.url("/token"))
    };
    exchange(&local(), &request).unwrap();
    assert_eq!(
        provider.requests()[0].body,
        "grant_type=client_credentials&client_id=billing"
    );
}

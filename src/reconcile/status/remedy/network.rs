//! The remedies for exchanges without a complete response, one for each cause.

use crate::{
    oauth::error::{NetworkError, ProxyFault, Unreachable, Untrusted},
    reconcile::{settings::Settings, source::ca_bundle_name},
};

const HOST: &str = "check the host in spec.tokenURL, and the cluster's DNS";
const NAME_SERVERS: &str =
    "check the cluster's DNS, and that network policies let the operator's pod reach it";
const ROUTE: &str = "check network policies, firewall and proxy between the cluster and it, and the port in spec.tokenURL";
const TLS_SETTINGS: &str = "ask its owner to enable TLS 1.2 or 1.3 with current cipher suites";
const PROXY_VARIABLE: &str = "check the operator's variable HTTPS_PROXY, and network policies and firewall on the way to the proxy";
const NETWORK: &str = "set spec.tokenURL to another host, or have the operator's installer permit the network with --allow-network";
pub(super) const INTERMEDIARY: &str =
    "check the proxy or firewall on the way to it, and the provider's status page";
const UNKNOWN: &str = "check the host in spec.tokenURL, the cluster's DNS, and network policies, firewall and proxy on the way to it";
const ROOTS: &str =
    "check the system's CA certificates (SSL_CERT_FILE), or name some in spec.caBundleRef";

/// The remedy for this error.
pub(super) fn remedy(error: &NetworkError, settings: &Settings) -> String {
    match error {
        NetworkError::RefusedNetwork { .. } => NETWORK.into(),
        NetworkError::Unreachable { cause, .. } => reach(*cause).into(),
        NetworkError::Untrusted { cause, endpoint } => trust(cause, endpoint, settings),
        NetworkError::ClientCertificateRequired { .. } => {
            "ask the provider for a token endpoint without mutual TLS, or to exempt this client"
                .into()
        }
        NetworkError::Proxy { cause, .. } => proxy(cause),
        NetworkError::NoResponse { .. } => INTERMEDIARY.into(),
        NetworkError::Hidden { .. } => UNKNOWN.into(),
        NetworkError::NoTlsClient => ROOTS.into(),
        NetworkError::SecretNotSendable => {
            "write the client secret as the provider shows it".into()
        }
    }
}

fn reach(cause: Unreachable) -> &'static str {
    match cause {
        Unreachable::NameNotFound | Unreachable::NameNotFull => HOST,
        Unreachable::LookupFailed | Unreachable::LookupTimedOut => NAME_SERVERS,
        Unreachable::NotTls | Unreachable::NoHttp1 => {
            "check host and port in spec.tokenURL: it must be an HTTPS server with HTTP/1.1"
        }
        Unreachable::TlsVersion | Unreachable::NoCommonCipher => TLS_SETTINGS,
        Unreachable::UnknownHostName => {
            "check the host in spec.tokenURL, and ask its owner to serve that name"
        }
        Unreachable::HandshakeRefused(_)
        | Unreachable::HandshakeFailed
        | Unreachable::HandshakeTimedOut => {
            "check what is between the cluster and it (proxy, firewall), and ask its owner to look into its log"
        }
        Unreachable::NoConnection
        | Unreachable::ConnectionRefused
        | Unreachable::ConnectionClosed
        | Unreachable::NoRoute
        | Unreachable::ConnectionTimedOut
        | Unreachable::ConnectionFailed => ROUTE,
    }
}

fn proxy(fault: &ProxyFault) -> String {
    match fault {
        ProxyFault::AuthenticationRequired => {
            "set user and password in the operator's variable HTTPS_PROXY, as http://USER:PASSWORD@HOST:PORT".into()
        }
        ProxyFault::Refused {
            endpoint,
            status: Some(502..=504),
        }
        | ProxyFault::TimedOut { endpoint } => format!("check that the proxy can resolve and reach {endpoint}"),
        ProxyFault::Refused { endpoint, .. }
        | ProxyFault::Closed { endpoint }
        | ProxyFault::Unusable { endpoint, .. } => {
            format!("have the proxy allow {endpoint}, or name that host in the operator's variable NO_PROXY")
        }
        ProxyFault::Unreachable(_) => PROXY_VARIABLE.into(),
        ProxyFault::Untrusted(_) => {
            "have the proxy's owner correct it, or trust its CA by the operator's variable SSL_CERT_FILE".into()
        }
    }
}

/// A CA certificate is asked for only where one is missing.
fn trust(cause: &Untrusted, endpoint: &str, settings: &Settings) -> String {
    match cause {
        Untrusted::UnknownIssuer { alone: false, .. } => {
            add("that CA is to be trusted", "its certificate", settings)
        }
        Untrusted::UnknownIssuer { alone: true, .. } => format!(
            "{}; if it is an intermediate CA, have the owner of {endpoint} send the whole chain",
            add("that CA is to be trusted", "its certificate", settings)
        ),
        Untrusted::SelfSigned => add("it is the right one", "it", settings),
        Untrusted::OtherKey { .. } => match &settings.ca_bundle {
            Some(reference) => format!(
                "replace that certificate in key {:?} of {} by the CA's present one",
                reference.key,
                ca_bundle_name(reference)
            ),
            None => "name the CA's present certificate in spec.caBundleRef".into(),
        },
        Untrusted::Expired { .. } => format!("the owner of {endpoint} has to renew it"),
        Untrusted::NotValidYet { .. } => {
            format!("check the clock of the cluster's nodes, and ask the owner of {endpoint}")
        }
        Untrusted::WrongHost { .. } => format!(
            "set spec.tokenURL to a host of that certificate, or have the owner of {endpoint} add this one"
        ),
        Untrusted::CaCertificate => format!(
            "have the owner of {endpoint} issue a server certificate (basicConstraints CA:FALSE) from it"
        ),
        Untrusted::Revoked
        | Untrusted::NotForServers
        | Untrusted::Algorithm { .. }
        | Untrusted::ShortKey { .. }
        | Untrusted::Unusable => {
            format!(
                "the owner of {endpoint} has to replace the certificate; trusting another CA does not help"
            )
        }
    }
}

fn add(condition: &str, what: &str, settings: &Settings) -> String {
    match &settings.ca_bundle {
        Some(reference) => format!(
            "if {condition}, add {what} to key {:?} of {}",
            reference.key,
            ca_bundle_name(reference)
        ),
        None => format!(
            "if {condition}, put {what} into a ConfigMap, and name that in spec.caBundleRef"
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(bundle: bool) -> Settings {
        let mut spec = json!({"provider": "Cubewire", "clientSecretRef": {"name": "client"}});
        if bundle {
            spec["caBundleRef"] = json!({"name": "roots"});
        }
        let spec = serde_json::from_value(spec).unwrap();
        Settings::read("treasury", "main", &spec).unwrap()
    }

    fn of(cause: Untrusted, bundle: bool) -> String {
        let endpoint = "api.cubewire.com".into();
        remedy(
            &NetworkError::Untrusted { endpoint, cause },
            &settings(bundle),
        )
    }

    #[test]
    fn a_ca_certificate_is_asked_for_only_where_one_is_missing() {
        let issuer = || "\"CN=a\"".to_owned();
        let unknown = |alone| Untrusted::UnknownIssuer {
            issuer: issuer(),
            alone,
        };
        for (cause, adds) in [
            (unknown(false), true),
            (unknown(true), true),
            (Untrusted::SelfSigned, true),
            (Untrusted::OtherKey { issuer: issuer() }, false),
            (
                Untrusted::Expired {
                    at: None,
                    above: None,
                },
                false,
            ),
            (Untrusted::NotValidYet { from: None }, false),
            (
                Untrusted::WrongHost {
                    hosts: "\"b\"".into(),
                },
                false,
            ),
            (Untrusted::Revoked, false),
            (Untrusted::CaCertificate, false),
            (Untrusted::NotForServers, false),
            (
                Untrusted::Algorithm {
                    algorithm: "sha1WithRSAEncryption".into(),
                },
                false,
            ),
            (Untrusted::ShortKey { bits: 1024 }, false),
            (Untrusted::Unusable, false),
        ] {
            let with = of(cause.clone(), true);
            let added =
                with.contains("add its certificate to key") || with.contains("add it to key");
            assert_eq!(added, adds, "{with}");
            let without = of(cause, false);
            assert_eq!(without.contains("into a ConfigMap"), adds, "{without}");
        }
    }

    #[test]
    fn a_refusing_proxy_has_the_remedy_of_its_status() {
        let of = |status| {
            let endpoint = "api.cubewire.com".to_owned();
            let cause = ProxyFault::Refused { endpoint, status };
            let proxy = "proxy:3128".into();
            remedy(&NetworkError::Proxy { proxy, cause }, &settings(false))
        };
        let cannot = "check that the proxy can resolve and reach api.cubewire.com";
        for (status, expected) in [
            (Some(502), cannot),
            (Some(504), cannot),
            (
                Some(403),
                "have the proxy allow api.cubewire.com, or name that host in the operator's variable NO_PROXY",
            ),
        ] {
            assert_eq!(of(status), expected);
        }
        assert_eq!(of(None), of(Some(403)));
    }
}

//! The remedies for exchanges without a complete response, one for each cause.

use crate::{
    api::ClientAuthentication,
    oauth::{
        authentication::ClientValue,
        error::{NetworkError, ProxyFault, Unreachable, Untrusted},
        networks::RefusedNetwork,
    },
    reconcile::{settings::Settings, source::ca_bundle_name},
};

pub(super) const INTERMEDIARY: &str =
    "check the proxy, the firewall and the provider's status page";

/// The remedy for this error. `url` is the field that names the host.
pub(super) fn remedy(error: &NetworkError, settings: &Settings, url: &str) -> String {
    match error {
        NetworkError::RefusedNetwork { network, .. } => refused(*network, url),
        NetworkError::Unreachable { cause, .. } => reach(*cause, url),
        NetworkError::Untrusted { cause, .. } => trust(cause, settings, url),
        NetworkError::ClientCertificateRequired { .. } => require_certificate(settings, url),
        NetworkError::ClientCertificateRefused { .. } => register_certificate(settings),
        NetworkError::Proxy { cause, .. } => proxy(cause),
        NetworkError::NoResponse { .. } => INTERMEDIARY.into(),
        NetworkError::Hidden { .. } => {
            format!("check {url}, DNS, network policies and firewall")
        }
        NetworkError::NoTlsClient => {
            let field = settings.ca_field();
            format!("mount CA certificates (SSL_CERT_FILE), or name some in {field}")
        }
        NetworkError::NotSigned => "no action needed; if this persists, report it".into(),
        NetworkError::SecretNotSendable => {
            "write the client secret as the provider shows it".into()
        }
    }
}

/// The remedy for the server of an issuer, which gets no client certificate. `ca_field` has the CA certificates that it is judged by.
pub(in crate::reconcile::status) fn of_issuer(error: &NetworkError, ca_field: &str) -> String {
    const FIELD: &str = "spec.issuer";
    match error {
        NetworkError::RefusedNetwork { network, .. } => refused(*network, FIELD),
        NetworkError::Unreachable { cause, .. } => reach(*cause, FIELD),
        NetworkError::Untrusted { cause, .. } => match cause {
            Untrusted::UnknownIssuer { .. } | Untrusted::SelfSigned => {
                format!("if you trust its CA, put that into {ca_field}")
            }
            Untrusted::OtherKey { .. } => {
                format!("put the CA's current certificate into {ca_field}")
            }
            other => trust_server(other, FIELD),
        },
        NetworkError::Proxy { cause, .. } => proxy(cause),
        NetworkError::NoResponse { .. } => INTERMEDIARY.into(),
        NetworkError::ClientCertificateRequired { .. }
        | NetworkError::ClientCertificateRefused { .. } => "set tokenURL in place of issuer".into(),
        NetworkError::NoTlsClient => {
            format!("mount CA certificates (SSL_CERT_FILE), or put some into {ca_field}")
        }
        NetworkError::Hidden { .. } | NetworkError::NotSigned | NetworkError::SecretNotSendable => {
            "check spec.issuer, DNS, network policies and firewall".into()
        }
    }
}

/// The API of a probe gets no certificate.
fn require_certificate(settings: &Settings, url: &str) -> String {
    if url != settings.url_field() {
        return format!("name an API without mutual TLS in {url}");
    }
    match settings.authentication {
        ClientAuthentication::MutualTls => {
            "it supports no signature of this kind of key: use a key of RSA 2048 or P-256".into()
        }
        _ => "set spec.clientAuthentication to MutualTLS, or ask the provider for another endpoint"
            .into(),
    }
}

/// A provider knows a client by its certificate, or by the CA that issued it.
pub(super) fn register_certificate(settings: &Settings) -> String {
    let key = settings.client_key(ClientValue::Certificate);
    let (key, name) = (key.unwrap_or_default(), &settings.source.name);
    format!("register {key} of Secret {name:?}, or its CA, at the provider")
}

/// An installer who allows the range of a metadata service gives every author the credentials of the node.
fn refused(network: RefusedNetwork, url: &str) -> String {
    let or = match network {
        RefusedNetwork::LinkLocal | RefusedNetwork::Metadata => {
            "; never allow it, because cloud metadata services are there"
        }
        RefusedNetwork::Denied => ", or ask the installer to change --deny-network",
        RefusedNetwork::Loopback
        | RefusedNetwork::Unspecified
        | RefusedNetwork::Multicast
        | RefusedNetwork::Broadcast => {
            ", or ask the installer to allow the network (--allow-network)"
        }
    };
    format!("correct {url}{or}")
}

fn reach(cause: Unreachable, url: &str) -> String {
    let fixed = match cause {
        Unreachable::NameNotFound | Unreachable::UnknownHostName => {
            return format!("correct the host in {url}");
        }
        Unreachable::NameNotFull => {
            return format!(
                "correct the host in {url} (of a Service: NAME.NAMESPACE.svc.cluster.local)"
            );
        }
        Unreachable::LookupFailed | Unreachable::LookupTimedOut => {
            "check the cluster's DNS, and the network policy between the operator and it"
        }
        Unreachable::NotTls | Unreachable::NoHttp1 => {
            return format!("correct host and port in {url}: it must be an HTTPS server");
        }
        Unreachable::TlsVersion | Unreachable::NoCommonCipher => {
            "ask its owner to enable TLS 1.2 or 1.3 with current cipher suites"
        }
        Unreachable::HandshakeRefused(_) | Unreachable::HandshakeFailed => {
            "ask its owner for the cause in the server's log"
        }
        Unreachable::ConnectionRefused => {
            return format!("check the port in {url}, and whether the server runs");
        }
        Unreachable::HandshakeTimedOut
        | Unreachable::NoConnection
        | Unreachable::ConnectionClosed
        | Unreachable::NoRoute
        | Unreachable::ConnectionTimedOut
        | Unreachable::ConnectionFailed => {
            "check network policies, firewall and proxy between the cluster and it"
        }
        Unreachable::StoodStill => "check the node's clock, and whether its machine is suspended",
    };
    fixed.into()
}

fn proxy(fault: &ProxyFault) -> String {
    match fault {
        ProxyFault::AuthenticationRequired => {
            "set HTTPS_PROXY of the operator to http://USER:PASSWORD@HOST:PORT".into()
        }
        ProxyFault::Refused {
            endpoint,
            status: Some(502..=504),
        }
        | ProxyFault::TimedOut { endpoint } => {
            format!("check that the proxy can resolve and reach {endpoint}")
        }
        ProxyFault::Refused { endpoint, .. }
        | ProxyFault::Closed { endpoint }
        | ProxyFault::Unusable { endpoint, .. } => {
            format!("allow {endpoint} in the proxy, or add it to NO_PROXY of the operator")
        }
        ProxyFault::Unreachable(_) => {
            "check HTTPS_PROXY of the operator, network policies and firewall".into()
        }
        ProxyFault::Untrusted(_) => {
            "ask the proxy's owner to renew it, or trust its CA with SSL_CERT_FILE".into()
        }
    }
}

/// A CA certificate is asked for only where one is missing.
fn trust(cause: &Untrusted, settings: &Settings, url: &str) -> String {
    match cause {
        Untrusted::UnknownIssuer { .. } => add("that CA", settings),
        Untrusted::SelfSigned => add("it", settings),
        Untrusted::OtherKey { .. } => replace_ca(settings),
        other => trust_server(other, url),
    }
}

/// No other CA certificate helps.
fn trust_server(cause: &Untrusted, url: &str) -> String {
    let fixed = match cause {
        Untrusted::Expired { .. } => "the server's owner must renew it",
        Untrusted::NotValidYet { .. } => {
            "check the clocks of the cluster's nodes, then ask its owner"
        }
        Untrusted::WrongHost { .. } => {
            return format!("correct {url}, or ask the server's owner to add this host");
        }
        Untrusted::TooMany { .. } => "its owner must leave out what is not part of its chain",
        Untrusted::CaCertificate => "its owner must issue a server certificate (CA:FALSE) from it",
        Untrusted::UnknownIssuer { .. }
        | Untrusted::SelfSigned
        | Untrusted::OtherKey { .. }
        | Untrusted::Revoked
        | Untrusted::NotForServers
        | Untrusted::Algorithm { .. }
        | Untrusted::ShortKey { .. }
        | Untrusted::Unusable => "its owner must replace it; trusting another CA does not help",
    };
    fixed.into()
}

fn replace_ca(settings: &Settings) -> String {
    match &settings.ca_bundle {
        Some(reference) => {
            let bundle = ca_bundle_name(reference);
            format!(
                "replace the CA's certificate in key {:?} of {bundle}",
                reference.key
            )
        }
        None => format!(
            "name the CA's current certificate in {}",
            settings.ca_field()
        ),
    }
}

fn add(what: &str, settings: &Settings) -> String {
    match &settings.ca_bundle {
        Some(reference) => {
            let bundle = ca_bundle_name(reference);
            format!(
                "if you trust {what}, add it to key {:?} of {bundle}",
                reference.key
            )
        }
        None if settings.provider.is_some() => {
            format!("if you trust {what}, put it into {}", settings.ca_field())
        }
        None => format!("if you trust {what}, put it into a ConfigMap for spec.caBundleRef"),
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
            "spec.tokenURL",
        )
    }

    #[test]
    fn a_ca_certificate_is_asked_for_only_where_one_is_missing() {
        let issuer = || "\"CN=a\"".to_owned();
        for (cause, adds) in [
            (Untrusted::UnknownIssuer { issuer: issuer() }, true),
            (Untrusted::SelfSigned, true),
            (Untrusted::OtherKey { issuer: issuer() }, false),
            (
                Untrusted::Expired {
                    at: None,
                    issuer: None,
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
            (Untrusted::TooMany { most: 100 }, false),
            (Untrusted::Unusable, false),
        ] {
            let with = of(cause.clone(), true);
            let added = with.contains("add it to key");
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
            let error = NetworkError::Proxy { proxy, cause };
            remedy(&error, &settings(false), "spec.tokenURL")
        };
        let cannot = "check that the proxy can resolve and reach api.cubewire.com";
        for (status, expected) in [
            (Some(502), cannot),
            (Some(504), cannot),
            (
                Some(403),
                "allow api.cubewire.com in the proxy, or add it to NO_PROXY of the operator",
            ),
        ] {
            assert_eq!(of(status), expected);
        }
        assert_eq!(of(None), of(Some(403)));
    }
}

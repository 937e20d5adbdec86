//! Names are looked up as they are written, whatever the search list of a pod says.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream},
    time::Duration,
};

use cube_operator::{api::Reason, oauth::endpoint::Endpoint};

use crate::{
    Outcome, Refused, block_on, client,
    dns::{NameServer, Question, Says, client_of},
    exchange, fine, local, refused,
    scripted::{Authority, Provider, Reply},
    trusting,
};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A server whose certificate is for `host`, and its CA.
fn provider(host: &str) -> (Authority, Provider) {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&[host]), |_| Reply::json(200, "{}"));
    (authority, provider)
}

/// The outcome of an exchange with `host`, where this name server responds.
fn at(host: &str, server: &NameServer, hosts: &str) -> Outcome {
    let (authority, provider) = provider(host);
    let url = format!("https://{host}:{}/token", provider.address.port());
    exchange(&server.client(local(), hosts), &trusting(&authority, &url))
}

fn unreachable(outcome: &Outcome) -> &str {
    match outcome {
        Err(error) if error.reason == Reason::Unreachable => {
            let (_, why) = error.what.split_once("could not be reached: ").unwrap();
            why
        }
        other => panic!("{other:?}"),
    }
}

/// Says `real` for `name` itself and loopback for each name below the cluster's domain, as a Service of a tenant would.
fn impostor(name: &'static str, real: Says) -> NameServer {
    NameServer::start(move |question: &Question| {
        if question.name.ends_with("cluster.local.") {
            Says::Address(V4)
        } else if question.name == name && !question.v6 {
            real.clone()
        } else {
            Says::NoAddress
        }
    })
}

#[test]
fn a_namespace_with_the_name_of_a_top_level_domain_does_not_respond_for_the_provider() {
    let server = impostor("api.example.com.", Says::Address(V4));
    assert_eq!(at("api.example.com", &server, ""), Ok(fine()));
    assert_eq!(server.names(), ["api.example.com."]);

    let server = impostor("api.example.com.", Says::NoName);
    let outcome = at("api.example.com", &server, "");
    assert_eq!(unreachable(&outcome), "name not found in DNS");
    assert_eq!(server.names(), ["api.example.com."]);
}

#[test]
fn check_looks_up_the_same_name_as_an_exchange() {
    let server = impostor("api.example.com.", Says::NoName);
    let endpoint = Endpoint::parse("https://api.example.com/token").unwrap();
    let found = block_on(server.client(local(), "").addresses(&endpoint)).map_err(Refused::from);
    assert_eq!(
        found,
        refused(
            Reason::Unreachable,
            "token endpoint api.example.com could not be reached: name not found in DNS"
        )
    );
    assert_eq!(server.names(), ["api.example.com."]);
}

#[test]
fn a_name_that_only_a_search_list_completes_is_said_to_be_short() {
    for (host, short) in [
        ("keycloak", true),
        ("keycloak.auth.svc", true),
        ("keycloak.auth.svc.cluster.local", false),
        ("keycloak.example", false),
    ] {
        let server = NameServer::start(|_| Says::NoName);
        let outcome = at(host, &server, "");
        let why = unreachable(&outcome);
        assert!(why.starts_with("name not found in DNS"), "{why}");
        assert_eq!(why.contains("without a search list"), short, "{why}");
        assert_eq!(server.names(), [format!("{host}.")]);
    }
}

#[test]
fn a_name_server_that_never_responds_for_one_family_costs_no_token() {
    for silent_for_v6 in [true, false] {
        let server = NameServer::start(move |question| match question.v6 {
            v6 if v6 == silent_for_v6 => Says::Nothing,
            true => Says::Address(Ipv6Addr::LOCALHOST.into()),
            false => Says::Address(V4),
        });
        let found = server.client(client(&["::/0", "0.0.0.0/0"]), "");
        let endpoint = Endpoint::parse("https://api.example.com/token").unwrap();
        let found = block_on(found.addresses(&endpoint)).unwrap();
        let found: Vec<_> = found.iter().map(|address| address.ip.is_ipv6()).collect();
        assert_eq!(found, [!silent_for_v6]);
    }
}

#[test]
fn a_silent_name_server_and_one_that_fails_are_told_apart_from_an_unknown_name() {
    for (says, why) in [
        (Says::Nothing, "DNS lookup timed out after 10 s"),
        (Says::Failed, "DNS lookup failed"),
        (Says::NoAddress, "name not found in DNS"),
    ] {
        let is_silent = matches!(says, Says::Nothing);
        let server = NameServer::start(move |_| says.clone());
        let client = server.client(local(), "");
        let endpoint = Endpoint::parse("https://api.example.com/token").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // Only a name server that says nothing makes it wait.
            .start_paused(is_silent)
            .build();
        let error = runtime.unwrap().block_on(client.addresses(&endpoint));
        assert_eq!(
            error.unwrap_err().to_string(),
            format!("token endpoint api.example.com could not be reached: {why}")
        );
    }
}

#[test]
fn the_file_of_hosts_comes_before_the_name_servers() {
    let server = NameServer::start(|_| Says::Address(Ipv6Addr::LOCALHOST.into()));
    let hosts = "127.0.0.1 other.example Pinned.Example\n";
    assert_eq!(at("pinned.example", &server, hosts), Ok(fine()));
    assert_eq!(server.names(), [] as [String; 0]);
}

#[test]
fn a_name_that_resolves_to_a_refused_address_is_refused() {
    for (address, kind) in [
        ("127.0.0.1", "loopback"),
        ("64:ff9b::a9fe:a9fe", "link-local"),
        ("fd00:ec2::254", "cloud metadata"),
    ] {
        let address: IpAddr = address.parse().unwrap();
        let server = NameServer::start(move |question| {
            if question.v6 == address.is_ipv6() {
                Says::Address(address)
            } else {
                Says::NoAddress
            }
        });
        let (authority, provider) = provider("api.example.com");
        let port = provider.address.port();
        let url = format!("https://api.example.com:{port}/token");
        let outcome = exchange(&server.client(client(&[]), ""), &trusting(&authority, &url));
        let what = format!(
            "token endpoint api.example.com:{port} is on a network that is refused by default ({kind})"
        );
        assert_eq!(outcome, refused(Reason::HostNotAllowed, what));
    }
}

const NAME: &str = "api.example.com";

/// The outcome of an exchange with a server of this machine that these name servers know.
fn by(servers: &[&NameServer]) -> Outcome {
    let (authority, provider) = provider(NAME);
    let url = format!("https://{NAME}:{}/token", provider.address.port());
    exchange(
        &client_of(servers, local(), ""),
        &trusting(&authority, &url),
    )
}

#[test]
fn a_question_for_ipv6_that_is_answered_late_or_never_costs_no_token() {
    for says in [Says::Nothing, Says::NoAddress, Says::Failed] {
        // The first packet is lost, as in a cluster whose nodes lose one of two that are sent at the same time.
        let server = NameServer::start(move |question| match (question.v6, question.before) {
            (false, _) => Says::Address(V4),
            (true, 0) => Says::Nothing,
            (true, _) => says.clone(),
        });
        assert_eq!(by(&[&server]), Ok(fine()));
    }
}

#[test]
fn a_lost_packet_costs_seconds_and_no_token() {
    let server = NameServer::start(|question| match (question.v6, question.before) {
        (_, 0) => Says::Nothing,
        (false, _) => Says::Address(V4),
        (true, _) => Says::NoAddress,
    });
    assert_eq!(by(&[&server]), Ok(fine()));
}

#[test]
fn a_second_name_server_is_asked_when_the_first_is_dead_or_fails() {
    for says in [Says::Nothing, Says::Failed] {
        let first = NameServer::start(move |_| says.clone());
        let second = NameServer::start(|question| {
            if question.v6 {
                Says::NoAddress
            } else {
                Says::Address(V4)
            }
        });
        assert_eq!(by(&[&first, &second]), Ok(fine()));
    }
}

#[test]
fn a_long_response_is_asked_for_over_tcp_and_an_alias_is_followed() {
    let server = NameServer::start(|question| match (question.v6, question.tcp) {
        (true, _) => Says::NoAddress,
        (false, false) => Says::Truncated,
        (false, true) => Says::Address(V4),
    });
    assert_eq!(by(&[&server]), Ok(fine()));
    let server = NameServer::start(|question| {
        if question.v6 {
            Says::NoAddress
        } else {
            Says::Alias(V4)
        }
    });
    assert_eq!(by(&[&server]), Ok(fine()));
}

#[test]
fn a_name_with_several_addresses_costs_one_connection() {
    let (authority, provider) = provider(NAME);
    let port = provider.address.port();
    let server = NameServer::start(|question| {
        if question.v6 {
            Says::NoAddress
        } else {
            Says::Addresses(vec![V4, Ipv4Addr::new(127, 0, 0, 2).into()])
        }
    });
    let request = trusting(&authority, &format!("https://{NAME}:{port}/token"));
    assert_eq!(exchange(&server.client(local(), ""), &request), Ok(fine()));
    assert_eq!(provider.connections(), 1);
}

#[test]
fn an_address_that_drops_packets_does_not_use_up_the_time_of_the_others() {
    let (authority, provider) = provider(NAME);
    let port = provider.address.port();
    let hanging = TcpListener::bind(("127.0.0.2", port)).unwrap();
    let address = hanging.local_addr().unwrap();
    // The kernel drops what its queue of unaccepted connections has no room for, as a firewall drops packets.
    let full = || TcpStream::connect_timeout(&address, Duration::from_millis(500));
    let queue: Vec<_> = std::iter::from_fn(|| full().ok()).take(10_000).collect();
    let server = NameServer::start(move |question| {
        if question.v6 {
            Says::NoAddress
        } else {
            Says::Addresses(vec![address.ip(), V4])
        }
    });
    let request = trusting(&authority, &format!("https://{NAME}:{port}/token"));
    let client = server.client(local(), "");
    assert_eq!(exchange(&client, &request), Ok(fine()));
    let found = block_on(client.addresses(&request.endpoint)).unwrap();
    assert_eq!(found[0].ip, address.ip(), "it is the one to be tried first");
    let connected = block_on(client.connect_to(&request.endpoint, &found));
    assert_eq!(connected, Ok(provider.address));
    drop(queue);
}

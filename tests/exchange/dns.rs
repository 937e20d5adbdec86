//! A name server of a test. Its responses come from the test, and it records what it was asked.

use std::{
    net::{IpAddr, Ipv4Addr, UdpSocket},
    sync::{Arc, Mutex},
    thread,
};

use cube_operator::oauth::client::TokenClient;
use hickory_resolver::{
    Hosts,
    config::{NameServerConfig, ResolverConfig},
    system_conf::parse_resolv_conf,
};

/// What a name server says.
#[derive(Clone, Copy)]
pub(crate) enum Says {
    Address(IpAddr),
    /// There is no such name (NXDOMAIN).
    NoName,
    /// The name has no address of this family.
    NoAddress,
    /// It failed (SERVFAIL).
    Failed,
    Nothing,
}

/// A question for addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) v6: bool,
}

pub(crate) struct NameServer {
    port: u16,
    asked: Arc<Mutex<Vec<Question>>>,
}

impl NameServer {
    pub(crate) fn start(script: impl Fn(&Question) -> Says + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Question>>> = Arc::default();
        let record = Arc::clone(&asked);
        thread::spawn(move || {
            let mut buffer = [0; 1500];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).unwrap();
                let (question, end) = read(&buffer[..length]);
                let says = script(&question);
                record.lock().unwrap().push(question);
                if let Some(message) = message(&buffer[..end], says) {
                    socket.send_to(&message, from).unwrap();
                }
            }
        });
        Self { port, asked }
    }

    /// The names that it was asked for, each once.
    pub(crate) fn names(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let mut names: Vec<_> = asked.iter().map(|question| question.name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// A client in a pod of the namespace `tenant` with this name server, and with these hosts.
    pub(crate) fn client(&self, client: TokenClient, hosts: &str) -> TokenClient {
        let (pod, options) = parse_resolv_conf(
            "search tenant.svc.cluster.local svc.cluster.local cluster.local\n\
             nameserver 127.0.0.1\n\
             options ndots:5\n",
        )
        .unwrap();
        let mut server = NameServerConfig::udp(Ipv4Addr::LOCALHOST.into());
        server.connections[0].port = self.port;
        let config =
            ResolverConfig::from_parts(pod.domain().cloned(), pod.search().to_vec(), vec![server]);
        let mut file = Hosts::default();
        file.read_hosts_conf(hosts.as_bytes()).unwrap();
        client.with_names(config, options, file)
    }
}

/// The question of a request, and where it ends.
fn read(request: &[u8]) -> (Question, usize) {
    let mut at = 12;
    let mut name = String::new();
    while request[at] != 0 {
        let end = at + 1 + usize::from(request[at]);
        name += std::str::from_utf8(&request[at + 1..end]).unwrap();
        name.push('.');
        at = end;
    }
    let v6 = request[at + 2] == 28;
    (Question { name, v6 }, at + 5)
}

/// The response to a request that ends with its question.
fn message(request: &[u8], says: Says) -> Option<Vec<u8>> {
    let code = match says {
        Says::Nothing => return None,
        Says::Failed => 2,
        Says::NoName => 3,
        Says::Address(_) | Says::NoAddress => 0,
    };
    let mut message = request.to_vec();
    message[2..4].copy_from_slice(&[0x81, 0x80 | code]);
    message[6..12].fill(0);
    if let Says::Address(address) = says {
        message[7] = 1;
        let (kind, octets) = match address {
            IpAddr::V4(v4) => (1, v4.octets().to_vec()),
            IpAddr::V6(v6) => (28, v6.octets().to_vec()),
        };
        // The name of the question, its kind, class IN, 60 s, the length.
        let length = u8::try_from(octets.len()).unwrap();
        message.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, length]);
        message.extend(octets);
    }
    Some(message)
}

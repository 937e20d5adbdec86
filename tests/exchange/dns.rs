//! A name server of a test. Its responses come from the test, and it records what it was asked.

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, TcpListener, TcpStream, UdpSocket},
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
#[derive(Clone)]
pub(crate) enum Says {
    Address(IpAddr),
    /// Several addresses of one family.
    Addresses(Vec<IpAddr>),
    /// The name is an alias, and this is the address of what it stands for.
    Alias(IpAddr),
    /// The response is too long for a packet, and has to be asked for over TCP.
    Truncated,
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
    /// It came over TCP.
    pub(crate) tcp: bool,
    /// How often this name and family was asked for before.
    pub(crate) before: usize,
}

pub(crate) struct NameServer {
    port: u16,
    asked: Arc<Mutex<Vec<Question>>>,
}

type Script = Box<dyn Fn(&Question) -> Says + Send + Sync>;

impl NameServer {
    pub(crate) fn start(script: impl Fn(&Question) -> Says + Send + Sync + 'static) -> Self {
        let (socket, listener) = sockets();
        let port = socket.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Question>>> = Arc::default();
        let script: Arc<Script> = Arc::new(Box::new(script));
        let (record, by_tcp) = (Arc::clone(&asked), Arc::clone(&script));
        thread::spawn(move || {
            for stream in listener.incoming() {
                serve_tcp(stream.unwrap(), &record, &by_tcp);
            }
        });
        let record = Arc::clone(&asked);
        thread::spawn(move || {
            let mut buffer = [0; 1500];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).unwrap();
                if let Some(message) = answer(&buffer[..length], false, &record, &script) {
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
        client_of(&[self], client, hosts)
    }
}

/// The same with several name servers.
pub(crate) fn client_of(servers: &[&NameServer], client: TokenClient, hosts: &str) -> TokenClient {
    let (pod, options) = parse_resolv_conf(
        "search tenant.svc.cluster.local svc.cluster.local cluster.local\n\
         nameserver 127.0.0.1\n\
         options ndots:5\n",
    )
    .unwrap();
    let servers = servers.iter().map(|server| {
        let mut config = NameServerConfig::udp_and_tcp(Ipv4Addr::LOCALHOST.into());
        for connection in &mut config.connections {
            connection.port = server.port;
        }
        config
    });
    let config = ResolverConfig::from_parts(
        pod.domain().cloned(),
        pod.search().to_vec(),
        servers.collect(),
    );
    let mut file = Hosts::default();
    file.read_hosts_conf(hosts.as_bytes()).unwrap();
    client.with_names(&config, options, file)
}

/// One port for UDP and TCP.
fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        if let Ok(listener) = TcpListener::bind(socket.local_addr().unwrap()) {
            return (socket, listener);
        }
    }
}

/// Over TCP, a length precedes each message.
fn serve_tcp(mut stream: TcpStream, record: &Mutex<Vec<Question>>, script: &Script) {
    let mut length = [0; 2];
    while stream.read_exact(&mut length).is_ok() {
        let mut request = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut request).unwrap();
        if let Some(message) = answer(&request, true, record, script) {
            let length = u16::try_from(message.len()).unwrap().to_be_bytes();
            stream.write_all(&[&length[..], &message].concat()).unwrap();
        }
    }
}

fn answer(
    request: &[u8],
    tcp: bool,
    record: &Mutex<Vec<Question>>,
    script: &Script,
) -> Option<Vec<u8>> {
    let (mut question, end) = read(request);
    let mut asked = record.lock().unwrap();
    let same = |other: &&Question| other.name == question.name && other.v6 == question.v6;
    question.before = asked.iter().filter(same).count();
    question.tcp = tcp;
    let says = script(&question);
    asked.push(question);
    message(&request[..end], says)
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
    let question = Question {
        name,
        v6: request[at + 2] == 28,
        tcp: false,
        before: 0,
    };
    (question, at + 5)
}

/// The response to a request that ends with its question.
fn message(request: &[u8], says: Says) -> Option<Vec<u8>> {
    // Byte 12 of the message is the name of the question.
    const QUESTION: [u8; 2] = [0xc0, 12];
    let (flags, code, records) = match says {
        Says::Nothing => return None,
        Says::Failed => (0x81, 2, vec![]),
        Says::NoName => (0x81, 3, vec![]),
        Says::NoAddress => (0x81, 0, vec![]),
        Says::Truncated => (0x83, 0, vec![]),
        Says::Address(address) => (0x81, 0, vec![of_address(&QUESTION, address)]),
        Says::Addresses(addresses) => {
            let records = addresses.into_iter();
            (
                0x81,
                0,
                records.map(|one| of_address(&QUESTION, one)).collect(),
            )
        }
        Says::Alias(address) => {
            let real = b"\x04real\x07example\0";
            let alias = record(&QUESTION, 5, real);
            (0x81, 0, vec![alias, of_address(real, address)])
        }
    };
    let mut message = request.to_vec();
    message[2..4].copy_from_slice(&[flags, 0x80 | code]);
    message[6..12].fill(0);
    message[7] = u8::try_from(records.len()).unwrap();
    message.extend(records.concat());
    Some(message)
}

fn of_address(name: &[u8], address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => record(name, 1, &v4.octets()),
        IpAddr::V6(v6) => record(name, 28, &v6.octets()),
    }
}

/// A record of class IN that lives for 60 s.
fn record(name: &[u8], kind: u8, data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(data.len()).unwrap();
    [name, &[0, kind, 0, 1, 0, 0, 0, 60, 0, length], data].concat()
}

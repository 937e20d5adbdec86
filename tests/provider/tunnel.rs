//! A proxy that tunnels.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A proxy that connects every tunnel to one server, for any name.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(crate) fn start(answer: &'static str, server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let observed = Arc::clone(&heads);
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (mut socket, observed) = (socket.unwrap(), Arc::clone(&observed));
                thread::spawn(move || {
                    observed.lock().unwrap().push(head(&mut socket)?);
                    socket.write_all(answer.as_bytes())?;
                    tunnel(&socket, &TcpStream::connect(server)?)
                });
            }
        });
        Self { address, heads }
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

pub(crate) fn head(socket: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8(head).unwrap())
}

fn tunnel(client: &TcpStream, server: &TcpStream) -> io::Result<()> {
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || io::copy(&mut from, &mut to));
    io::copy(&mut &*server, &mut &*client).map(drop)
}

/// The response of a proxy that lets everything through.
pub(crate) const OPEN: &str = "HTTP/1.1 200 OK\r\n\r\n";

//! The redirect URI: where the provider sends the browser after the sign-in.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use jiff::SignedDuration;
use secrecy::SecretString;
use tokio::{net::TcpListener, task::spawn_blocking};
use url::{Host, Url};

use super::{callback::Listener, flags::Browser};
use crate::plugin::error::{PluginError, Result};

/// A redirect URI.
pub(super) struct Redirect {
    /// The URI as it is registered and sent.
    pub(super) uri: String,
}

impl Redirect {
    /// The redirect URI that the flags describe, and its open port if the browser can reach it on this machine.
    pub(super) async fn open(
        flags: &Browser,
        state: &SecretString,
    ) -> Result<(Self, Option<Listener>)> {
        match &flags.redirect_uri {
            Some(uri) => Self::registered(uri, flags, state).await,
            None => Self::loopback(flags, state).await,
        }
    }

    async fn loopback(flags: &Browser, state: &SecretString) -> Result<(Self, Option<Listener>)> {
        // The address is pasted where the browser runs elsewhere: nothing may respond to it here, and the port may be in use.
        if let (true, Some(port)) = (flags.elsewhere, flags.redirect_port) {
            return Ok((Self::at(port), None));
        }
        let port = flags.redirect_port.unwrap_or_default();
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let socket = TcpListener::bind((address, port)).await;
        let socket = socket.map_err(|error| not_bound(address, port, &error, CHOOSE))?;
        let port = socket.local_addr().map_or(port, |address| address.port());
        let redirect = Self::at(port);
        if flags.elsewhere {
            return Ok((redirect, None));
        }
        let listener = Listener {
            sockets: vec![socket],
            path: "/callback".into(),
            state: state.clone(),
        };
        Ok((redirect, Some(listener)))
    }

    /// A port of this machine, which needs no registration (RFC 8252, section 7.3).
    fn at(port: u16) -> Self {
        Self {
            uri: format!("http://127.0.0.1:{port}/callback"),
        }
    }

    async fn registered(
        uri: &str,
        flags: &Browser,
        state: &SecretString,
    ) -> Result<(Self, Option<Listener>)> {
        let url = Url::parse(uri)
            .ok()
            .filter(|url| url.fragment().is_none() && url.query().is_none())
            .ok_or_else(|| {
                PluginError::Usage(format!(
                    "--redirect-uri {uri:?} is not a URI without query and fragment, such as http://localhost:8000/callback"
                ))
            })?;
        let redirect = Self { uri: uri.into() };
        let (addresses, port) = match (loopback_addresses(&url), url.port_or_known_default()) {
            (Some(addresses), Some(port)) if url.scheme() == "http" && !flags.elsewhere => {
                (addresses, port)
            }
            _ => return Ok((redirect, None)),
        };
        let mut sockets = Vec::new();
        for address in addresses {
            match TcpListener::bind((address, port)).await {
                Ok(socket) => sockets.push(socket),
                // Not every machine has IPv6. A port that another program has is another matter: it would get the code.
                Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {}
                Err(error) => return Err(not_bound(address, port, &error, REGISTER)),
            }
        }
        if sockets.is_empty() {
            return Err(PluginError::new(format!(
                "this machine has no address for --redirect-uri {uri}: register one with 127.0.0.1"
            )));
        }
        let path = url.path().to_owned();
        let state = state.clone();
        Ok((
            redirect,
            Some(Listener {
                sockets,
                path,
                state,
            }),
        ))
    }

    /// The error after the time for the sign-in. The provider shows its own errors in the browser alone.
    pub(super) fn timed_out(&self, limit: SignedDuration) -> PluginError {
        PluginError::new(format!(
            "the sign-in did not end within {limit:#}: if the browser shows an error about the redirect URI, register {} at the \
             provider or name the registered one with --redirect-uri; otherwise run the command again",
            self.uri
        ))
    }
}

/// The addresses of this machine alone that a redirect URI names.
fn loopback_addresses(url: &Url) -> Option<Vec<IpAddr>> {
    match url.host()? {
        Host::Domain("localhost") => {
            Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
        }
        Host::Ipv4(address) if address.is_loopback() => Some(vec![address.into()]),
        Host::Ipv6(address) if address.is_loopback() => Some(vec![address.into()]),
        _ => None,
    }
}

/// The remedies of a port that is taken, besides ending the program that uses it.
const CHOOSE: &str = "choose another with --redirect-port";
const REGISTER: &str = "register another redirect URI";

fn not_bound(address: IpAddr, port: u16, error: &io::Error, remedy: &str) -> PluginError {
    let place = SocketAddr::new(address, port);
    PluginError::new(format!(
        "failed to listen on {place} for the redirect of the browser: {error}; end the program that uses the port, or \
         {remedy}"
    ))
}

/// Returns whether a browser was opened. Other users of this machine may see its arguments: the URL holds nothing that lets them sign
/// in, and a redirect of theirs is not accepted.
pub(super) async fn open_browser(url: String) -> bool {
    let open = move || {
        let mut quiet = webbrowser::BrowserOptions::new();
        let quiet = quiet.with_suppress_output(true);
        webbrowser::open_browser_with_options(webbrowser::Browser::Default, &url, quiet).is_ok()
    };
    spawn_blocking(open).await.unwrap_or_default()
}

//! `kubectl cube login`: a person signs in, and the refresh token goes into the Secret that the operator reads.
//!
//! ```text
//!  prepare ─▶ turn ─▶ redirect, browser ─▶ callback or pasted address ─▶ exchange ─▶ store ─▶ the operator's first refresh
//!  (everything that can be refused is tried before the person signs in)  └─ not cut short ─┘
//! ```
//!
//! No token leaves this process but to the Secret. If storing it fails, the sign-in has to be repeated.

mod address;
mod callback;
mod exchange;
mod flags;
mod page;
mod peer;
mod place;
mod precheck;
mod prepare;
mod random;
mod redirect;
mod store;
mod trust;
mod turn;

use std::time::Duration;

use tokio::time::timeout;

use super::{
    Context,
    cluster::Cluster,
    error::{PluginError, Result},
    interrupt::Writes,
    terminal::Terminal,
};
use crate::{
    api::CubeCredential,
    clock::now,
    oauth::{
        authorization::{self, AuthorizationRequest},
        client::signed,
    },
};
use callback::{Answer, Listener, Reply};
pub(super) use flags::{Browser, Login, Request};
use page::Page;
use place::Allowed;
pub(super) use precheck::Planned;
use prepare::Prepared;
use random::random;
use redirect::Redirect;
pub(super) use store::Stored;
use trust::Hosts;
use turn::Turn;

/// The longest time for which a refresh token waits for the status from before it.
const LATEST_TIME: Duration = Duration::from_secs(1);

/// Signs in for the `CubeCredential` that the flags name.
pub(super) async fn run(context: &Context, flags: Login) -> Result {
    let cluster = Cluster::connect(context).await?;
    let request = Request {
        name: &flags.name,
        issuer: flags.issuer.as_deref(),
        authorization_url: flags.authorization_url.as_deref(),
        overwrite: flags.overwrite,
        browser: &flags.browser,
    };
    let stored = Box::pin(login(context, &cluster, &request)).await?;
    stored.wait(context, &cluster, flags.refresh_timeout).await
}

/// Signs in for a `CubeCredential`, and stores the refresh token.
pub(super) async fn login(
    context: &Context,
    cluster: &Cluster,
    asked: &Request<'_>,
) -> Result<Stored> {
    let prepared = Box::pin(prepare::prepare(context, cluster, asked)).await?;
    let hosts = Hosts::of(&prepared);
    trust::confirm(context, asked, &cluster.namespace, &hosts).await?;
    let allowed = Box::pin(store::try_out(context, asked, &prepared)).await?;
    let flags = asked.browser;
    let (state, verifier) = (random()?, random()?);
    let (redirect, listener) = Redirect::open(flags, &state).await?;
    let turn = Turn::take(context, cluster, asked.name, flags).await?;
    let request = AuthorizationRequest {
        endpoint: &prepared.authorization,
        client_id: prepared.sign_in.authentication.client_id(),
        redirect_uri: &redirect.uri,
        scopes: &prepared.scopes,
        parameters: &prepared.settings.parameters,
        state: &state,
        verifier: &verifier,
    };
    let url = request.url();
    show(context, &url, listener.is_some()).await;
    let answer = match listener {
        Some(listener) => wait_for_browser(context, listener, &redirect, flags).await?,
        None => address::ask(context, &redirect, flags).await?,
    };
    let code = authorization::code(&answer.query, &state, &prepared.issuer);
    let code = match code {
        Ok(code) => code,
        Err(error) => {
            let sentence = exchange::explain_redirect(&error, &prepared, &redirect.uri);
            answer.reply.send(Page::failed(&sentence)).await;
            return Err(PluginError::new(sentence));
        }
    };
    let request = prepared.code_request(code, verifier, &redirect.uri);
    Box::pin(finish(
        &context.writes,
        (prepared, allowed),
        request,
        turn,
        answer.reply,
    ))
    .await
}

/// Exchanges the code and stores the refresh token. The code can be used once: Ctrl-C does not end this.
async fn finish(
    writes: &Writes,
    (prepared, allowed): (Prepared, Allowed),
    request: authorization::CodeRequest,
    turn: Turn,
    reply: Reply,
) -> Result<Stored> {
    let interrupted = writes.clone();
    writes
        .all(async move {
            let stored = exchange_and_store((&prepared, &allowed), request, &turn).await;
            turn.end().await;
            let page = match &stored {
                Ok(stored) => Page::signed_in(&stored.name),
                Err(error) => Page::failed(&error.to_string()),
            };
            // After Ctrl-C nothing else says why it failed.
            if let Err(error) = &stored
                && interrupted.are_interrupted()
            {
                Terminal::detect().fail(error);
            }
            reply.send(page).await;
            stored
        })
        .await
}

/// The turn, the spec and the Secret are looked at first: a code that is not used costs nothing, and a refresh token must be stored
/// once it is there.
async fn exchange_and_store(
    (prepared, allowed): (&Prepared, &Allowed),
    mut request: authorization::CodeRequest,
    turn: &Turn,
) -> Result<Stored> {
    let before = turn.still_ours(prepared).await?;
    store::check_again(prepared, allowed).await?;
    let client = signed(request.authentication.clone(), now());
    request.authentication = client.map_err(|error| PluginError::new(error.to_string()))?;
    let token = exchange::refresh_token(prepared, request).await?;
    let before = latest(prepared).await.unwrap_or(before);
    let stored = store::store(prepared, &before, &token).await?;
    // Ctrl-C from now on does not undo the sign-in, which need not be repeated.
    let note = format!("The refresh token is in Secret \"{}\".", stored.name);
    Terminal::detect().note(&note);
    Ok(stored)
}

/// The `CubeCredential` just before the token is stored: the operator may have refreshed the previous login meanwhile, which must not
/// count as the first refresh of this one. The token does not wait long for it.
async fn latest(prepared: &Prepared) -> Option<CubeCredential> {
    let read = prepared.cluster.credential(prepared.name());
    timeout(LATEST_TIME, read).await.ok()?.ok()
}

/// Prints the URL, and opens a browser.
async fn show(context: &Context, url: &url::Url, open: bool) {
    let terminal = &context.terminal;
    terminal.note("Sign in with your browser at this address:\n");
    terminal.show(url.as_str());
    terminal.note("");
    if !open {
        return;
    }
    let opened = redirect::open_browser(url.to_string()).await;
    if !opened {
        terminal.note("No browser could be opened: open the address yourself.");
    }
}

async fn wait_for_browser(
    context: &Context,
    listener: Listener,
    redirect: &Redirect,
    flags: &Browser,
) -> Result<Answer> {
    let mut left = flags.login_timeout.as_secs();
    let waiting = |left| format!("Waiting for the sign-in: {left} s left");
    let progress = context.terminal.progress(&waiting(left));
    let mut received = std::pin::pin!(listener.receive());
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.tick().await;
    loop {
        tokio::select! {
            answer = &mut received => return Ok(answer),
            _ = seconds.tick() => left -= 1,
        }
        if left <= 0 {
            return Err(redirect.timed_out(flags.login_timeout));
        }
        progress.say(&waiting(left));
    }
}

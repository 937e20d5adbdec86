//! `--watch`: the table, again and again. A lost connection is resumed by the watch itself.

use std::{
    collections::{BTreeMap, HashMap},
    pin::pin,
    time::Duration,
};

use futures::TryStreamExt;
use kube::{
    Api,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use tokio::{select, time::interval};

use super::{
    path::Path,
    scope::{Scope, rows},
    table, tree,
    urgency::Row,
};
use crate::{
    clock::now,
    kubernetes::error::explain_watch,
    plugin::{
        Context,
        error::{PluginError, Result},
        object::Object,
        objects::NOT_SERVED,
        rights::Right,
        screen::Screen,
    },
};

/// The time between two drawings: the countdowns have seconds.
const SECOND: Duration = Duration::from_secs(1);

/// By namespace and name.
type Objects = BTreeMap<(String, String), Object>;

fn key(object: &Object) -> (String, String) {
    (object.namespace().to_owned(), object.name().to_owned())
}

/// The objects as the watch shows them.
#[derive(Default)]
struct Watched {
    objects: Objects,
    /// The objects of a new list, until it is complete.
    listed: Objects,
    /// True once a list has been complete.
    is_known: bool,
    /// The reason why nothing is heard from the API server.
    lost: Option<String>,
}

impl Watched {
    fn take(&mut self, event: Event<Object>) {
        self.lost = None;
        match event {
            Event::Init => self.listed.clear(),
            Event::InitApply(object) => {
                self.listed.insert(key(&object), object);
            }
            Event::InitDone => {
                self.objects = std::mem::take(&mut self.listed);
                self.is_known = true;
            }
            Event::Apply(object) => {
                self.objects.insert(key(&object), object);
            }
            Event::Delete(object) => {
                self.objects.remove(&key(&object));
            }
        }
    }
}

/// Shows the objects until the person presses Ctrl-C.
pub(super) async fn watch(context: &Context, scope: &Scope) -> Result {
    let client = scope.cluster.client.clone();
    let api: Api<Object> = match scope.namespace() {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    };
    let mut config = watcher::Config::default();
    if let Some(name) = &scope.name {
        // It has to exist, and says so better than a watch without events.
        scope.cluster.object(name).await?;
        config = config.fields(&format!("metadata.name={name}"));
    }
    let mut events = pin!(watcher(api, config).default_backoff());
    let mut ticks = interval(SECOND);
    let mut watched = Watched::default();
    let mut view = View::new(context, scope);
    loop {
        let is_changed = select! {
            event = events.try_next() => {
                match event {
                    Ok(Some(event)) => watched.take(event),
                    Ok(None) => return Err(PluginError::new("the watch has ended")),
                    Err(error) => lose(&mut watched, &error, scope)?,
                }
                true
            }
            _ = ticks.tick() => false,
        };
        view.show(&watched, is_changed).await;
    }
}

/// A connection that comes back is waited for: an API server that starts may refuse for a moment what it allowed before. A
/// connection that never worked is reported immediately.
fn lose(watched: &mut Watched, error: &watcher::Error, scope: &Scope) -> Result {
    if watched.is_known {
        watched.lost = Some(explain_watch(error));
        return Ok(());
    }
    Err(unwatchable(error, scope))
}

fn unwatchable(error: &watcher::Error, scope: &Scope) -> PluginError {
    let code = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => status.code,
        _ => 0,
    };
    let verb = match error {
        watcher::Error::InitialListFailed(_) => "list",
        _ => "watch",
    };
    let right = Right::new(verb, "cubecredentials", scope.namespace());
    match code {
        403 => PluginError::new(right.to_string()),
        404 => PluginError::new(NOT_SERVED),
        _ => PluginError::new(explain_watch(error)),
    }
}

/// The lines that were shown, and the screen that shows them.
struct View<'a> {
    context: &'a Context,
    scope: &'a Scope,
    screen: Screen,
    /// The last line of each object, without its times, where there is no terminal.
    told: HashMap<(String, String), String>,
    lost: Option<String>,
    /// The path of the only object, on a terminal. It costs requests, so it is read again only if the object changes.
    path: Option<Path>,
    has_drawn: bool,
}

impl<'a> View<'a> {
    fn new(context: &'a Context, scope: &'a Scope) -> Self {
        Self {
            context,
            scope,
            screen: Screen::detect(&context.terminal),
            told: HashMap::new(),
            lost: None,
            path: None,
            has_drawn: false,
        }
    }

    async fn show(&mut self, watched: &Watched, is_changed: bool) {
        if !watched.is_known {
            return;
        }
        if self.screen.redraws() {
            self.draw(watched, is_changed).await;
        } else if is_changed {
            self.append(watched);
        }
    }

    async fn draw(&mut self, watched: &Watched, is_changed: bool) {
        self.screen = Screen::detect(&self.context.terminal);
        let mut lines = self.drawing(watched, is_changed).await;
        if let Some(lost) = &watched.lost {
            lines.insert(0, format!("connecting again: {lost}"));
        }
        self.screen.redraw(&lines, !self.has_drawn);
        self.has_drawn = true;
    }

    async fn drawing(&mut self, watched: &Watched, is_changed: bool) -> Vec<String> {
        if let (Some(_), Some(object)) = (&self.scope.name, watched.objects.values().next()) {
            if is_changed || self.path.is_none() {
                self.path = Some(Path::of(&self.scope.cluster, object).await);
            }
            let path = self.path.as_ref();
            return path.map_or_else(Vec::new, |path| {
                tree::lines(&self.screen, object, path, now())
            });
        }
        if watched.objects.is_empty() {
            return vec![self.scope.nothing()];
        }
        let rows = rows(watched.objects.values());
        table::lines(&self.screen, &rows, self.scope.all_namespaces, now())
    }

    /// One line for each object that changed; its countdown alone is no change.
    fn append(&mut self, watched: &Watched) {
        let terminal = &self.context.terminal;
        if self.lost != watched.lost {
            self.lost.clone_from(&watched.lost);
            if let Some(lost) = &self.lost {
                terminal.note(&format!("connecting again: {lost}"));
            }
        }
        let with_namespace = self.scope.all_namespaces;
        for row in rows(watched.objects.values()) {
            let key = (row.namespace.clone(), row.name.clone());
            let without_times = without_times(&row);
            if self.told.get(&key) != Some(&without_times) {
                terminal.print(&table::line(&row, with_namespace, now()));
                self.told.insert(key, without_times);
            }
        }
        let gone = |key: &(String, String)| !watched.objects.contains_key(key);
        let gone: Vec<_> = self.told.keys().filter(|key| gone(key)).cloned().collect();
        for key in gone {
            self.told.remove(&key);
            let (namespace, name) = key;
            let place = if with_namespace {
                format!("{namespace}  ")
            } else {
                String::new()
            };
            terminal.print(&format!("-  {place}{name}  Deleted"));
        }
    }
}

fn without_times(row: &Row) -> String {
    let expiry = row.expires_at.map(|at| at.to_string());
    format!(
        "{:?} {} {} {expiry:?} {}",
        row.urgency, row.reason, row.message, row.secret
    )
}

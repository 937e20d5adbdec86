//! The path of a token, drawn as a tree.

use jiff::Timestamp;

use super::{
    path::{Kind, Part, Path},
    table::colour,
    urgency::Row,
};
use crate::{
    plugin::{
        countdown::age,
        object::Object,
        screen::{Colour, Screen, width, wrap},
    },
    reconcile::Mark,
};

/// Fewer columns for words make a column of letters.
const LEAST_WORDS: usize = 16;

/// A line, and the lines below it.
struct Node {
    mark: Option<Mark>,
    text: String,
    children: Vec<Node>,
}

impl Node {
    fn of(part: &Part) -> Self {
        let name = match part.kind {
            Kind::Status | Kind::Consumer => "",
            Kind::Spec => "spec: ",
            Kind::ClientSecret => "client: ",
            Kind::InitialRefreshToken => "sign-in: ",
            Kind::SubjectToken => "subject: ",
            Kind::CaBundle => "CA bundle: ",
            Kind::TokenEndpoint => "token endpoint: ",
            Kind::State => "state: ",
            Kind::Target => "target: ",
        };
        Self {
            mark: Some(part.health.mark),
            text: format!("{name}{}", part.health.message),
            children: Vec::new(),
        }
    }

    fn heading(text: &str, children: Vec<Self>) -> Self {
        Self {
            mark: None,
            text: text.to_owned(),
            children,
        }
    }
}

/// The tree of one object.
pub(super) fn lines(screen: &Screen, object: &Object, path: &Path, now: Timestamp) -> Vec<String> {
    let row = Row::of(object, now);
    let title = format!("CubeCredential {}/{}: ", row.namespace, row.name);
    let mut lines = vec![title + &screen.paint(&row.reason, colour(&row))];
    let mut nodes: Vec<_> = path.parts.iter().map(Node::of).collect();
    // The pods hang on the target.
    if let Some(target) = nodes.last_mut() {
        target.children = path.consumers.iter().map(Node::of).collect();
    }
    let status = path.status.iter().map(Node::of);
    let mut all: Vec<_> = status.chain(nodes).collect();
    all.push(Node::heading("events", events(path, now)));
    draw(screen, &all, "", &mut lines);
    lines
}

fn events(path: &Path, now: Timestamp) -> Vec<Node> {
    let leaf = |text: String| Node::heading(&text, Vec::new());
    let events = match &path.events {
        Ok(events) if events.is_empty() => return vec![leaf("none".into())],
        Ok(events) => events,
        Err(why) => return vec![leaf(format!("not seen: {why}"))],
    };
    let line = |event: &super::recent::Happening| {
        let when = event
            .at
            .map_or("?".into(), |at| format!("{} ago", age(at, now)));
        leaf(format!(
            "{when}  {} {}: {}",
            event.r#type, event.reason, event.message
        ))
    };
    events.iter().map(line).collect()
}

fn draw(screen: &Screen, nodes: &[Node], indent: &str, lines: &mut Vec<String>) {
    for (at, node) in nodes.iter().enumerate() {
        let is_last = at + 1 == nodes.len();
        let (branch, below) = if is_last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        let below = format!("{indent}{below}");
        let mark = node
            .mark
            .map_or(String::new(), |mark| painted(screen, mark) + " ");
        let hanging = if node.children.is_empty() { "" } else { "│" };
        // Further lines of a text stand below its first word.
        let blanks = width(&mark) - width(hanging).min(width(&mark));
        let rest = format!("{below}{hanging}{}", " ".repeat(blanks));
        let room = screen.width().map_or(usize::MAX, |columns| {
            columns.saturating_sub(width(&rest)).max(LEAST_WORDS)
        });
        for (at, text) in wrap(&node.text, room).into_iter().enumerate() {
            lines.push(if at == 0 {
                format!("{indent}{branch}{mark}{text}")
            } else {
                format!("{rest}{text}")
            });
        }
        draw(screen, &node.children, &below, lines);
    }
}

fn painted(screen: &Screen, mark: Mark) -> String {
    let (sign, colour) = match mark {
        Mark::Good => ("✓", Colour::Green),
        Mark::Notice => ("!", Colour::Yellow),
        Mark::Bad => ("✗", Colour::Red),
        Mark::Unseen => ("-", Colour::Dim),
    };
    screen.paint(sign, colour)
}

//! `values.md`, from the comments in the chart's `values.yaml` and from its schema.

use serde_json::Value;

use super::{Table, check, code, prose, read};

const VALUES: &str = "charts/cube-operator/values.yaml";

/// A key of `values.yaml` with the comment above it.
struct Commented {
    path: Vec<String>,
    comment: String,
}

/// Every key of a map in block style, in their order.
fn commented(text: &str, values: &Value) -> Vec<Commented> {
    let mut found = Vec::new();
    let mut path: Vec<(usize, String)> = Vec::new();
    let mut comment = String::new();
    for line in text.lines() {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        if let Some(words) = content.strip_prefix('#') {
            comment.push_str(words);
            continue;
        }
        let key = content.split_once(':').map(|(key, _)| key);
        if let Some(key) = key.filter(|key| key.chars().all(char::is_alphanumeric)) {
            path.retain(|(outer, _)| *outer < indent);
            path.push((indent, key.to_owned()));
            let path: Vec<_> = path.iter().map(|(_, key)| key.clone()).collect();
            let comment = comment.trim().to_owned();
            if at(values, &path[..path.len() - 1]).is_object() {
                found.push(Commented { path, comment });
            }
        }
        comment.clear();
    }
    found
}

fn at<'a>(values: &'a Value, path: &[String]) -> &'a Value {
    path.iter().fold(values, |value, key| &value[key])
}

/// The part of the schema for a value.
fn schema_of<'a>(schema: &'a Value, path: &[String]) -> &'a Value {
    path.iter().fold(schema, |part, key| {
        let part = &part["properties"][key];
        match part["$ref"].as_str() {
            Some(reference) => &schema["definitions"][reference.rsplit('/').next().unwrap()],
            None => part,
        }
    })
}

fn allowed(schema: &Value) -> String {
    if let Some(allowed) = schema["enum"].as_array() {
        let allowed = allowed.iter().map(|value| code(value.as_str().unwrap()));
        return allowed.collect::<Vec<_>>().join(", ");
    }
    let bounds = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
    match (schema["type"].as_str().unwrap_or_default(), bounds) {
        ("boolean", _) => "`true`, `false`".into(),
        ("integer", (Some(least), Some(most))) => format!("{least} to {most}"),
        ("integer", (Some(least), None)) => format!("{least} or more"),
        ("array", _) => "a list".into(),
        ("object", _) => "a map".into(),
        ("string", _) => "a string".into(),
        other => panic!("{other:?} is not known here"),
    }
}

fn shown(default: &Value) -> String {
    let is_empty = ["\"\"", "[]", "{}"].contains(&default.to_string().as_str());
    match default {
        _ if is_empty => "none".into(),
        Value::String(text) => code(text),
        other => code(&other.to_string()),
    }
}

/// A comment whose pages are links.
fn linked(comment: &str) -> String {
    let words = prose(comment);
    let words = words.split(' ').map(|word| {
        let page = word
            .strip_prefix("docs/")
            .and_then(|rest| rest.split_once(".md"));
        page.map_or_else(
            || word.to_owned(),
            |(page, rest)| format!("[{page}](../{page}.md){rest}"),
        )
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The values as a document has them: without what only groups others.
struct Values {
    keys: Vec<Commented>,
    defaults: Value,
    schema: Value,
}

impl Values {
    fn read() -> Self {
        let text = read(VALUES);
        let defaults = serde_saphyr::from_str(&text).unwrap();
        let schema = read("charts/cube-operator/values.schema.json");
        Self {
            keys: commented(&text, &defaults),
            defaults,
            schema: serde_json::from_str(&schema).unwrap(),
        }
    }

    fn comment(&self, path: &[String]) -> Option<&str> {
        let key = self.keys.iter().find(|key| key.path == path)?;
        Some(key.comment.as_str()).filter(|comment| !comment.is_empty())
    }

    /// Whether it only groups values. A map that is written in one piece is a value.
    fn is_group(&self, path: &[String]) -> bool {
        let within = |key: &&Commented| key.path.len() > path.len() && key.path.starts_with(path);
        let mut keys = self.keys.iter().filter(within);
        keys.any(|key| !key.comment.is_empty() || key.path.last().unwrap() == "enabled")
    }

    fn row(&self, table: &mut Table, path: &[String]) {
        // A switch of a feature is described with the feature.
        let (last, feature) = path.split_last().unwrap();
        let of_feature = || self.comment(feature).filter(|_| last == "enabled");
        let comment = self.comment(path).or_else(of_feature);
        let comment = comment.unwrap_or_else(|| panic!("{VALUES} says nothing about {path:?}"));
        let schema = schema_of(&self.schema, path);
        let default = shown(at(&self.defaults, path));
        table.row([
            code(&path.join(".")),
            allowed(schema),
            default,
            linked(comment),
        ]);
    }

    /// The table of all values at or below these paths.
    fn table<'a>(&'a self, wanted: impl Fn(&[String]) -> bool + 'a) -> Table {
        let mut table = Table::new(&["value", "allowed", "default", "meaning"]);
        // A map in one piece has no rows of its own below it.
        let mut piece: Option<&[String]> = None;
        for Commented { path, .. } in self.keys.iter().filter(|key| wanted(&key.path)) {
            if self.is_group(path) || piece.is_some_and(|piece| path.starts_with(piece)) {
                continue;
            }
            piece = Some(path);
            self.row(&mut table, path);
        }
        table
    }
}

#[test]
fn values_are_listed_with_their_comments() {
    let values = Values::read();
    let mut page = format!(
        "# Values of the chart\n\n\
         `helm show values charts/cube-operator` shows the same. A schema checks every value, so a value that does not exist or \
         cannot work is refused before anything is installed.\n\n{}",
        values.table(|path| !values.is_group(&path[..1])).0
    );
    for key in &values.keys {
        if key.path.len() > 1 || !values.is_group(&key.path) {
            continue;
        }
        let group = &key.path[0];
        page += &format!("\n## {group}\n");
        let has_switch = values
            .keys
            .iter()
            .any(|other| other.path == [group, "enabled"]);
        if !key.comment.is_empty() && !has_switch {
            page += &format!("\n{}\n", linked(&key.comment));
        }
        page += &format!("\n{}", values.table(|path| path[0] == *group).0);
    }
    check("values.md", VALUES, &page);
}

//! Alerts, their list and the runbook agree. `tests/pages` follows the links. Needs no cluster.

use std::collections::BTreeMap;

use super::rendered::alerts;

use super::language::file;

#[test]
fn each_alert_says_who_is_concerned_and_where_to_read_on() {
    let (runbook, list) = (file("docs/runbook.md"), file("docs/monitoring.md"));
    let sections: BTreeMap<_, _> = runbook
        .split("\n## ")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap())
        .collect();
    for alert in alerts() {
        let name = &alert.name;
        let section = sections
            .get(name.as_str())
            .unwrap_or_else(|| panic!("docs/runbook.md has no section {name}"));
        let url = format!(
            "https://github.com/cube-operator/cube-operator/blob/main/docs/runbook.md#{}",
            name.to_lowercase()
        );
        assert_eq!(alert.runbook_url, url);
        let row = format!("` | {} | ", alert.severity);
        let mut rows = list.lines().filter(|line| line.contains(&row));
        assert!(
            rows.any(|row| row.contains(&format!("`{name}`"))),
            "docs/monitoring.md does not list {name}"
        );
        let severity = match alert.severity.as_str() {
            "critical" => "**Critical.**",
            "warning" => "**Warning.**",
            other => panic!("{name} has the severity {other:?}"),
        };
        assert!(
            section.trim_start().starts_with(severity),
            "{name} is {severity} in the chart"
        );
        for part in [
            "**How urgent:**",
            "**Look:**",
            "**Do:**",
            "**If nothing is done:**",
        ] {
            assert!(section.contains(part), "{name} does not say {part}");
        }
        let concerned = "{{ $labels.namespace }}/{{ $labels.name }}";
        let of_a_credential = name.starts_with("CubeCredential");
        assert!(
            of_a_credential || name.starts_with("CubeOperator"),
            "{name}"
        );
        for text in [&alert.summary, &alert.description] {
            assert!(
                !text.is_empty() && text.contains(concerned) == of_a_credential,
                "{name}: {text}"
            );
        }
    }
    assert_eq!(sections.len(), alerts().len(), "a section without an alert");
}

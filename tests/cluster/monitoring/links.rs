//! Alerts and runbook point to each other. Needs no cluster.

use std::collections::BTreeMap;

use super::rendered::alerts;

use super::language::file;

#[test]
fn each_alert_says_who_is_concerned_and_where_to_read_on() {
    let runbook = file("docs/runbook.md");
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
        let row = format!(
            "| [`{name}`](#{}) | {} | ",
            name.to_lowercase(),
            alert.severity
        );
        assert!(runbook.contains(&row), "the runbook has no row {row}");
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

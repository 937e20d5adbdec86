//! `conditions.md`, from the documentation of the condition types and reasons.

use cube_operator::api::{ConditionType, Reason, RetryClass};

use super::{Table, check, code, prose, sentence};

/// A heading for each schedule of retries, and what it means.
fn retries(class: Option<RetryClass>) -> (&'static str, &'static str) {
    match class {
        None => ("Nothing failed", "An exchange is made when it is due."),
        Some(RetryClass::Terminal) => (
            "A person has to act",
            "There is no retry before the cause changes. A change of the spec, of a referenced Secret or of the CA bundle is noticed \
             within seconds. A Secret that is missing, that lacks its label or that is not the operator's is looked up every minute. \
             `RefreshTokenRejected` is confirmed by one more attempt after 5 minutes. A name whose addresses are not allowed \
             (`HostNotAllowed`) is looked up again after 5 minutes, and before the token expires.",
        ),
        Some(RetryClass::Slow) => (
            "A person has to act, mostly at the provider",
            "Retries after 5, 15, 30, then every 60 min. A credential that has worked with the same inputs, and still has a live \
             token, is retried sooner: after 10, 20, 40, 80 and 160 s, a few seconds before the token expires, and right after it. \
             `ProbeFailed` is retried as [the probe](../probe.md#what-happens) says.",
        ),
        Some(RetryClass::Fast) => (
            "It mostly ends by itself",
            "Retries after 10, 20, 40, 80, 160, then every 300 s; with a stored refresh token whose outcome is unknown after 2, 8, \
             20, 60, 120, then every 300 s. `Unavailable` with a `Retry-After` is retried then; a refresh whose \
             outcome is unknown three times before that, 30 s after each failure. A new refresh token that exists only in the operator's \
             memory (`StateNotWritable`) is written again every 30 s at the latest: do not restart the operator before that.",
        ),
        Some(RetryClass::RateLimited) => (
            "The provider asks for a pause",
            "A retry when the time in `Retry-After` is over; without one after 1, 2, 4, 8, then every 15 min. The pause holds for all \
             CubeCredentials with that client on that endpoint, and nothing cuts it short.",
        ),
    }
}

fn table(class: Option<RetryClass>) -> Table {
    let mut table = Table::new(&["reason", "meaning"]);
    for reason in Reason::ALL {
        if reason.retry_class() == class {
            let name = reason.to_string();
            let anchor = name.to_lowercase();
            table.row([
                format!("[`{name}`](../troubleshooting.md#{anchor})"),
                sentence(reason.meaning()),
            ]);
        }
    }
    table
}

#[test]
fn conditions_are_listed_with_each_reason() {
    let mut types = Table::new(&["condition", "meaning"]);
    let schema = schemars::schema_for!(ConditionType);
    for variant in schema.as_value()["oneOf"].as_array().unwrap() {
        let text = |field: &str| variant[field].as_str().unwrap();
        types.row([code(text("const")), prose(text("description"))]);
    }
    let mut page = format!(
        "# Conditions and reasons\n\n\
         `kubectl describe cubecredential NAME` shows the conditions, with a message that states the cause, the remedy and the next \
         retry. `kubectl wait --for=condition=Ready cubecredential/NAME` waits for a token, and so do tools that follow kstatus, such \
         as Flux; [Argo CD needs a health check](../gitops.md#argo-cd).\n\n\
         ## Conditions\n\n{}\n\
         A failing refresh of a token that still lives is `Ready=True` and `Refreshed=False`: a warning, and no outage yet.\n\n\
         ## Reasons\n\n\
         The reason of a condition is also the reason of an [event](events.md), and a label of the [metrics](metrics.md). Each one \
         leads to its section in Troubleshooting, which shows a real case and the remedy. The names are a part of the API: they do not change.\n\n\
         All delays vary by up to 20 %, so that many CubeCredentials do not retry at the same moment. Every request, also a retry, has \
         to wait for the request budget of its client.\n",
        types.0
    );
    let classes = [
        None,
        Some(RetryClass::Terminal),
        Some(RetryClass::Slow),
        Some(RetryClass::Fast),
        Some(RetryClass::RateLimited),
    ];
    for class in classes {
        let (heading, text) = retries(class);
        page += &format!("\n### {heading}\n\n{text}\n\n{}", table(class).0);
    }
    for reason in Reason::ALL {
        assert_eq!(
            page.matches(&format!("[`{reason}`]")).count(),
            1,
            "{reason}"
        );
    }
    check("conditions.md", "src/api", &page);
}

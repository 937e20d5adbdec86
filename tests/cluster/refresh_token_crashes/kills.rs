//! SIGKILL at random moments of a refresh.

use std::time::{Duration, Instant};

use cube_operator::api::ConditionType::Refreshed;

use crate::{
    environment::fingerprint,
    login::{Login, Stored},
    operator::eventually,
    place::is,
};

/// The results of many kills.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    rounds: u32,
    /// A claim was stored, and its result was not.
    in_mid_exchange: u32,
    /// In these rounds the server had committed, so only the lost response had the new refresh token.
    in_the_window: u32,
    /// In these rounds of the window the login was lost.
    losses_in_the_window: u32,
    other_losses: u32,
}

impl Figures {
    #[expect(clippy::print_stdout, reason = "all that is known of a loss")]
    /// Counts a round. `before` is the state that the killed process left, `lost` is the reason if no token came.
    fn count(&mut self, place: &Login, before: &Stored, lost: Option<&str>) {
        let current = fingerprint(&before.refresh_token);
        let mut refreshes = place.refreshes();
        // The log has them in the order in which they ended.
        refreshes.sort_by_key(|refresh| refresh.at);
        let sent: Vec<_> = refreshes
            .iter()
            .filter(|refresh| refresh.sent == current)
            .collect();
        let claimed = before.record["claim"].is_object();
        // The killed process sent it, and the next one sent it again.
        let window = claimed && sent.len() > 1 && sent[0].committed == 200;
        self.rounds += 1;
        self.in_mid_exchange += u32::from(claimed);
        self.in_the_window += u32::from(window);
        let Some(lost) = lost else { return };
        let after = place.state();
        let unavoidable = window
            && lost == "RefreshTokenLost"
            && after.refresh_token == before.refresh_token
            && refreshes.iter().all(|later| later.sent != sent[0].issued);
        if unavoidable {
            self.losses_in_the_window += 1;
        } else {
            self.other_losses += 1;
            println!("{lost}: {:#} {refreshes:#?}", after.record);
        }
    }
}

#[expect(clippy::print_stdout, reason = "figures are what this is for")]
/// Kills the operator at a random moment of a refresh and starts it again, so many times.
fn kills(rounds: u32, grace: &str, seed: u64) -> Figures {
    let start = Instant::now();
    let place = Login::with(&["--grace", grace]);
    let operator = || place.operator_with(&["--identity", "the-pod"], &[]);
    let mut running = operator();
    place.begin();
    place.server.delay(0.1, 0.1);
    let mut random = seed;
    let mut figures = Figures::default();
    for round in 1..=rounds {
        let request = format!("round-{round}");
        place.request(&request);
        // xorshift64
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_millis(random % 400));
        drop(running);
        let before = place.state();
        running = operator();
        let lost = eventually(
            &format!("{request} is served, or the login is lost"),
            || {
                if place.served(&request).is_some() {
                    return Some(None);
                }
                let status = place.status("main");
                ["RefreshTokenLost", "RefreshTokenRejected"]
                    .into_iter()
                    .find(|reason| is(&status, Refreshed, "False", reason))
                    .map(Some)
            },
        );
        figures.count(&place, &before, lost);
        if lost.is_some() {
            place.apply(&place.seed(&place.sign_in()));
            eventually("a new sign-in helps", || place.served(&request));
        }
        assert_eq!(place.call_api("main-token"), 200, "{request}");
    }
    println!(
        "grace {grace} s, seed {seed}, {:.0?}: {figures:?}",
        start.elapsed()
    );
    figures
}

/// With a grace period no login is ever lost, and without one only in the window that no client can close.
fn chaos(rounds: u32, seed: u64) {
    let patient = kills(rounds, "120", seed);
    assert_eq!(
        (patient.losses_in_the_window, patient.other_losses),
        (0, 0),
        "{patient:?}"
    );
    let strict = kills(rounds, "0", seed + 1);
    assert_eq!(strict.other_losses, 0, "{strict:?}");
    assert_eq!(
        strict.losses_in_the_window, strict.in_the_window,
        "{strict:?}"
    );
}

#[test]
fn sigkill_loses_a_login_only_where_the_server_has_no_grace_and_its_answer_was_not_stored_yet() {
    chaos(10, 1);
}

#[test]
#[ignore = "takes minutes: make chaos"]
fn chaos_two_hundred_kills() {
    let seed = std::env::var("CHAOS_SEED").map_or(2, |seed| seed.parse().unwrap());
    chaos(100, seed);
}

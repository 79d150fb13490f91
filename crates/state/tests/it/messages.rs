//! Messages: order, repeats, and giving up.

use std::time::Duration;

use barograph_state::{Enqueued, NewMessage, Outcome, Status};

use crate::support::{Bench, START_MS};

fn enqueue(bench: &Bench, id: &str, lane: &str) -> Enqueued {
    let new = NewMessage {
        id,
        lane,
        body: id.as_bytes(),
        due_ms: START_MS,
        expires_ms: START_MS + 86_400_000,
    };
    bench.state.write(|change| change.enqueue(&new)).unwrap()
}

fn due(bench: &Bench) -> Vec<String> {
    let listing = bench.state.read(|view| view.due_messages(10, i64::MAX)).unwrap();
    assert!(listing.damaged.is_empty());
    listing.items.into_iter().map(|it| it.id).collect()
}

fn attempted(bench: &Bench, id: &str, outcome: &Outcome) {
    bench.state.write(|change| change.attempted(id, outcome)).unwrap();
}

#[test]
fn a_lane_keeps_its_order_and_lanes_do_not_wait_for_each_other() {
    let bench = Bench::new();
    for (id, lane) in [("a1", "a"), ("a2", "a"), ("b1", "b")] {
        assert_eq!(enqueue(&bench, id, lane), Enqueued::New);
    }
    assert_eq!(due(&bench), ["a1", "b1"]);
    let later = START_MS + 1000;
    let retry = Outcome::Retry { due_ms: later, problem: "it said 503".into() };
    attempted(&bench, "a1", &retry);
    assert_eq!(due(&bench), ["b1"], "a2 must not overtake a1");
    bench.clock.advance(Duration::from_secs(1));
    let bench = bench.reopened();
    assert_eq!(due(&bench), ["b1", "a1"]);
    attempted(&bench, "a1", &Outcome::Delivered);
    assert_eq!(due(&bench), ["a2", "b1"]);
    let first = bench.state.read(|view| view.message("a1")).unwrap().unwrap();
    assert_eq!((first.status, first.attempts), (Status::Delivered, 2));
}

#[test]
fn one_cause_is_one_message_whatever_became_of_it() {
    let bench = Bench::new();
    assert_eq!(enqueue(&bench, "m", "a"), Enqueued::New);
    assert_eq!(enqueue(&bench, "m", "a"), Enqueued::Known);
    attempted(&bench, "m", &Outcome::Delivered);
    assert_eq!(enqueue(&bench, "m", "a"), Enqueued::Known);
    assert!(due(&bench).is_empty());
}

#[test]
fn a_dead_message_says_why_and_can_be_revived() {
    let bench = Bench::new();
    enqueue(&bench, "m", "a");
    enqueue(&bench, "n", "a");
    attempted(&bench, "m", &Outcome::Dead { problem: "no such address".into() });
    assert_eq!(due(&bench), ["n"]);
    let dead = bench.state.read(|view| view.messages(Status::Dead, 10)).unwrap().items;
    assert_eq!(dead[0].problem, "no such address");
    assert!(bench.state.write(|change| change.revive("m")).unwrap());
    assert_eq!(due(&bench), ["m"]);
    attempted(&bench, "m", &Outcome::Delivered);
    assert!(!bench.state.write(|change| change.revive("m")).unwrap());
}

#[test]
fn finished_messages_are_forgotten_by_age_and_waiting_ones_never() {
    let bench = Bench::new();
    enqueue(&bench, "done", "a");
    enqueue(&bench, "waits", "b");
    attempted(&bench, "done", &Outcome::Delivered);
    assert_eq!(bench.state.write(|change| change.prune_messages(i64::MAX)).unwrap(), 1);
    assert_eq!(due(&bench), ["waits"]);
    let counted = bench.state.read(|view| view.count_messages(Status::Waiting)).unwrap();
    assert_eq!(counted, (1, Some(START_MS)));
    let next = bench.state.write(|change| change.next_message_ms()).unwrap();
    assert_eq!(next, Some(START_MS));
}

#[test]
fn a_clock_that_was_put_back_holds_up_nobody() {
    let bench = Bench::new();
    enqueue(&bench, "a", "a");
    let far_ms = START_MS + 7_200_000;
    attempted(&bench, "a", &Outcome::Retry { due_ms: far_ms, problem: String::new() });
    let due = |horizon_ms| {
        bench.state.read(|view| view.due_messages(10, horizon_ms)).unwrap().items.len()
    };
    assert_eq!(due(far_ms), 0);
    assert_eq!(due(far_ms - 1), 1);
}

#[test]
fn what_waits_can_be_brought_forward() {
    let bench = Bench::new();
    for id in ["a", "b"] {
        enqueue(&bench, id, id);
    }
    attempted(&bench, "a", &Outcome::Retry { due_ms: START_MS + 5000, problem: String::new() });
    attempted(&bench, "b", &Outcome::Delivered);
    assert_eq!(due(&bench), [""; 0]);
    bench.state.write(|change| change.bring_forward(5000)).unwrap();
    assert_eq!(due(&bench), ["a"]);
}

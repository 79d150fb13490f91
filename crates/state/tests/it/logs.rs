//! Logs, and what shows when one is tampered with.

use std::time::Duration;

use barograph_state::LogProblem;

use crate::support::Bench;

fn with_entries(number: u64) -> Bench {
    let bench = Bench::new();
    for i in 1..=number {
        let body = format!("entry {i}");
        assert_eq!(bench.state.write(|change| change.append("audit", body.as_bytes())).unwrap(), i);
        bench.clock.advance(Duration::from_secs(1));
    }
    bench
}

fn read(bench: &Bench, after: u64, max: usize) -> (Vec<u64>, Vec<String>) {
    let listing = bench.state.read(|view| view.log("audit", after, max)).unwrap();
    (listing.items.iter().map(|it| it.seq).collect(), listing.damaged)
}

fn verify(bench: &Bench) -> Vec<LogProblem> {
    bench.state.read(|view| view.verify_log("audit")).unwrap()
}

#[test]
fn entries_are_read_in_order_and_in_parts() {
    let bench = with_entries(5).reopened();
    assert_eq!(read(&bench, 0, 3), (vec![1, 2, 3], vec![]));
    assert_eq!(read(&bench, 3, 3), (vec![4, 5], vec![]));
    assert_eq!(bench.state.read(|view| view.log_end("audit")).unwrap(), 5);
    assert_eq!(verify(&bench), []);
}

#[test]
fn a_changed_entry_shows() {
    let bench = with_entries(5);
    bench.tamper("UPDATE log SET body = CAST('entry X' AS BLOB) WHERE seq = 3");
    assert_eq!(verify(&bench), [LogProblem::Changed { seq: 3 }]);
    assert_eq!(read(&bench, 0, 9), (vec![1, 2, 4, 5], vec!["entry 3 of the log audit".into()]));
    assert_eq!(read(&bench, 2, 1), (vec![], vec!["entry 3 of the log audit".into()]));
}

#[test]
fn a_removed_entry_shows_wherever_it_stood() {
    for (removed, expected) in [
        (1, vec![LogProblem::Missing { seq: 1 }]),
        (3, vec![LogProblem::Missing { seq: 3 }]),
        (5, vec![LogProblem::Missing { seq: 5 }]),
    ] {
        let bench = with_entries(5);
        bench.tamper(&format!("DELETE FROM log WHERE seq = {removed}"));
        assert_eq!(verify(&bench), expected);
    }
}

#[test]
fn exchanged_entries_show() {
    let bench = with_entries(3);
    bench.tamper("UPDATE log SET seq = 9 WHERE seq = 1");
    bench.tamper("UPDATE log SET seq = 1 WHERE seq = 2");
    bench.tamper("UPDATE log SET seq = 2 WHERE seq = 9");
    assert!(verify(&bench).contains(&LogProblem::Changed { seq: 1 }));
}

#[test]
fn a_log_cut_with_its_end_shows() {
    let bench = with_entries(3);
    bench.tamper("UPDATE log_end SET next_seq = 3");
    bench.tamper("DELETE FROM log WHERE seq = 3");
    assert_eq!(verify(&bench), [LogProblem::End]);
    let error = bench.state.write(|change| change.append("audit", b"more")).unwrap_err();
    assert!(error.to_string().starts_with("the end of the log audit"), "{error}");
}

#[test]
fn old_entries_go_and_the_rest_still_vouches() {
    let bench = with_entries(5);
    let third = bench.state.read(|view| view.log("audit", 2, 1)).unwrap().items[0].time_ms;
    assert_eq!(bench.state.write(|change| change.prune_log("audit", third)).unwrap(), 2);
    assert_eq!(read(&bench, 0, 9), (vec![3, 4, 5], vec![]));
    assert_eq!(verify(&bench), []);
    assert_eq!(bench.state.write(|change| change.prune_log("audit", i64::MAX)).unwrap(), 2);
    assert_eq!(read(&bench, 0, 9), (vec![5], vec![]));
    assert_eq!(bench.state.write(|change| change.append("audit", b"six")).unwrap(), 6);
    assert_eq!(verify(&bench), []);
}

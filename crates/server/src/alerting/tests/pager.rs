//! Tests of pagers, by a clock that is turned by hand.

use barograph_alerts::escalation::ProbeState;
use barograph_state::Status;

use super::*;

/// Whom messages that wait are for, and by what.
fn waiting(bench: &Bench) -> Vec<(String, String)> {
    let listing = bench.shared.state.read(|view| view.messages(Status::Waiting, 100)).unwrap();
    let letters = listing.items.iter().rev().map(|it| {
        let letter: Letter = serde_json::from_slice(&it.body).unwrap();
        (letter.address.to_string(), letter.notification.title)
    });
    letters.collect()
}

#[test]
fn a_pager_test_that_nobody_answers_becomes_an_incident() {
    // START_MS is a Tuesday, 22:13:20 UTC.
    let bench = Bench::new("groups: []");
    let anna = "contacts: [{channel: mail}, {channel: sms, severity: critical}]\n\
                pager_test: {time_zone: UTC, weekdays: [tuesday], at: '22:20', answer_within: 10m, \
                escalation: boss}\n";
    for name in ["mail", "sms", "chat"] {
        bench.put("channels", name, HOOK);
    }
    bench.put("policies", "boss", "steps: [{notify: [channel:chat]}]");
    bench.put("people", "anna", anna);
    let after = |bench: &Bench, minutes: u64| {
        bench.clock.advance(Duration::from_secs(60 * minutes));
        bench.shared.tick();
    };
    after(&bench, 1);
    assert_eq!(waiting(&bench), []);
    after(&bench, 7);
    let title = "Pager test for anna: please acknowledge".to_owned();
    let sent = ["anna by mail", "anna by sms"].map(|it| (it.to_owned(), title.clone()));
    assert_eq!(waiting(&bench), sent, "by all contacts, whatever they are for");
    let bench = bench.reopened();
    after(&bench, 5);
    assert_eq!((waiting(&bench).len(), bench.open_incidents()), (2, 0));
    after(&bench, 6);
    assert_eq!(bench.open_incidents(), 1);
    let missed = waiting(&bench).pop().unwrap();
    let said = "anna did not answer the pager test (by mail, on its way, by sms, on its way)";
    assert_eq!(missed, ("chat".to_owned(), said.to_owned()));
    assert_eq!(lock(&bench.shared.desk).missed_tests().len(), 1);
    let bench = bench.reopened();
    after(&bench, 1);
    assert_eq!((waiting(&bench).len(), bench.open_incidents()), (3, 1));
    lock(&bench.shared.desk).answer_test("anna", bench.clock.now_ms());
    bench.shared.tick();
    assert_eq!(bench.open_incidents(), 0);
    let last = lock(&bench.shared.desk).report_pagers(bench.clock.now_ms()).remove(0);
    let state = last.tests[0].state;
    assert_eq!(state, ProbeState::Late);
}

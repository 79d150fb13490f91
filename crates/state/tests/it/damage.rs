//! What is read is what was written, or its damage is told.

use std::fs;
use std::sync::Arc;

use barograph_model::SystemClock;
use barograph_state::{Expected, NewMessage, State, Status};

use crate::support::{Bench, START_MS, edit};

#[test]
fn a_changed_document_is_told_and_the_others_are_read() {
    let bench = Bench::new();
    for name in ["a", "b"] {
        let any = edit("x", Expected::Any);
        bench.state.write(|change| change.put_document("rules", name, "text", &any)).unwrap();
    }
    bench.tamper("UPDATE document SET text = 'other' WHERE name = 'a'");
    let listing = bench.state.read(|view| view.documents("rules")).unwrap();
    assert_eq!(listing.items.len(), 1);
    assert_eq!(listing.damaged, ["version 1 of rules `a`"]);
    let error = bench.state.read(|view| view.document("rules", "a")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "version 1 of rules `a` in the database is damaged; restore it from a backup, or write it \
         anew"
    );
}

#[test]
fn a_row_moved_to_another_place_is_told() {
    let bench = Bench::new();
    bench.state.write(|change| change.set_entry("alerts", "cpu", b"firing")).unwrap();
    bench.tamper("UPDATE entry SET key = 'disk'");
    assert!(bench.state.read(|view| view.entry("alerts", "disk")).is_err());
    let listing = bench.state.read(|view| view.entries("alerts")).unwrap();
    assert_eq!(listing.damaged, ["`disk` in alerts"]);
}

/// Flips one bit at a time all over the file.
#[test]
fn a_flipped_bit_never_changes_what_is_read() {
    let bench = Bench::new();
    for i in 0..40 {
        let (name, text) = (format!("n{i}"), format!("text of {i} ").repeat(20));
        bench
            .state
            .write(|change| {
                change.put_document("rules", &name, &text, &edit("x", Expected::Any))?;
                change.set_entry("alerts", &name, text.as_bytes())?;
                change.append("audit", text.as_bytes())?;
                change.enqueue(&NewMessage {
                    id: &name,
                    lane: &name,
                    body: text.as_bytes(),
                    due_ms: START_MS,
                    expires_ms: i64::MAX,
                })
            })
            .unwrap();
    }
    drop(bench.state);
    let original = fs::read(bench.folder.path().join("state.db")).unwrap();
    let mut told = 0;
    // A prime step meets headers, pointers and contents alike.
    for at in (100..original.len()).step_by(397) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = original.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(folder.path().join("state.db"), &bytes).unwrap();
        let key = bench.folder.path().join("state.key");
        fs::copy(key, folder.path().join("state.key")).unwrap();
        told += usize::from(!reads_well(folder.path()));
    }
    assert!(told > 50, "only {told} flips met anything");
}

/// Whether everything is as it was written; what is read and is not as it was written fails.
fn reads_well(folder: &std::path::Path) -> bool {
    let Ok(state) = State::open(folder, Arc::new(SystemClock::new())) else { return false };
    let written = |name: &str, text: &[u8]| {
        let number = name.trim_start_matches('n');
        assert_eq!(text, format!("text of {number} ").repeat(20).as_bytes(), "at {name}");
    };
    let mut complete = true;
    let Ok(documents) = state.read(|view| view.documents("rules")) else { return false };
    complete &= documents.items.len() == 40;
    documents.items.iter().for_each(|it| written(&it.name, it.text.as_bytes()));
    let Ok(entries) = state.read(|view| view.entries("alerts")) else { return false };
    complete &= entries.items.len() == 40;
    entries.items.iter().for_each(|(key, body)| written(key, body));
    let Ok(log) = state.read(|view| view.log("audit", 0, 100)) else { return false };
    complete &= log.items.len() == 40;
    log.items.iter().for_each(|it| written(&(it.seq - 1).to_string(), &it.body));
    let Ok(messages) = state.read(|view| view.messages(Status::Waiting, 100)) else { return false };
    complete &= messages.items.len() == 40;
    messages.items.iter().for_each(|it| written(&it.id, &it.body));
    complete && state.read(|view| view.verify_log("audit")).is_ok_and(|it| it.is_empty())
}

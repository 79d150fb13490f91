//! Documents, their versions and who may change them.

use std::time::Duration;

use barograph_state::{Document, Edit, Expected, StateError};

use crate::support::{Bench, START_MS, edit};

#[test]
fn every_version_is_kept_with_its_author() {
    let bench = Bench::new();
    bench
        .state
        .write(|change| change.put_document("rules", "disk", "a", &edit("anna", Expected::Absent)))
        .unwrap();
    bench.clock.advance(Duration::from_secs(5));
    let second = Edit { author: "ben", note: "quieter", expected: Expected::Version(1) };
    bench.state.write(|change| change.put_document("rules", "disk", "b", &second)).unwrap();

    let bench = bench.reopened();
    let now = bench.state.read(|view| view.document("rules", "disk")).unwrap().unwrap();
    let expected = Document {
        kind: "rules".into(),
        name: "disk".into(),
        version: 2,
        author: "ben".into(),
        changed_ms: START_MS + 5000,
        text: "b".into(),
    };
    assert_eq!(now, expected);
    let history = bench.state.read(|view| view.history("rules", "disk")).unwrap().items;
    let told: Vec<_> = history
        .iter()
        .map(|it| (it.version, it.author.as_str(), it.note.as_str(), it.text.as_deref()))
        .collect();
    assert_eq!(told, [(2, "ben", "quieter", Some("b")), (1, "anna", "", Some("a"))]);
}

#[test]
fn nobody_overwrites_what_they_have_not_seen() {
    let bench = Bench::new();
    let put = |text: &str, expected| {
        bench.state.write(|change| change.put_document("rules", "r", text, &edit("a", expected)))
    };
    put("1", Expected::Absent).unwrap();
    put("2", Expected::Version(1)).unwrap();
    let error = put("3", Expected::Version(1)).unwrap_err();
    assert_eq!(error.to_string(), "rules `r` is at version 2, the change was made for version 1");
    let error = put("3", Expected::Absent).unwrap_err();
    assert_eq!(error.to_string(), "rules `r` is at version 2, the change was made for a new one");
    assert_eq!(put("3", Expected::Any).unwrap(), 3);
}

#[test]
fn the_same_text_makes_no_new_version() {
    let bench = Bench::new();
    let put = || {
        let edit = edit("a", Expected::Any);
        bench.state.write(|change| change.put_document("rules", "r", "same", &edit)).unwrap()
    };
    assert_eq!((put(), put()), (1, 1));
}

#[test]
fn a_removed_document_is_gone_and_can_come_back() {
    let bench = Bench::new();
    let any = edit("a", Expected::Any);
    bench.state.write(|change| change.put_document("rules", "r", "1", &any)).unwrap();
    bench.state.write(|change| change.remove_document("rules", "r", &any)).unwrap();
    assert_eq!(bench.state.read(|view| view.document("rules", "r")).unwrap(), None);
    assert!(bench.state.read(|view| view.documents("rules")).unwrap().items.is_empty());
    let again = bench.state.write(|change| change.remove_document("rules", "r", &any));
    assert!(matches!(again, Err(StateError::NoDocument { .. })));
    let new = edit("b", Expected::Absent);
    let version = bench.state.write(|change| change.put_document("rules", "r", "1", &new));
    assert_eq!(version.unwrap(), 3);
    let history = bench.state.read(|view| view.history("rules", "r")).unwrap().items;
    let texts: Vec<_> = history.iter().map(|it| it.text.as_deref()).collect();
    assert_eq!(texts, [Some("1"), None, Some("1")]);
}

#[test]
fn a_change_that_fails_leaves_nothing() {
    let bench = Bench::new();
    let outcome: Result<(), StateError> = bench.state.write(|change| {
        change.put_document("rules", "r", "1", &edit("a", Expected::Absent))?;
        change.append("audit", b"made r")?;
        change.put_document("rules", "r", "2", &edit("a", Expected::Absent))?;
        Ok(())
    });
    assert!(matches!(outcome, Err(StateError::Conflict { .. })));
    assert_eq!(bench.state.read(|view| view.document("rules", "r")).unwrap(), None);
    assert_eq!(bench.state.read(|view| view.log_end("audit")).unwrap(), 0);
}

#[test]
fn names_and_lengths_are_checked() {
    let bench = Bench::new();
    let put = |name: &str, text: &str| {
        let edit = edit("a", Expected::Any);
        bench
            .state
            .write(|change| change.put_document("rules", name, text, &edit))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        put("two\nlines", ""),
        "the name of a document `two\\nlines` is not allowed: at least one character, no control \
         characters, no blanks around it"
    );
    assert_eq!(
        put(&"x".repeat(201), ""),
        "the name of a document is 201 long, at most 200 is allowed"
    );
    assert_eq!(
        put("r", &"x".repeat(Document::MAX_TEXT_BYTES + 1)),
        "the text of a document is 4194305 long, at most 4194304 is allowed"
    );
}

#[test]
fn documents_are_listed_by_kind_in_order() {
    let bench = Bench::new();
    for (kind, name) in [("rules", "b"), ("rules", "a"), ("channel", "mail")] {
        let edit = edit("a", Expected::Any);
        bench.state.write(|change| change.put_document(kind, name, "x", &edit)).unwrap();
    }
    let listed = bench.state.read(|view| view.documents("rules")).unwrap().items;
    let names: Vec<_> = listed.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let kinds = bench.state.read(|view| Ok::<_, StateError>((view.now_ms(), view.kinds()?)));
    assert_eq!(kinds.unwrap().1, ["channel", "rules"]);
}

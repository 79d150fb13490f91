//! Who is in charge, and who no longer is.

use std::time::Duration;

use barograph_state::{Fence, StateError};

use crate::support::Bench;

const LENGTH: Duration = Duration::from_secs(10);

fn take(bench: &Bench, holder: &str) -> Option<Fence> {
    bench.state.write(|change| change.take_lease("leader", holder, LENGTH)).unwrap()
}

#[test]
fn one_holds_a_lease_until_it_ends() {
    let bench = Bench::new();
    let first = take(&bench, "a").unwrap();
    assert_eq!(first.epoch, 1);
    assert_eq!(take(&bench, "b"), None);
    bench.clock.advance(Duration::from_secs(5));
    assert_eq!(take(&bench, "a"), Some(first), "renewed in the same epoch");
    bench.clock.advance(LENGTH);
    assert_eq!(take(&bench, "b").unwrap().epoch, 2);
}

#[test]
fn who_slept_through_the_end_of_a_lease_has_no_effect() {
    let bench = Bench::new();
    let stale = take(&bench, "a").unwrap();
    bench.clock.advance(LENGTH);
    let current = take(&bench, "b").unwrap();
    let outcome = bench.state.write_as(&stale, |change| change.append("log", b"from a"));
    let told = outcome.unwrap_err().to_string();
    assert_eq!(told, "`leader` is led by another since epoch 2, this is epoch 1");
    bench.state.write_as(&current, |change| change.append("log", b"from b")).unwrap();
    assert_eq!(bench.state.read(|view| view.log_end("log")).unwrap(), 1);
}

#[test]
fn a_lease_given_back_is_free_at_once_in_a_new_epoch() {
    let bench = Bench::new();
    let first = take(&bench, "a").unwrap();
    bench.state.write(|change| change.end_lease(&first)).unwrap();
    let second = take(&bench, "a").unwrap();
    assert_eq!(second.epoch, 2);
    let again = bench.state.write(|change| change.end_lease(&first));
    assert!(matches!(again, Err(StateError::Fenced { current: 2, .. })));
}

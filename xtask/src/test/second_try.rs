//! Tests that fail are tried once more: they meet real programs and the machine's other work, and
//! the fault of one must not hold up everybody. What passes only then is named at the end.
//!
//! Nextest does so by itself (`.config/nextest.toml`), node's runner does not.

use std::collections::BTreeSet;

use super::count::{Tally, judge, plain};
use crate::process::Heard;

/// The test of a closing line of nextest, `FLAKY 2/2 [   0.5s] (1/9) package name`.
pub(super) fn named_by_nextest(line: &str) -> Option<String> {
    let line = line.trim().strip_prefix("FLAKY ")?;
    let (_, mut name) = line.split_once("] ")?;
    if let Some((_, rest)) = name.split_once(") ").filter(|_| name.starts_with('(')) {
        name = rest;
    }
    Some(name.to_owned())
}

/// Where node's runner says that tests failed: `test at tests/alerts.test.mjs:56:1`.
fn failures(text: &str) -> BTreeSet<String> {
    let places = text.lines().map(plain);
    places.filter_map(|line| line.strip_prefix("test at ").map(str::to_owned)).collect()
}

/// The files that those tests are in.
pub(super) fn failed_files(text: &str) -> BTreeSet<String> {
    let places = failures(text);
    places.iter().filter_map(|it| it.split(':').next().map(str::to_owned)).collect()
}

/// What two runs of node's come to, the second of those files only in which a test had failed.
pub(super) fn of_both(first: &Heard, second: &Heard) -> Option<Tally> {
    let once = judge(first)?;
    let again = judge(second)?;
    let still = failures(&second.text);
    let flaky = failures(&first.text).into_iter().filter(|place| !still.contains(place));
    let passed = (once.passed + once.failed).saturating_sub(again.failed);
    Some(Tally { passed, failed: again.failed, flaky: flaky.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(pass: u32, fail: u32, places: &[&str]) -> Heard {
        let places = places.iter().map(|place| format!("test at {place}\n\u{2716} name (2 ms)\n"));
        let text =
            format!("\u{2139} pass {pass}\n\u{2139} fail {fail}\n{}", places.collect::<String>());
        Heard { success: fail == 0, text }
    }

    #[test]
    fn nextests_places_and_times_are_no_part_of_the_name() {
        let name = Some("barograph::it told::later".to_owned());
        for line in [
            "   FLAKY 2/2 [   0.512s] barograph::it told::later",
            "   FLAKY 2/2 [   0.512s] (  12/1513) barograph::it told::later",
        ] {
            assert_eq!(named_by_nextest(line), name);
        }
        assert_eq!(named_by_nextest("  TRY 1 FAIL [   0.4s] barograph::it told::later"), None);
    }

    #[test]
    fn what_failed_twice_has_failed_and_what_passed_then_is_named() {
        let places = ["tests/a.test.mjs:3:1", "tests/a.test.mjs:9:1", "tests/b.test.mjs:3:1"];
        let first = heard(277, 3, &places);
        let files: Vec<_> = failed_files(&first.text).into_iter().collect();
        assert_eq!(files, ["tests/a.test.mjs", "tests/b.test.mjs"]);
        let both = of_both(&first, &heard(20, 1, &places[1..2])).unwrap();
        let flaky = vec![places[0].to_owned(), places[2].to_owned()];
        assert_eq!(both, Tally { passed: 279, failed: 1, flaky });
        assert_eq!(of_both(&first, &heard(21, 0, &[])).unwrap().failed, 0);
    }

    #[test]
    fn files_that_cannot_be_run_again_have_failed() {
        let first = heard(277, 1, &["tests/a.test.mjs:3:1"]);
        let broken = Heard { success: false, text: "cannot start".to_owned() };
        assert_eq!(of_both(&first, &broken).unwrap().failed, 1);
    }
}

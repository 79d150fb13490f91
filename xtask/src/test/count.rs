//! How many tests passed, from what the test runners print.

use std::fmt;
use std::ops::AddAssign;

use super::second_try;
use crate::process::Heard;

/// Tests that passed and failed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    pub passed: u32,
    pub failed: u32,
    /// Names of those that passed only when they were tried again; `passed` counts them, too.
    pub flaky: Vec<String>,
}

impl Tally {
    pub(crate) fn new(passed: u32, failed: u32) -> Self {
        Self { passed, failed, flaky: Vec::new() }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.flaky.extend(other.flaky);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The tests that a runner told of, or `None` if it ended well without having run any.
///
/// A runner that ended badly has at least one failure, also if it could not say which.
pub(super) fn judge(heard: &Heard) -> Option<Tally> {
    let mut sum = Tally::default();
    for line in heard.text.lines() {
        let line = plain(line);
        if let Some(tally) = summary(&line) {
            sum += tally;
        }
        sum.flaky.extend(second_try::named_by_nextest(&line));
    }
    if !heard.success && sum.failed == 0 {
        sum.failed = 1;
    }
    (sum != Tally::default()).then_some(sum)
}

/// What one line adds, if it is the closing line of a runner that we use.
fn summary(line: &str) -> Option<Tally> {
    // libtest: `test result: ok. 3 passed; 0 failed; 1 ignored; …`. Nextest shows the same line
    // of a single failed test, indented.
    if let Some(rest) = line.strip_prefix("test result: ") {
        return Some(Tally::new(before(rest, "passed"), before(rest, "failed")));
    }
    let line = line.trim();
    // nextest: `Summary [ 0.1s] 4 tests run: 3 passed (1 slow), 1 failed, 2 timed out, 0 skipped`
    if let Some(rest) = line.strip_prefix("Summary [") {
        let failed =
            before(rest, "failed") + before(rest, "timed out") + before(rest, "exec failed");
        return Some(Tally::new(before(rest, "passed"), failed));
    }
    // vitest: `Tests  1 failed | 4 passed | 1 skipped (6)`
    if let Some(rest) = line.strip_prefix("Tests  ") {
        return Some(Tally::new(before(rest, "passed"), before(rest, "failed")));
    }
    // node:test, either reporter: `# pass 4`, `ℹ fail 1`
    let rest = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "))?;
    let (word, number) = rest.split_once(' ')?;
    let number = number.parse().ok()?;
    match word {
        "pass" => Some(Tally::new(number, 0)),
        "fail" | "cancelled" => Some(Tally::new(0, number)),
        _ => None,
    }
}

/// The number written directly before `word`, or 0.
fn before(line: &str, word: &str) -> u32 {
    let mut parts = line.split([',', ';', '|', ':', '.', '(']);
    parts.find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok()).unwrap_or(0)
}

/// The line without the escape sequences that colour it.
pub(super) fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.find(char::is_ascii_alphabetic);
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(success: bool, text: &str, expected: Option<(u32, u32)>) {
        let heard = Heard { success, text: text.to_owned() };
        let expected = expected.map(|(passed, failed)| Tally::new(passed, failed));
        assert_eq!(judge(&heard), expected, "{text}");
    }

    #[test]
    fn libtests_binaries_are_summed() {
        let text = "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured\n\
                    test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured\n";
        check(false, text, Some((5, 1)));
    }

    #[test]
    fn nextests_summary_counts_every_way_to_fail() {
        check(
            true,
            "     Summary [   0.012s] 3 tests run: 3 passed (1 slow), 0 skipped",
            Some((3, 0)),
        );
        let bad = "Summary [ 9.0s] 7/9 tests run: 3 passed, 1 failed, 2 timed out, 1 exec failed, 0 skipped";
        check(false, bad, Some((3, 4)));
        let shown = "    test result: FAILED. 0 passed; 1 failed; 0 ignored\n";
        let sum = "     Summary [ 1.0s] 2 tests run: 1 passed, 1 failed, 0 skipped";
        check(false, &format!("{shown}{sum}"), Some((1, 1)));
    }

    #[test]
    fn nextest_names_what_passed_when_it_was_tried_again() {
        let text = "  TRY 1 FAIL [   0.4s] (  4/1513) barograph-collect systemd::tells\n\
                    \u{20}   test result: FAILED. 0 passed; 1 failed; 0 ignored\n\
                    \u{20}    Summary [   9.0s] 3 tests run: 3 passed (1 flaky), 0 skipped\n\
                    \u{20}  FLAKY 2/2 [   0.5s] barograph-collect systemd::tells\n";
        let heard = Heard { success: true, text: text.to_owned() };
        let flaky = vec!["barograph-collect systemd::tells".to_owned()];
        assert_eq!(judge(&heard), Some(Tally { flaky, ..Tally::new(3, 0) }));
    }

    #[test]
    fn vitest_counts_tests_and_not_files() {
        check(true, " Test Files  2 passed (2)\n      Tests  14 passed (14)\n", Some((14, 0)));
        check(
            false,
            "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[31m1 failed\u{1b}[39m | 4 passed (5)",
            Some((4, 1)),
        );
    }

    #[test]
    fn both_reporters_of_node_are_read() {
        check(true, "# tests 5\n# pass 5\n# fail 0\n", Some((5, 0)));
        check(false, "ℹ tests 5\nℹ pass 3\nℹ fail 1\nℹ cancelled 1\n", Some((3, 2)));
    }

    #[test]
    fn a_runner_that_ran_nothing_is_not_a_success() {
        check(true, "no tests to run\n", None);
        check(true, "test result: ok. 0 passed; 0 failed; 0 ignored", None);
    }

    #[test]
    fn a_runner_that_could_not_start_its_tests_has_failed() {
        check(false, "error: could not compile `x`\n", Some((0, 1)));
    }

    #[test]
    fn a_test_that_prints_a_word_is_no_summary() {
        check(true, "test a ... 3 passed\nTests are fun\n# passport 5\n", None);
    }
}

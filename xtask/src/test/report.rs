//! What `cargo xtask test` prints at the end.

use super::Finished;
use super::count::Tally;

/// Prints a row per step, the reasons of failures, and the sum on a line of its own.
pub(super) fn print(steps: &[Finished]) {
    println!("\n{}", render(steps));
}

fn render(steps: &[Finished]) -> String {
    let mut sum = Tally::default();
    let mut lines = vec![format!("{:<16}{:>9}{:>8}{:>10}", "step", "passed", "failed", "time")];
    for Finished { name, took, tally, .. } in steps {
        let seconds = took.as_secs_f64();
        lines.push(format!("{name:<16}{:>9}{:>8}{seconds:>8.1} s", tally.passed, tally.failed));
        sum += tally.clone();
    }
    lines.push(String::new());
    for step in steps {
        lines.extend(step.reason.iter().map(|reason| format!("{}: {reason}", step.name)));
        let again = |test| format!("{}: passed only when it was tried again: {test}", step.name);
        lines.extend(step.tally.flaky.iter().map(again));
    }
    lines.push(sum.to_string());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_last_line_is_the_sum_alone() {
        let step = |name, passed, failed, reason: Option<&str>| Finished {
            name,
            took: Duration::from_millis(1250),
            tally: Tally::new(passed, failed),
            reason: reason.map(str::to_owned),
        };
        let mut unit = step("unit", 30, 0, None);
        unit.tally.flaky.push("barograph told::later".to_owned());
        let wine = step("wine", 40, 2, Some("the server is gone"));
        let text = render(&[step("fmt", 1, 0, None), unit, wine]);
        assert_eq!(text.lines().last(), Some("71 passed, 2 failed"));
        assert!(text.contains("wine                   40       2     1.2 s"), "{text}");
        assert!(text.contains("wine: the server is gone"), "{text}");
        let again = "unit: passed only when it was tried again: barograph told::later";
        assert!(text.contains(again), "{text}");
    }
}

//! Shows where a query is wrong.

/// The refusal, and if it names a place, the line with a caret under it.
pub(super) fn pointed(expr: &str, refusal: &str) -> String {
    let problem = refusal.strip_prefix("invalid parameter \"query\": ").unwrap_or(refusal);
    let found = place(problem).and_then(|(line, column, message)| {
        let text = expr.lines().nth(line.checked_sub(1)?)?;
        let before = text.get(..column.checked_sub(1)?).unwrap_or(text);
        Some((text, before, message))
    });
    let Some((text, before, message)) = found else { return problem.to_owned() };
    // Tabs stay tabs, so that the caret stands where the reader sees the place.
    let blank = |c: char| if c == '\t' { "\t".to_owned() } else { " ".repeat(wide(c)) };
    let indent: String = before.chars().map(blank).collect();
    format!("{message}\n\n  {}\n  {indent}^", crate::output::plain(text).replace('\u{fffd}', "\t"))
}

fn wide(c: char) -> usize {
    unicode_width::UnicodeWidthChar::width(c).unwrap_or(1)
}

/// Line and column, both from 1, and the message of `1:5: parse error: …`.
fn place(problem: &str) -> Option<(usize, usize, &str)> {
    let (line, rest) = problem.split_once(':')?;
    let (column, rest) = rest.split_once(':')?;
    let message = rest.trim_start();
    Some((line.parse().ok()?, column.parse().ok()?, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_mistake() {
        let refusal =
            "invalid parameter \"query\": 1:5: parse error: unexpected identifier \"bar\"";
        assert_eq!(
            pointed("foo bar", refusal),
            "parse error: unexpected identifier \"bar\"\n\n  foo bar\n      ^"
        );
        let refusal = "2:3: parse error: x";
        assert_eq!(pointed("a +\n  $", refusal), "parse error: x\n\n    $\n    ^");
        // At the end of the text.
        assert_eq!(pointed("1 +", "1:4: parse error: x"), "parse error: x\n\n  1 +\n     ^");
    }

    #[test]
    fn without_a_place_the_message_stands_alone() {
        assert_eq!(pointed("a", "query timed out"), "query timed out");
        assert_eq!(pointed("a", "7:1: parse error: x"), "7:1: parse error: x");
    }
}

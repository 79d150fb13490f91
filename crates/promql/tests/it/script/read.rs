//! From a script's text to commands.

use barograph_promql::notation::{self as values, Line};

/// A step of a script.
#[derive(Debug)]
pub(super) enum Command {
    Clear,
    Load {
        step_ms: i64,
        /// Classic histograms also become native ones.
        with_native: bool,
        series: Vec<Line>,
    },
    Eval(Eval),
}

/// An expression and what it should come to.
#[derive(Debug)]
pub(super) struct Eval {
    pub(super) line: usize,
    pub(super) expr: String,
    pub(super) when: When,
    pub(super) expect: Expect,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    Instant { at_ms: i64 },
    Range { from_ms: i64, to_ms: i64, step_ms: i64 },
}

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the language")]
pub(super) struct Expect {
    pub(super) fails: bool,
    pub(super) fail_texts: Vec<Text>,
    pub(super) ordered: bool,
    pub(super) warns: bool,
    pub(super) warn_texts: Vec<Text>,
    pub(super) no_warn: bool,
    pub(super) informs: bool,
    pub(super) info_texts: Vec<Text>,
    pub(super) no_info: bool,
    /// `expect string`
    pub(super) string: Option<String>,
    /// `expect range vector from … to … step …`: start and step.
    pub(super) matrix: Option<(i64, i64)>,
    /// A lone number.
    pub(super) scalar: Option<f64>,
    pub(super) series: Vec<Line>,
    /// Any expected value is a native histogram.
    pub(super) has_histograms: bool,
}

/// What a message should be.
#[derive(Debug)]
pub(super) enum Text {
    Exact(String),
    Regex(regex::Regex),
}

impl Text {
    pub(super) fn fits(&self, text: &str) -> bool {
        match self {
            Self::Exact(wanted) => wanted == text,
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

pub(super) fn commands(script: &str) -> Result<Vec<Command>, String> {
    let cleaned = |line: &str| {
        let line = line.trim();
        if line.starts_with('#') { String::new() } else { line.to_owned() }
    };
    let lines: Vec<String> = script.lines().map(cleaned).collect();
    let mut commands = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let (start, first) = (at, lines[at].as_str());
        at += 1;
        if first.is_empty() {
            continue;
        }
        let body_start = at;
        while at < lines.len() && !lines[at].is_empty() && !starts_command(&lines[at]) {
            at += 1;
        }
        let body = &lines[body_start..at];
        let command =
            command(first, body, start + 1).map_err(|error| format!("line {}: {error}", start + 1));
        commands.push(command?);
    }
    Ok(commands)
}

/// Blocks end with an empty line, and some where the next command begins.
fn starts_command(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default();
    line == "clear"
        || matches!(word, "load" | "load_with_nhcb")
        || (word.starts_with("eval")
            && (line.contains(" instant at ") || line.contains(" range from ")))
}

fn command(first: &str, body: &[String], line: usize) -> Result<Command, String> {
    let word = first.split_whitespace().next().unwrap_or_default();
    match word {
        "clear" => Ok(Command::Clear),
        "load" | "load_with_nhcb" => Ok(Command::Load {
            step_ms: duration(first.strip_prefix(word).unwrap_or_default().trim())?,
            with_native: word == "load_with_nhcb",
            series: body.iter().map(|line| values::line(line)).collect::<Result<_, _>>()?,
        }),
        "eval" | "eval_fail" | "eval_ordered" | "eval_warn" | "eval_info" => {
            let (when, expr) = question(first.strip_prefix(word).unwrap_or_default().trim())?;
            let mut expect = Expect {
                fails: word == "eval_fail",
                ordered: word == "eval_ordered",
                warns: word == "eval_warn",
                informs: word == "eval_info",
                ..Expect::default()
            };
            for line in body {
                expectation(line, &mut expect)?;
            }
            Ok(Command::Eval(Eval { line, expr, when, expect }))
        }
        other => Err(format!("unknown command `{other}`")),
    }
}

/// `instant at T EXPR` or `range from A to B step S EXPR`.
fn question(text: &str) -> Result<(When, String), String> {
    let mut words = text.splitn(4, char::is_whitespace);
    let mut next = || words.next().unwrap_or_default();
    match (next(), next()) {
        ("instant", "at") => {
            let at_ms = time(next())?;
            Ok((When::Instant { at_ms }, next().trim().to_owned()))
        }
        ("range", "from") => {
            let mut words = text.splitn(8, char::is_whitespace).skip(2);
            let mut next = || words.next().unwrap_or_default();
            let (from_ms, _, to_ms, _, step_ms) =
                (time(next())?, next(), time(next())?, next(), duration(next())?);
            Ok((When::Range { from_ms, to_ms, step_ms }, next().trim().to_owned()))
        }
        _ => Err(format!("no question: {text}")),
    }
}

fn expectation(line: &str, expect: &mut Expect) -> Result<(), String> {
    if let Some(text) = line.strip_prefix("expected_fail_message") {
        expect.fail_texts.push(Text::Exact(text.trim().to_owned()));
    } else if let Some(text) = line.strip_prefix("expected_fail_regexp") {
        expect.fail_texts.push(regex(text)?);
    } else if let Some(rest) = line.strip_prefix("expect ") {
        expect_line(rest.trim(), expect)?;
    } else if line.starts_with("{{") {
        expect.has_histograms = true;
    } else if let Some(value) = values::number(line) {
        expect.scalar = Some(value);
    } else {
        let series = values::line(line)?;
        expect.has_histograms |= series.values.contains(&values::Value::Histogram);
        expect.series.push(series);
    }
    Ok(())
}

fn expect_line(rest: &str, expect: &mut Expect) -> Result<(), String> {
    let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    // `warn msg:` and `warn msg: ` are both written.
    let word = word.trim_end_matches(':');
    match word {
        "fail" => {
            expect.fails = true;
            expect.fail_texts.extend(message(rest)?);
        }
        "warn" => {
            expect.warns = true;
            expect.warn_texts.extend(message(rest)?);
        }
        "info" => {
            expect.informs = true;
            expect.info_texts.extend(message(rest)?);
        }
        "no_warn" => expect.no_warn = true,
        "no_info" => expect.no_info = true,
        "ordered" => expect.ordered = true,
        "string" => expect.string = Some(string(rest.trim())?),
        "range" => {
            let words: Vec<&str> = rest.split_whitespace().collect();
            let ["vector", "from", from, "to", _, "step", step] = words[..] else {
                return Err(format!("no range vector: {rest}"));
            };
            expect.matrix = Some((time(from)?, duration(step)?));
        }
        other => return Err(format!("unknown expectation `{other}`")),
    }
    Ok(())
}

fn message(text: &str) -> Result<Option<Text>, String> {
    let text = text.trim();
    if text.is_empty() {
        Ok(None)
    } else if let Some(exact) = text.strip_prefix("msg:") {
        Ok(Some(Text::Exact(exact.trim().to_owned())))
    } else if let Some(pattern) = text.strip_prefix("regex:") {
        regex(pattern).map(Some)
    } else {
        Err(format!("no message: {text}"))
    }
}

fn regex(pattern: &str) -> Result<Text, String> {
    regex::Regex::new(pattern.trim()).map(Text::Regex).map_err(|error| error.to_string())
}

/// The text of a quoted string, by the parser under test.
fn string(quoted: &str) -> Result<String, String> {
    let query = barograph_promql::Query::parse(quoted).map_err(|error| error.to_string())?;
    match &query.expr().node {
        barograph_promql::ast::Node::Text(text) => Ok(text.clone()),
        _ => Err(format!("no string: {quoted}")),
    }
}

/// Milliseconds since 1970, from a duration or from seconds.
fn time(text: &str) -> Result<i64, String> {
    match text.strip_prefix('-') {
        Some(text) => duration(text).map(|ms| -ms),
        None => duration(text),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "scripts name times near 1970")]
fn duration(text: &str) -> Result<i64, String> {
    match text.parse::<f64>() {
        Ok(seconds) => Ok((seconds * 1000.0).round() as i64),
        Err(_) => {
            barograph_promql::parse_duration(text).map_err(|error| format!("{text}: {error}"))
        }
    }
}

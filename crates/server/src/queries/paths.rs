//! Counter paths such as `\PhysicalDisk(*)\Disk Reads/sec` as operands of PromQL.
//!
//! A backslash begins nothing in PromQL, so where a path begins is plain. It ends with the longest
//! name of a counter that its object has: `\Memory\Available Bytes / 1024` is a quotient.

use std::cell::Cell;

use barograph_collect::catalog::{self, History, Row};
use barograph_model::{CounterPath, Pattern, chain};
use barograph_promql::{Shorthand, ShorthandError, Shorthands};

/// Knows the catalog.
#[derive(Debug)]
pub struct CounterPaths<'a> {
    window: &'a str,
    found: Cell<bool>,
}

impl Shorthands for CounterPaths<'_> {
    fn read(&self, text: &str) -> Option<Result<Shorthand, ShorthandError>> {
        self.found.set(true);
        Some(self.translate(text))
    }
}

impl<'a> CounterPaths<'a> {
    /// Those of rules: their rates are over a minute.
    pub const fn for_rules() -> Self {
        Self::new("1m")
    }

    /// Rates are taken over the window.
    pub(super) const fn new(window: &'a str) -> Self {
        Self { window, found: Cell::new(false) }
    }

    /// Whether there was one.
    pub(super) fn found(&self) -> bool {
        self.found.get()
    }

    fn translate(&self, text: &str) -> Result<Shorthand, ShorthandError> {
        // What names no counter is read to the end of its line, and then says what is wrong.
        let line = text.split(['\n', '\r']).next().unwrap_or(text).trim_end();
        let path = end(line).and_then(|end| line.get(..end)).unwrap_or(line);
        let parsed = CounterPath::parse(path).map_err(|error| ShorthandError {
            at: path.char_indices().nth(error.position - 1).map_or(path.len(), |(at, _)| at),
            problem: format!("counter path `{path}`: {}", error.problem),
        })?;
        let wrong = |problem: String| ShorthandError { at: 0, problem };
        let rows = catalog::find(&parsed)
            .map_err(|error| wrong(format!("counter path `{path}`: {}", chain(&error))))?;
        let history = History {
            instance: parsed.instance.as_ref(),
            host: parsed.machine.as_deref(),
            window: self.window,
        };
        let parts: Vec<String> = rows.iter().filter_map(|row| row.promql(&history)).collect();
        let promql = match parts.as_slice() {
            [] => {
                return Err(wrong(format!(
                    "counter path `{path}` has no history: it is read live only, by \
                     `barograph counters read`"
                )));
            }
            [one] => one.clone(),
            several => {
                several.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(" or ")
            }
        };
        Ok(Shorthand { bytes: path.len(), promql })
    }
}

/// Where the path ends that a line begins with; nothing if no counter is named so.
fn end(line: &str) -> Option<usize> {
    let machine = match line.strip_prefix("\\\\") {
        Some(rest) => 2 + rest.find('\\')?,
        None => 0,
    };
    let object_at = machine + line.get(machine..)?.strip_prefix('\\').map(|_| 1)?;
    let rest = line.get(object_at..)?;
    let object_end = object_at + rest.find(['\\', '('])?;
    let object = Pattern::new(line.get(object_at..object_end)?);
    let instance_end = match line.get(object_end..)?.strip_prefix('(') {
        Some(_) => closing_bracket(line, object_end)? + 1,
        None => object_end,
    };
    let counter = line.get(instance_end..)?.strip_prefix('\\')?;
    let names = catalog::rows().filter(|row| object.matches(row.object));
    let longest = names.filter_map(|row| named(counter, row)).max()?;
    Some(instance_end + 1 + longest)
}

/// The bracket that closes the one that opens here; a backslash takes the meaning from the next.
fn closing_bracket(line: &str, open: usize) -> Option<usize> {
    let mut depth = 0;
    let mut is_plain = false;
    for (at, byte) in line.bytes().enumerate().skip(open) {
        match byte {
            _ if is_plain => {}
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(at),
            b')' => depth -= 1,
            _ => {}
        }
        is_plain = byte == b'\\';
    }
    None
}

/// The length of a row's name, if the text begins with it as a whole.
fn named(text: &str, row: &Row) -> Option<usize> {
    let length = row.counter.len();
    let is_it = text.get(..length)?.eq_ignore_ascii_case(row.counter);
    let goes_on = text.get(length..)?.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (is_it && !goes_on).then_some(length)
}

#[cfg(test)]
mod tests {
    use barograph_promql::Query;
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<String, String> {
        let paths = CounterPaths::new("1m");
        Query::parse_with(text, &paths)
            .map(|query| query.expr().to_string())
            .map_err(|error| error.to_string())
    }

    #[track_caller]
    fn is(text: &str, promql: &str) {
        assert_eq!(parse(text), parse(promql), "{text}");
        assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
    }

    #[test]
    fn a_path_is_an_operand() {
        let reads = "rate(disk_reads_total[1m])";
        for (text, promql) in [
            (r"\PhysicalDisk(*)\Disk Reads/sec", reads.to_owned()),
            (r"\PhysicalDisk(*)\Disk Reads/sec > 80", format!("{reads} > 80")),
            (r"\physicaldisk(*)\disk reads/sec>80", format!("{reads} > 80")),
            (
                r"sum by (host) (\PhysicalDisk(*)\Disk Reads/sec) / 2",
                format!("sum by (host) ({reads}) / 2"),
            ),
            (
                "max_over_time(\\PhysicalDisk(*)\\Disk Reads/sec[1h:5m]) # the worst\n  > 1",
                format!("max_over_time({reads}[1h:5m]) > 1"),
            ),
            (
                r"\PhysicalDisk(*)\Disk Reads/sec / on (disk) \PhysicalDisk(*)\Disk Reads/sec",
                format!("{reads} / on (disk) {reads}"),
            ),
        ] {
            is(text, &promql);
        }
        let one = parse(r"\PhysicalDisk(sda)\Disk Reads/sec + 1").unwrap();
        assert!(one.contains("sda") && one.ends_with(" + 1"), "{one}");
        is(r"2 * \Processor(_Total)\% Processor Time > 80", &{
            let whole = parse(r"\Processor(_Total)\% Processor Time").unwrap();
            format!("2 * ({whole}) > 80")
        });
        // A gauge is a selector, with all that may stand behind one.
        let gauge = parse(r"\System\Processes").unwrap();
        is(r"\System\Processes offset 5m", &format!("{gauge} offset 5m"));
        is(r"delta(\System\Processes[5m])", &format!("delta({gauge}[5m])"));
        is(r"\System\Processes-\System\Processes", &format!("{gauge} - {gauge}"));
    }

    #[test]
    fn every_path_of_the_catalog_may_stand_in_an_expression() {
        let history = History { instance: None, host: None, window: "1m" };
        for row in catalog::rows().filter(|row| row.promql(&history).is_some()) {
            let path = row.path();
            let whole = parse(&path).unwrap();
            for behind in ["> 80", " / 2", "+2", ") * (2"] {
                let said = parse(&format!("({path}{behind})"));
                let [bare, wrapped] = [whole.clone(), format!("({whole})")]
                    .map(|whole| parse(&format!("({whole}{behind})")));
                assert!(said.is_ok() && (said == bare || said == wrapped), "{path}: {said:?}");
            }
        }
    }

    #[test]
    fn mistakes_have_their_place() {
        for (text, place, problem) in [
            (r"1 + \PhysicalDisk(*)\Disk Redas/sec", "1:5", "near to it: `Disk Reads/sec`"),
            (r"1 + \PhysicalDisk(*)\Disk Reads/second", "1:5", "near to it: `Disk Reads/sec`"),
            (r"1 + \PhysicalDisk\Disk Reads/sec > 1", "1:5", "need an instance"),
            (r"sum(\PhysicalDisk(*\Disk Reads/sec > 1", "1:18", "is not closed"),
            (r"1 + \Memory", "1:12", "a backslash and the counter's name are missing"),
            (r"1 > \", "1:6", "a backslash and the counter's name are missing"),
            ("1 +\n \\Process(*)\\% Processor Time", "2:2", "no history"),
            (r"\PhysicalDisk(*)\Disk Reads/sec 5", "1:33", "unexpected number"),
            (r"a \PhysicalDisk(*)\Disk Reads/sec", "1:3", "unexpected \"\\\\PhysicalDisk"),
            (r"rate(\PhysicalDisk(*)\Disk Reads/sec[5m])", "1:37", "ranges only allowed"),
            (r"rate(\PhysicalDisk(*)\Disk Reads/sec)", "1:6", "expected type range vector"),
            (r"\PhysicalDisk(*)\Disk Reads/sec offset 5m", "1:1", "offset modifier must"),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.starts_with(&format!("{place}: parse error: ")), "{text}: {said}");
            assert!(said.contains(problem), "{text}: {said}");
        }
    }
    proptest! {
        #[test]
        fn any_text_behind_a_backslash_is_a_path_or_refused_at_its_place(
            words in prop::collection::vec(prop::sample::select(vec![
                "\\", "\\\\", "(", ")", "*", "#1", "PhysicalDisk", "Memory", "Disk Reads/sec",
                "Available Bytes", " ", "é", "> 5", "\n", "a", "_Total",
            ]), 0..12),
        ) {
            let text = format!("1 + \\{}", words.concat());
            if let Err(error) = Query::parse_with(&text, &CounterPaths::new("1m")) {
                prop_assert!(text.is_char_boundary(error.span.start), "{:?}: {}", text, error);
            }
        }
    }
}

//! Windows' way to name a performance counter: `\\machine\Object(instance#index)\Counter`.
//!
//! The form is the one that PDH, perfmon and typeperf use. In an instance, brackets that pair
//! up stand for themselves, as does a backslash; `\(` and `\)` stand for a bracket without its
//! pair. `*` stands for any text in an instance, and alone for a whole object or counter name.

use std::fmt;

/// A counter path, taken apart. Names compare without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterPath {
    /// The computer, without its backslashes; absent means this one.
    pub machine: Option<String>,
    pub object: Pattern,
    /// Absent for objects that exist once.
    pub instance: Option<Instance>,
    pub counter: Pattern,
}

/// The part in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// For example `svchost`, `_Total`, `0 C:`, `*`.
    pub name: Pattern,
    /// Tells instances of the same name apart, from 0; absent means the first when the name has
    /// no wildcard, and all when it has.
    pub index: Option<u32>,
}

/// A name in which `*` stands for any text, also none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

/// A mistake in a counter path, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}, at character {position} of `{path}`")]
pub struct PathError {
    pub problem: PathProblem,
    /// Counted in characters, from 1.
    pub position: usize,
    pub path: String,
}

impl PathError {
    /// The path with a mark under the mistake, in two lines.
    pub fn marked(&self) -> String {
        format!("{}\n{}^", self.path, " ".repeat(self.position.saturating_sub(1)))
    }
}

/// What is wrong with a counter path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    #[error("a counter path starts with a backslash")]
    NoBackslash,
    #[error("the name of the computer is missing after `\\\\`")]
    NoMachine,
    #[error("the object's name is missing")]
    NoObject,
    #[error("the instance in the brackets is missing")]
    NoInstance,
    #[error("the bracket that opens here is not closed before the counter's name")]
    OpenBracket,
    #[error("a closing bracket without its opening one (write `\\)` for the character)")]
    StrayBracket,
    #[error("a backslash and the counter's name are missing")]
    NoCounter,
    #[error("a backslash in the counter's name")]
    BackslashInCounter,
    #[error("the index after `#` is a number up to 4294967295")]
    BadIndex,
    #[error("the path is longer than {} bytes", CounterPath::MAX_BYTES)]
    TooLong,
    #[error("a control character")]
    Control,
}

impl CounterPath {
    /// `PDH_MAX_COUNTER_PATH`.
    pub const MAX_BYTES: usize = 2048;

    /// Takes a path apart.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        Parser { path }.parse().map_err(|(problem, byte)| PathError {
            problem,
            position: path.get(..byte).map_or(0, |before| before.chars().count()) + 1,
            path: path.chars().take(Self::MAX_BYTES).collect(),
        })
    }
}

type Mistake = (PathProblem, usize);

struct Parser<'a> {
    path: &'a str,
}

impl<'a> Parser<'a> {
    fn parse(&self) -> Result<CounterPath, Mistake> {
        let path = self.path;
        if path.len() > CounterPath::MAX_BYTES {
            return Err((PathProblem::TooLong, CounterPath::MAX_BYTES));
        }
        if let Some((at, _)) = path.char_indices().find(|(_, c)| c.is_control()) {
            return Err((PathProblem::Control, at));
        }
        let (machine, object_at) = self.machine()?;
        let rest = self.from(object_at);
        let object_end =
            object_at + rest.find(['\\', '(', ')']).ok_or((PathProblem::NoCounter, path.len()))?;
        if object_end == object_at {
            return Err((PathProblem::NoObject, object_at));
        }
        let object = Pattern::new(self.between(object_at, object_end));
        let (instance, counter_at) = match self.from(object_end).as_bytes().first() {
            Some(b'(') => {
                let close = self.closing_bracket(object_end)?;
                (Some(self.instance(object_end + 1, close)?), close + 1)
            }
            Some(b')') => return Err((PathProblem::StrayBracket, object_end)),
            _ => (None, object_end),
        };
        let counter = self
            .from(counter_at)
            .strip_prefix('\\')
            .filter(|counter| !counter.is_empty())
            .ok_or((PathProblem::NoCounter, path.len()))?;
        if let Some(at) = counter.find('\\') {
            return Err((PathProblem::BackslashInCounter, counter_at + 1 + at));
        }
        Ok(CounterPath { machine, object, instance, counter: Pattern::new(counter) })
    }

    /// The computer's name, and where the object's name starts.
    fn machine(&self) -> Result<(Option<String>, usize), Mistake> {
        let Some(name) = self.path.strip_prefix("\\\\") else {
            return if self.path.starts_with('\\') {
                Ok((None, 1))
            } else {
                Err((PathProblem::NoBackslash, 0))
            };
        };
        match name.find('\\') {
            Some(0) => Err((PathProblem::NoMachine, 2)),
            None if name.is_empty() => Err((PathProblem::NoMachine, 2)),
            None => Err((PathProblem::NoObject, self.path.len())),
            Some(end) => Ok((name.get(..end).map(str::to_owned), 2 + end + 1)),
        }
    }

    /// The closing bracket is looked for from the right, since instances hold brackets: it is the
    /// last one that a backslash and a counter's name follow.
    fn closing_bracket(&self, open: usize) -> Result<usize, Mistake> {
        let mut end = self.path.len();
        while let Some(at) = self.between(open, end).rfind(")\\") {
            if !self.between(open, open + at).ends_with('\\') {
                return Ok(open + at);
            }
            end = open + at;
        }
        if self.path.ends_with(')') && !self.path.ends_with("\\)") {
            return Err((PathProblem::NoCounter, self.path.len()));
        }
        Err((PathProblem::OpenBracket, open))
    }

    fn instance(&self, start: usize, end: usize) -> Result<Instance, Mistake> {
        let name = self.unescape(start, end)?;
        if name.is_empty() {
            return Err((PathProblem::NoInstance, start));
        }
        let (name, index) = match name.rsplit_once('#') {
            Some((before, digits)) if !before.is_empty() && is_index(digits) => {
                let index =
                    digits.parse().map_err(|_| (PathProblem::BadIndex, end - digits.len()))?;
                (before.to_owned(), Some(index))
            }
            _ => (name, None),
        };
        Ok(Instance { name: Pattern(name), index })
    }

    fn unescape(&self, start: usize, end: usize) -> Result<String, Mistake> {
        let text = self.between(start, end);
        let mut out = String::with_capacity(text.len());
        let mut opened = Vec::new();
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            match (c, chars.peek().map(|(_, next)| *next)) {
                ('\\', Some(bracket @ ('(' | ')'))) => {
                    chars.next();
                    out.push(bracket);
                    continue;
                }
                ('(', _) => opened.push(start + at),
                (')', _) if opened.pop().is_none() => {
                    return Err((PathProblem::StrayBracket, start + at));
                }
                _ => {}
            }
            out.push(c);
        }
        match opened.first() {
            Some(at) => Err((PathProblem::OpenBracket, *at)),
            None => Ok(out),
        }
    }

    fn from(&self, start: usize) -> &'a str {
        self.path.get(start..).unwrap_or_default()
    }

    fn between(&self, start: usize, end: usize) -> &'a str {
        self.path.get(start..end).unwrap_or_default()
    }
}

fn is_index(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

impl Pattern {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn has_wildcard(&self) -> bool {
        self.0.contains('*')
    }

    /// Whether a name fits, without regard to case.
    pub fn matches(&self, name: &str) -> bool {
        let pattern: Vec<char> = self.0.chars().flat_map(char::to_lowercase).collect();
        let name: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
        fits(&pattern, &name)
    }

    /// Whether a name fits letter by letter.
    pub fn matches_case(&self, name: &str) -> bool {
        let pattern: Vec<char> = self.0.chars().collect();
        let name: Vec<char> = name.chars().collect();
        fits(&pattern, &name)
    }
}

/// Greedy matching with one place to go back to: linear in practice, `pattern × name` at worst.
fn fits(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut last_star = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            last_star = Some((p, n));
            p += 1;
        } else if pattern.get(p).is_some() && pattern.get(p) == name.get(n) {
            p += 1;
            n += 1;
        } else if let Some((star, from)) = last_star {
            p = star + 1;
            n = from + 1;
            last_star = Some((star, from + 1));
        } else {
            return false;
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_str();
        let lone = lone_brackets(name);
        for (at, c) in name.char_indices() {
            if lone.contains(&at) {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        match self.index {
            Some(index) => write!(f, "#{index}"),
            None => Ok(()),
        }
    }
}

/// Where brackets stand that need a backslash: those without a pair, and those behind a
/// backslash, which would otherwise be read as one.
fn lone_brackets(name: &str) -> Vec<usize> {
    let mut lone = Vec::new();
    let mut opened = Vec::new();
    let mut after_backslash = false;
    for (at, c) in name.char_indices() {
        match c {
            '(' | ')' if after_backslash => lone.push(at),
            '(' => opened.push(at),
            ')' if opened.pop().is_none() => lone.push(at),
            _ => {}
        }
        after_backslash = c == '\\';
    }
    lone.extend(opened);
    lone
}

impl fmt::Display for CounterPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(machine) = &self.machine {
            write!(f, "\\\\{machine}")?;
        }
        write!(f, "\\{}", self.object)?;
        if let Some(instance) = &self.instance {
            write!(f, "({instance})")?;
        }
        write!(f, "\\{}", self.counter)
    }
}

#[cfg(test)]
mod tests;

//! Reads the fields of a YAML document, and finds all of its mistakes at once.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::secret::SecretText;

/// A larger document is none of a channel.
const MAX_BYTES: usize = 256 * 1024;
const MAX_PROBLEMS: usize = 50;
const MAX_ITEMS: usize = 100;

/// A mistake in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1; 0 where it concerns the whole document.
    pub line: usize,
    pub column: usize,
    /// Such as `limits.digest`; empty where it concerns the whole document.
    pub field: String,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if !self.field.is_empty() {
            write!(f, "`{}`: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// Any value.
#[derive(Debug, Clone)]
enum Node {
    Nothing,
    Flag(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Node>>),
    Map(BTreeMap<String, Spanned<Node>>),
}

/// The fields of one map. Whoever reads one names it; what nobody named is a mistake.
pub(crate) struct Fields {
    /// The whole document.
    text: Rc<str>,
    found: BTreeMap<String, Spanned<Node>>,
    known: Vec<&'static str>,
    /// Before the names of fields in problems.
    path: String,
    place: (usize, usize),
    problems: Rc<RefCell<Vec<Problem>>>,
}

impl Fields {
    /// # Errors
    /// The text is no YAML map.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let whole =
            |message: String| vec![Problem { line: 0, column: 0, field: String::new(), message }];
        if text.len() > MAX_BYTES {
            let bytes = text.len();
            return Err(whole(format!(
                "{bytes} bytes are too many, at most {MAX_BYTES} are allowed"
            )));
        }
        let root: Spanned<Node> = serde_saphyr::from_str(text).map_err(|error| {
            let error = error.without_snippet();
            let (line, column) = error.location().map_or((0, 0), place);
            let rendered = error.to_string();
            // The place stands in the problem already.
            let message = rendered.split(" at line ").next().unwrap_or(&rendered).to_owned();
            vec![Problem { line, column, field: String::new(), message }]
        })?;
        let Node::Map(fields) = root.value else {
            return Err(whole("a channel is a map of fields, such as `type: email`".to_owned()));
        };
        let problems = Rc::default();
        let (text, known, path) = (Rc::from(text), Vec::new(), String::new());
        Ok(Self { text, found: fields, known, path, place: (1, 1), problems })
    }

    /// All mistakes, in order of their places.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        self.end();
        let mut problems = self.problems.take();
        problems.sort_by_key(|it| (it.line, it.column));
        problems.truncate(MAX_PROBLEMS);
        problems
    }

    /// The mistakes so far, where the other fields cannot be judged.
    pub(crate) fn finish_known(self) -> Vec<Problem> {
        self.problems.take()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.found.contains_key(name)
    }

    /// Finds the fields that nobody asked for.
    fn end(&mut self) {
        for (name, value) in std::mem::take(&mut self.found) {
            let near = self
                .known
                .iter()
                .map(|known| (strsim::jaro_winkler(&name, known), known))
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .filter(|(likeness, _)| *likeness > 0.8);
            let message = match near {
                Some((_, near)) => format!("there is no such field, did you mean `{near}`?"),
                None => format!("there is no such field, allowed are {}", self.known.join(", ")),
            };
            self.wrong(&name, place(value.defined), message);
        }
    }

    fn wrong(&self, name: &str, (line, column): (usize, usize), message: impl Into<String>) {
        let field = format!("{}{name}", self.path);
        self.problems.borrow_mut().push(Problem { line, column, field, message: message.into() });
    }

    /// A mistake of a field that was read, told by whom it was read for.
    pub(crate) fn refuse(&self, name: &str, at: (usize, usize), message: impl Into<String>) {
        self.wrong(name, at, message);
    }

    /// Where the map itself stands.
    pub(crate) fn place(&self) -> (usize, usize) {
        self.place
    }

    fn take(&mut self, name: &'static str) -> Option<(Node, (usize, usize))> {
        self.known.push(name);
        let found = self.found.remove(name)?;
        let at = place(found.defined);
        if matches!(found.value, Node::Nothing) { None } else { Some((found.value, at)) }
    }

    fn missing(&self, name: &str) {
        self.wrong(name, self.place, "is missing");
    }

    /// A text on one line, and where it stands.
    pub(crate) fn placed(&mut self, name: &'static str) -> Option<(String, (usize, usize))> {
        let (node, at) = self.take(name)?;
        self.line_of(name, node, at).map(|text| (text, at))
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.placed(name).map(|(text, _)| text)
    }

    /// A text that must be there; empty when the mistake is noted.
    pub(crate) fn needed(&mut self, name: &'static str) -> String {
        if !self.found.contains_key(name) {
            self.known.push(name);
            self.missing(name);
            return String::new();
        }
        let text = self.placed(name);
        match text {
            Some((text, at)) if text.trim().is_empty() => {
                self.wrong(name, at, "is empty");
                text
            }
            Some((text, _)) => text,
            None => String::new(),
        }
    }

    /// A text of several lines.
    pub(crate) fn block(&mut self, name: &'static str) -> Option<(String, (usize, usize))> {
        match self.take(name)? {
            (Node::Text(text), at) => Some((text, at)),
            (other, at) => {
                self.wrong(name, at, self.no_text(&other, at));
                None
            }
        }
    }

    /// Why a value is no text. YAML reads some words as other things: `no` is false.
    fn no_text(&self, node: &Node, at: (usize, usize)) -> String {
        match node {
            Node::Flag(_) | Node::Integer(_) | Node::Float(_) => {
                let (written, kind) = (written(&self.text, at), node.kind());
                format!("`{written}` is read as {kind}, not as a text; write '{written}' in quotes")
            }
            other => format!("{} is not a text", other.kind()),
        }
    }

    fn line_of(&self, name: &str, node: Node, at: (usize, usize)) -> Option<String> {
        let text = match node {
            Node::Text(text) => text,
            // The number of a chat is the same in both; that of a telephone loses its plus.
            Node::Integer(number) if written(&self.text, at) == number.to_string() => {
                number.to_string()
            }
            other => {
                self.wrong(name, at, self.no_text(&other, at));
                return None;
            }
        };
        if text.chars().any(char::is_control) {
            self.wrong(name, at, "line breaks and other control characters are not allowed");
            return None;
        }
        Some(text)
    }

    /// One text or a list of them.
    pub(crate) fn texts(&mut self, name: &'static str) -> Vec<(String, (usize, usize))> {
        let Some((node, at)) = self.take(name) else { return Vec::new() };
        let items = match node {
            Node::List(items) if items.len() > MAX_ITEMS => {
                let found = items.len();
                self.wrong(
                    name,
                    at,
                    format!("{found} are too many, at most {MAX_ITEMS} are allowed"),
                );
                return Vec::new();
            }
            Node::List(items) => {
                items.into_iter().map(|it| (it.value, place(it.defined))).collect()
            }
            one => vec![(one, at)],
        };
        items
            .into_iter()
            .filter_map(|(node, at)| self.line_of(name, node, at).map(|text| (text, at)))
            .collect()
    }

    pub(crate) fn pairs(&mut self, name: &'static str) -> Vec<(String, String, (usize, usize))> {
        let Some((node, at)) = self.take(name) else { return Vec::new() };
        let Node::Map(pairs) = node else {
            self.wrong(name, at, format!("{} is not a map", node.kind()));
            return Vec::new();
        };
        let read = pairs.into_iter().filter_map(|(key, value)| {
            let at = place(value.defined);
            let text = self.line_of(&format!("{name}.{key}"), value.value, at)?;
            Some((key, text, at))
        });
        read.collect()
    }

    /// A secret, itself or by its name. What YAML takes for something else than a text is refused:
    /// `no` would be `false`, and `0123` another number.
    pub(crate) fn secret(&mut self, name: &'static str) -> Option<SecretText> {
        let (node, at) = self.take(name)?;
        let message = match node {
            Node::Text(_) => return self.line_of(name, node, at).map(SecretText::Direct),
            Node::Map(mut pairs) => match pairs.remove("secret").map(|it| it.value) {
                Some(Node::Text(text)) if pairs.is_empty() && !text.trim().is_empty() => {
                    return Some(SecretText::Named(text));
                }
                Some(Node::Text(_) | Node::List(_) | Node::Map(_) | Node::Nothing) | None => {
                    "a secret is named as `{secret: NAME}`".to_owned()
                }
                Some(other) => format!(
                    "the name of the secret is read as {}; put it in quotes, as in `{{secret: \
                     \"NAME\"}}`",
                    other.kind()
                ),
            },
            other => format!("the secret is read as {}; put it in quotes", other.kind()),
        };
        self.wrong(name, at, message);
        None
    }

    pub(crate) fn needed_secret(&mut self, name: &'static str) -> SecretText {
        if !self.found.contains_key(name) {
            self.missing(name);
        }
        self.secret(name).unwrap_or_else(|| SecretText::Direct(String::new()))
    }

    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)? {
            (Node::Flag(flag), _) => Some(flag),
            (other, at) => {
                self.wrong(name, at, format!("{} is neither true nor false", other.kind()));
                None
            }
        }
    }

    pub(crate) fn number(&mut self, name: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        let (node, at) = self.take(name)?;
        let number = match &node {
            Node::Integer(number) => u32::try_from(*number).ok().filter(|it| range.contains(it)),
            _ => None,
        };
        if number.is_none() {
            let (least, most) = (range.start(), range.end());
            let shown = node.shown();
            self.wrong(name, at, format!("{shown} is not a whole number from {least} to {most}"));
        }
        number
    }

    pub(crate) fn one_of<T: Copy>(
        &mut self,
        name: &'static str,
        allowed: &[(&'static str, T)],
    ) -> Option<T> {
        let (text, at) = self.placed(name)?;
        let found = allowed.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<_> = allowed.iter().map(|(word, _)| *word).collect();
            let words = words.join(", ");
            self.wrong(name, at, format!("`{text}` is none of {words}"));
        }
        found.map(|(_, value)| *value)
    }

    /// A length of time such as `90s`, `5m`, `1h30m`.
    pub(crate) fn duration(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<Duration> {
        let (text, at) = self.placed(name)?;
        let read = seconds(&text).filter(|it| range.contains(it));
        if read.is_none() {
            let (least, most) = (range.start(), range.end());
            let message =
                format!("`{text}` is no time such as 30s, 5m or 1h, from {least}s to {most}s");
            self.wrong(name, at, message);
        }
        read.map(Duration::from_secs)
    }

    /// A map within the map, read by `read`.
    pub(crate) fn group<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        let (node, at) = self.take(name)?;
        let Node::Map(fields) = node else {
            self.wrong(name, at, format!("{} is not a map of fields", node.kind()));
            return None;
        };
        let path = format!("{}{name}.", self.path);
        let (text, problems) = (Rc::clone(&self.text), Rc::clone(&self.problems));
        let mut group = Self { text, found: fields, known: Vec::new(), path, place: at, problems };
        let value = read(&mut group);
        group.end();
        Some(value)
    }
}

fn place(at: serde_saphyr::Location) -> (usize, usize) {
    let number = |it: u64| usize::try_from(it).unwrap_or(usize::MAX);
    (number(at.line()), number(at.column()))
}

/// What stands at a place: a value without quotes, which is on one line.
fn written(text: &str, (line, column): (usize, usize)) -> &str {
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let start = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    let rest = line.get(start..).unwrap_or_default();
    let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}');
    rest.split(ends).next().unwrap_or_default()
}

fn seconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|it| *it > 0)?;
        let (number, unit) = rest.split_at_checked(digits)?;
        let unit_length = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        let (unit, after) = unit.split_at_checked(unit_length)?;
        let factor = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(factor)?)?;
        rest = after;
    }
    if text.is_empty() { None } else { Some(total) }
}

impl Node {
    fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Flag(_) => "a truth value",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => format!("`{text}`"),
            other => other.kind().to_owned(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNode)
    }
}

struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, it: bool) -> Result<Node, E> {
        Ok(Node::Flag(it))
    }

    fn visit_i64<E>(self, it: i64) -> Result<Node, E> {
        Ok(Node::Integer(it.into()))
    }

    fn visit_u64<E>(self, it: u64) -> Result<Node, E> {
        Ok(Node::Integer(it.into()))
    }

    fn visit_i128<E>(self, it: i128) -> Result<Node, E> {
        Ok(Node::Integer(it))
    }

    fn visit_f64<E>(self, it: f64) -> Result<Node, E> {
        Ok(Node::Float(it))
    }

    fn visit_str<E>(self, it: &str) -> Result<Node, E> {
        Ok(Node::Text(it.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Node, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, value)) = pairs.next_entry()? {
            map.insert(key, value);
        }
        Ok(Node::Map(map))
    }
}

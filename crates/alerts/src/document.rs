//! Documents as people write them: YAML whose mistakes are told with their places.

use std::fmt;

use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Spanned};

/// One mistake in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1; 0 where the whole document is meant.
    pub line: usize,
    pub column: usize,
    /// Which part of the document is meant, as far as it is known.
    pub place: String,
    pub message: String,
}

/// The way from a document to one of its parts, such as `steps[2].notify`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Field(String),
    /// From 0.
    Item(usize),
}

/// A document's parts and where they stand, whatever they mean.
enum Node {
    Map(Vec<(String, Spanned<Node>)>),
    List(Vec<Spanned<Node>>),
    Leaf,
}

/// Reads a document.
///
/// # Errors
/// The first mistake.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    if is_blank(text) {
        return Err(Problem::whole("it is empty"));
    }
    serde_saphyr::from_str(text).map_err(|error| syntax(&error))
}

/// Nothing but blanks and comments.
pub(crate) fn is_blank(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .all(|line| line.is_empty() || line.starts_with('#') || line == "---")
}

pub(crate) fn syntax(error: &serde_saphyr::Error) -> Problem {
    let error = error.without_snippet();
    let (line, column) = error.location().map_or((0, 0), |at| position(&at));
    let rendered = error.to_string();
    // The place stands in the problem already.
    let message = rendered.split(" at line ").next().unwrap_or(&rendered).to_owned();
    Problem { line, column, place: String::new(), message }
}

pub(crate) fn position(at: &Location) -> (usize, usize) {
    let number = |it: u64| usize::try_from(it).unwrap_or(usize::MAX);
    (number(at.line()), number(at.column()))
}

impl Problem {
    /// What is wrong with a document as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self { line: 0, column: 0, place: String::new(), message: message.into() }
    }

    /// What is wrong at a place of a document, or at the nearest part above it that is there.
    pub fn at(text: &str, path: &Path, message: impl Into<String>) -> Self {
        let (line, column) = locate(text, path);
        Self { line, column, place: path.to_string(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.message)
    }
}

impl Path {
    /// The whole document.
    pub fn root() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        self.with(Part::Field(name.to_owned()))
    }

    /// An item of a list, from 0.
    #[must_use]
    pub fn item(&self, number: usize) -> Self {
        self.with(Part::Item(number))
    }

    fn with(&self, part: Part) -> Self {
        let mut parts = self.0.clone();
        parts.push(part);
        Self(parts)
    }
}

impl fmt::Display for Path {
    /// People count from 1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.0.iter().enumerate() {
            match part {
                Part::Field(name) if place == 0 => f.write_str(name)?,
                Part::Field(name) => write!(f, ".{name}")?,
                Part::Item(number) => write!(f, "[{}]", number + 1)?,
            }
        }
        Ok(())
    }
}

/// Line and column, from 1; 0 where there is nothing to point to.
fn locate(text: &str, path: &Path) -> (usize, usize) {
    let Ok(root) = serde_saphyr::from_str::<Spanned<Node>>(text) else { return (0, 0) };
    let mut node = &root;
    for part in &path.0 {
        let next = match (&node.value, part) {
            (Node::Map(fields), Part::Field(name)) => {
                fields.iter().find(|(it, _)| it == name).map(|(_, it)| it)
            }
            (Node::List(items), Part::Item(number)) => items.get(*number),
            _ => None,
        };
        let Some(next) = next else { break };
        node = next;
    }
    position(&node.defined)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = map.next_key()? {
            fields.push((name, map.next_value()?));
        }
        Ok(Node::Map(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Node, D::Error> {
        Node::deserialize(inner)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Node, D::Error> {
        Node::deserialize(inner)
    }

    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, data: A) -> Result<Node, A::Error> {
        data.variant::<IgnoredAny>()?;
        Ok(Node::Leaf)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf)
    }
}

/// A moment as documents write it: `2026-01-10T08:00:00+01:00`.
pub(crate) mod instant {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub(crate) fn serialize<S: Serializer>(ms: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        let at = Timestamp::from_millisecond(*ms).map_err(serde::ser::Error::custom)?;
        at.to_string().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at: Result<Timestamp, _> = text.parse();
        at.map(Timestamp::as_millisecond).map_err(|_| {
            serde::de::Error::custom(format!(
                "`{text}` is no moment; allowed is a date and a time with a zone, such as \
                 2026-01-10T08:00:00+01:00 or 2026-01-10T07:00:00Z"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# who is told
steps:
  - notify: [channel:chat]
  - after: 5m
    notify: ['rota:night', person:anna]
";

    #[track_caller]
    fn check(path: &Path, expected: &str) {
        assert_eq!(Problem::at(TEXT, path, "x").to_string(), expected);
    }

    #[test]
    fn parts_are_found_and_named() {
        let steps = Path::root().field("steps");
        check(&steps.item(1).field("notify").item(1), "5:28: steps[2].notify[2]: x");
        check(&steps.item(1).field("after"), "4:12: steps[2].after: x");
        check(&steps.item(0).field("repeat"), "3:5: steps[1].repeat: x");
    }

    #[test]
    fn mistakes_have_a_line_and_blank_documents_are_none() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct One {
            #[serde(rename = "a")]
            _a: u8,
        }
        let told = |text: &str| read::<One>(text).unwrap_err().to_string();
        assert_eq!(told("# nothing\n---\n"), "it is empty");
        for (text, line) in [("a: 1\nb: 2\n", "2:"), ("a: [\n", "1:"), ("a: 1\na: 2\n", "2:")] {
            assert!(told(text).starts_with(line), "{text:?}: {}", told(text));
            println!("{}", told(text));
        }
    }
}

//! The identity of a series: its metric name and labels.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The label that holds the metric's name.
pub const METRIC_NAME: &str = "__name__";

/// Sorted label names with their values; never empty names, never empty values, each name once.
///
/// The whole set is one allocation, in the form that is also stored: for each label in order of
/// its name, the length of the name, the name, the length of the value, the value; lengths are
/// little-endian base-128 numbers. Cloning counts a reference.
#[derive(Clone)]
pub struct Labels {
    encoded: Arc<[u8]>,
}

/// Why a set of labels is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelsError {
    #[error("a label has an empty name (its value is `{value}`)")]
    EmptyName { value: String },
    #[error("label `{name}` is given twice")]
    Duplicate { name: String },
    #[error("{count} labels on one series, at most {} are allowed", Labels::MAX_COUNT)]
    TooMany { count: usize },
    #[error(
        "label name `{start}…` has {bytes} bytes, at most {} are allowed",
        Labels::MAX_NAME_BYTES
    )]
    LongName { start: String, bytes: usize },
    #[error(
        "the value of label `{name}` has {bytes} bytes, at most {} are allowed",
        Labels::MAX_VALUE_BYTES
    )]
    LongValue { name: String, bytes: usize },
    #[error("the stored labels are damaged at byte {offset}")]
    Damaged { offset: usize },
}

impl Labels {
    /// Labels on one series: VictoriaMetrics stops at 40, Prometheus' users rarely pass 30.
    pub const MAX_COUNT: usize = 64;
    pub const MAX_NAME_BYTES: usize = 256;
    pub const MAX_VALUE_BYTES: usize = 4096;

    /// Makes a set from pairs in any order. Pairs with an empty value are left out, as Prometheus
    /// does: there an empty label is an absent one.
    ///
    /// # Errors
    /// An empty name, a name given twice, or a limit passed.
    pub fn new<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Self, LabelsError>
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let mut pairs: Vec<(N, V)> =
            pairs.into_iter().filter(|(_, value)| !value.as_ref().is_empty()).collect();
        pairs.sort_by(|a, b| a.0.as_ref().cmp(b.0.as_ref()));
        check(&pairs)?;
        let mut encoded = Vec::with_capacity(64);
        for (name, value) in &pairs {
            put_text(&mut encoded, name.as_ref());
            put_text(&mut encoded, value.as_ref());
        }
        Ok(Self { encoded: encoded.into() })
    }

    /// A metric without further labels.
    ///
    /// # Errors
    /// As [`Labels::new`].
    pub fn metric(name: &str) -> Result<Self, LabelsError> {
        Self::new([(METRIC_NAME, name)])
    }

    /// Takes back what [`Labels::encoded`] gave.
    ///
    /// # Errors
    /// Anything that [`Labels::new`] could not have made.
    pub fn from_encoded(bytes: &[u8]) -> Result<Self, LabelsError> {
        let mut offset = 0;
        let mut pairs = Vec::new();
        while offset < bytes.len() {
            let damaged = LabelsError::Damaged { offset };
            let (name, value) = match take_pair(bytes, &mut offset) {
                Some((name, value)) if !name.is_empty() && !value.is_empty() => (name, value),
                _ => return Err(damaged),
            };
            if pairs.last().is_some_and(|(last, _)| *last >= name) {
                return Err(damaged);
            }
            pairs.push((name, value));
        }
        check(&pairs)?;
        Ok(Self { encoded: bytes.into() })
    }

    /// The form that is stored; equal sets have equal bytes.
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// The labels in order of their names, the metric's name among them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut offset = 0;
        std::iter::from_fn(move || take_pair(&self.encoded, &mut offset))
    }

    /// The value of a label.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.value_bytes(name.as_bytes())?;
        std::str::from_utf8(value).ok()
    }

    /// As [`Labels::iter`], without looking at what the bytes mean: for comparing.
    fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut offset = 0;
        std::iter::from_fn(move || {
            let name = take_bytes(&self.encoded, &mut offset)?;
            Some((name, take_bytes(&self.encoded, &mut offset)?))
        })
    }

    fn value_bytes(&self, name: &[u8]) -> Option<&[u8]> {
        self.pairs().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The metric's name, or nothing for a nameless result.
    pub fn name(&self) -> &str {
        self.get(METRIC_NAME).unwrap_or_default()
    }

    /// The same set with one label set, or removed by an empty value.
    ///
    /// # Errors
    /// As [`Labels::new`].
    pub fn with(&self, name: &str, value: &str) -> Result<Self, LabelsError> {
        Self::new(self.iter().filter(|(n, _)| *n != name).chain([(name, value)]))
    }
}

fn check<N: AsRef<str>, V: AsRef<str>>(sorted: &[(N, V)]) -> Result<(), LabelsError> {
    if sorted.len() > Labels::MAX_COUNT {
        return Err(LabelsError::TooMany { count: sorted.len() });
    }
    for (i, (name, value)) in sorted.iter().enumerate() {
        let (name, value) = (name.as_ref(), value.as_ref());
        if name.is_empty() {
            return Err(LabelsError::EmptyName { value: start_of(value) });
        }
        if name.len() > Labels::MAX_NAME_BYTES {
            return Err(LabelsError::LongName { start: start_of(name), bytes: name.len() });
        }
        if value.len() > Labels::MAX_VALUE_BYTES {
            return Err(LabelsError::LongValue { name: name.to_owned(), bytes: value.len() });
        }
        if i > 0 && sorted.get(i - 1).is_some_and(|(last, _)| last.as_ref() == name) {
            return Err(LabelsError::Duplicate { name: name.to_owned() });
        }
    }
    Ok(())
}

/// Enough of a text to recognise it by in an error.
fn start_of(text: &str) -> String {
    text.chars().take(32).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
fn put_text(out: &mut Vec<u8>, text: &str) {
    let mut length = text.len();
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(text.as_bytes());
}

fn take_pair<'a>(bytes: &'a [u8], offset: &mut usize) -> Option<(&'a str, &'a str)> {
    Some((take_text(bytes, offset)?, take_text(bytes, offset)?))
}

fn take_text<'a>(bytes: &'a [u8], offset: &mut usize) -> Option<&'a str> {
    std::str::from_utf8(take_bytes(bytes, offset)?).ok()
}

fn take_bytes<'a>(bytes: &'a [u8], offset: &mut usize) -> Option<&'a [u8]> {
    let mut length = 0_usize;
    // Three groups of seven bits hold more than MAX_VALUE_BYTES.
    for group in 0..3 {
        let byte = *bytes.get(*offset)?;
        *offset += 1;
        length |= usize::from(byte & 0x7f) << (7 * group);
        if byte & 0x80 == 0 {
            let text = bytes.get(*offset..offset.checked_add(length)?)?;
            *offset += length;
            return Some(text);
        }
    }
    None
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.encoded, &other.encoded) || self.encoded == other.encoded
    }
}

impl Eq for Labels {}

impl Hash for Labels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.encoded.hash(state);
    }
}

/// Finds a set in a hash map by its stored form, without making one.
impl Borrow<[u8]> for Labels {
    fn borrow(&self) -> &[u8] {
        &self.encoded
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By metric name first, then label by label.
impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        if self == other {
            return Ordering::Equal;
        }
        let name = |labels| Self::value_bytes(labels, METRIC_NAME.as_bytes());
        // Text is in order of its bytes.
        name(self).cmp(&name(other)).then_with(|| self.pairs().cmp(other.pairs()))
    }
}

/// As in the Prometheus text format: `name{label="value",…}`.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        let mut first = true;
        for (name, value) in self.iter().filter(|(name, _)| *name != METRIC_NAME) {
            f.write_str(if first { "{" } else { "," })?;
            first = false;
            write!(f, "{name}=\"")?;
            for c in value.chars() {
                match c {
                    '\\' => f.write_str("\\\\")?,
                    '"' => f.write_str("\\\"")?,
                    '\n' => f.write_str("\\n")?,
                    c => write!(f, "{c}")?,
                }
            }
            f.write_str("\"")?;
        }
        if first { Ok(()) } else { f.write_str("}") }
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_are_sorted_and_empty_values_left_out() {
        let labels = Labels::new([("mode", "user"), (METRIC_NAME, "cpu"), ("x", "")]).unwrap();
        assert_eq!(labels.to_string(), r#"cpu{mode="user"}"#);
        assert_eq!(labels.get("x"), None);
    }

    #[test]
    fn text_form_escapes_quotes_and_newlines() {
        let labels = Labels::new([(METRIC_NAME, "m"), ("a", "say \"hi\"\\\n")]).unwrap();
        assert_eq!(labels.to_string(), r#"m{a="say \"hi\"\\\n"}"#);
    }

    #[test]
    fn errors_name_the_label() {
        let twice = Labels::new([("a", "1"), ("a", "2")]);
        assert_eq!(twice, Err(LabelsError::Duplicate { name: "a".into() }));
        let long = Labels::new([("a", "x".repeat(Labels::MAX_VALUE_BYTES + 1))]);
        assert_eq!(long, Err(LabelsError::LongValue { name: "a".into(), bytes: 4097 }));
        let many = Labels::new((0..65).map(|i| (format!("l{i}"), "v")));
        assert_eq!(many, Err(LabelsError::TooMany { count: 65 }));
    }

    #[test]
    fn damaged_bytes_are_refused_with_their_place() {
        let labels = Labels::new([("a", "1"), ("b", "2")]).unwrap();
        let mut bytes = labels.encoded().to_vec();
        bytes.truncate(bytes.len() - 1);
        assert_eq!(Labels::from_encoded(&bytes), Err(LabelsError::Damaged { offset: 4 }));
        let unsorted = [1, b'b', 1, b'2', 1, b'a', 1, b'1'];
        assert_eq!(Labels::from_encoded(&unsorted), Err(LabelsError::Damaged { offset: 4 }));
    }

    #[test]
    fn with_replaces_and_removes() {
        let labels = Labels::metric("m").unwrap().with("host", "a").unwrap();
        assert_eq!(labels.with("host", "b").unwrap().get("host"), Some("b"));
        assert_eq!(labels.with("host", "").unwrap(), Labels::metric("m").unwrap());
    }

    proptest! {
        #[test]
        fn stored_form_comes_back(pairs in prop::collection::btree_map("[a-z_]{1,12}", ".{1,300}", 0..20)) {
            let labels = Labels::new(&pairs).unwrap();
            prop_assert_eq!(Labels::from_encoded(labels.encoded()).unwrap(), labels.clone());
            prop_assert!(labels.iter().eq(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))));
        }

        #[test]
        fn sets_are_in_order_of_name_then_of_labels(
            a in prop::collection::btree_map("[A-b]|__name__", "[a-c]{1,3}", 0..4),
            b in prop::collection::btree_map("[A-b]|__name__", "[a-c]{1,3}", 0..4),
        ) {
            let key = |set: &std::collections::BTreeMap<String, String>| {
                (set.get(METRIC_NAME).cloned(), set.clone().into_iter().collect::<Vec<_>>())
            };
            let order = Labels::new(&a).unwrap().cmp(&Labels::new(&b).unwrap());
            prop_assert_eq!(order, key(&a).cmp(&key(&b)));
        }

        #[test]
        fn any_bytes_are_labels_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(labels) = Labels::from_encoded(&bytes) {
                let again = Labels::new(labels.iter()).unwrap();
                prop_assert_eq!(again.encoded(), &bytes[..]);
            }
        }
    }
}

//! Texts of names and numbers that hold the same names in the same order at each reading, such
//! as `/proc/vmstat` and `/proc/net/netstat`: the places of what is wanted are remembered.

use super::ParseError;
use super::fields::{Line, lines, number};

/// A name, and the section that it stands in where the text has sections.
pub type Key = (&'static str, &'static str);

/// The wanted numbers of a text.
#[derive(Debug, Clone, Default)]
pub struct Keyed {
    keys: Vec<Key>,
    values: Vec<Option<u64>>,
    /// Line by line, as of the text before.
    known: Vec<Known>,
}

/// A line's names, and which keys they are.
#[derive(Debug, Clone, Default)]
struct Known {
    names: Vec<u8>,
    keys: Vec<Option<usize>>,
}

impl Keyed {
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Self {
        let keys: Vec<Key> = keys.into_iter().collect();
        Self { values: vec![None; keys.len()], keys, known: Vec::new() }
    }

    /// What the last text said, in the order of the keys; nothing for what it did not name.
    pub fn values(&self) -> &[Option<u64>] {
        &self.values
    }

    pub fn clear(&mut self) {
        self.values.fill(None);
    }

    /// Adds what a text says that has a name and a number on each line: `pgfault 7`,
    /// `MemFree: 7 kB`. Keys have no section.
    ///
    /// # Errors
    /// A wanted name without a number.
    pub fn parse_lines(&mut self, text: &[u8]) -> Result<(), ParseError> {
        let Self { keys, values, known } = self;
        for (at, line) in lines(text).enumerate() {
            let mut words = line.words();
            let name = words.word("a name")?;
            let found = at_place(known, at, name, || vec![find(keys, b"", bare(name))]);
            if let Some(key) = found.first().copied().flatten() {
                values[key] = Some(words.number("a number behind the name")?);
            }
        }
        Ok(())
    }

    /// Adds what a text says where a line of names is followed by a line of numbers, both with
    /// the section's name in front. Numbers below zero mean "no limit" and are passed over.
    ///
    /// # Errors
    /// Names without numbers, or what is wanted is no number.
    pub fn parse_pairs(&mut self, text: &[u8]) -> Result<(), ParseError> {
        let Self { keys, values, known } = self;
        let mut lines = lines(text);
        let mut at = 0;
        while let Some(heading) = lines.next() {
            let without = || heading.error("a line with the section's numbers below it");
            let line = lines.next().ok_or_else(without)?;
            let (mut names, mut numbers) = (heading.words(), line.words());
            let section = names.next().ok_or_else(without)?;
            if numbers.next() != Some(section) {
                return Err(without());
            }
            let found = at_place(known, at, heading.text, || {
                let names = std::iter::from_fn(|| names.next());
                names.map(|name| find(keys, bare(section), name)).collect()
            });
            for key in found {
                let word = numbers.word("as many numbers as names above")?;
                if let Some(key) = key
                    && !word.starts_with(b"-")
                {
                    values[*key] = Some(take(line, word)?);
                }
            }
            at += 1;
        }
        Ok(())
    }

    /// Adds what a text says that has a section on each line, with names and numbers in turn:
    /// `TCP: inuse 5 orphan 0`.
    ///
    /// # Errors
    /// A name without a number.
    pub fn parse_sections(&mut self, text: &[u8]) -> Result<(), ParseError> {
        for line in lines(text) {
            let mut words = line.words();
            let section = bare(words.word("a section's name")?);
            while let Some(name) = words.next() {
                let word = words.word("a number behind each name")?;
                if let Some(key) = find(&self.keys, section, name) {
                    self.values[key] = Some(take(line, word)?);
                }
            }
        }
        Ok(())
    }

    /// Takes a text of numbers without names: the first is that of the first key, and so on. A
    /// key without a name passes one over.
    ///
    /// # Errors
    /// What is wanted is no number.
    pub fn parse_numbers(&mut self, text: &[u8]) -> Result<(), ParseError> {
        let Some(line) = lines(text).next() else { return Ok(()) };
        let mut words = line.words();
        for (key, value) in self.keys.iter().zip(&mut self.values) {
            let Some(word) = words.next() else { break };
            if !key.1.is_empty() {
                *value = Some(take(line, word)?);
            }
        }
        Ok(())
    }
}

/// The keys of a line, looked for only when its names are others than in the text before.
fn at_place<'a>(
    known: &'a mut Vec<Known>,
    at: usize,
    names: &[u8],
    find: impl FnOnce() -> Vec<Option<usize>>,
) -> &'a [Option<usize>] {
    if at >= known.len() {
        known.resize(at + 1, Known::default());
    }
    let known = &mut known[at];
    if known.names != names {
        known.names = names.to_vec();
        known.keys = find();
    }
    &known.keys
}

fn bare(word: &[u8]) -> &[u8] {
    word.strip_suffix(b":").unwrap_or(word)
}

fn take(line: Line<'_>, word: &[u8]) -> Result<u64, ParseError> {
    number(word).ok_or_else(|| line.error("whole numbers behind the names"))
}

fn find(keys: &[Key], section: &[u8], name: &[u8]) -> Option<usize> {
    keys.iter().position(|key| key.0.as_bytes() == section && key.1.as_bytes() == name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines_of(keyed: &mut Keyed, text: &str) -> Result<Vec<Option<u64>>, String> {
        keyed.clear();
        keyed.parse_lines(text.as_bytes()).map_err(|error| error.to_string())?;
        Ok(keyed.values().to_vec())
    }

    #[test]
    fn names_are_found_wherever_they_stand() {
        let mut keyed = Keyed::new([("", "b"), ("", "a"), ("", "c")]);
        assert_eq!(lines_of(&mut keyed, "a 1\nx y\nb 2\n"), Ok(vec![Some(2), Some(1), None]));
        assert_eq!(lines_of(&mut keyed, "a 3\nx y\nb 4\n"), Ok(vec![Some(4), Some(3), None]));
        assert_eq!(lines_of(&mut keyed, "c: 9 kB\na: 5 kB\n"), Ok(vec![None, Some(5), Some(9)]));
    }

    #[test]
    fn a_wanted_name_without_a_number_is_named() {
        let mut keyed = Keyed::new([("", "a")]);
        let error = lines_of(&mut keyed, "b x\na x\n").unwrap_err();
        assert_eq!(error, "line 2: expected a number behind the name, found `a x`");
    }

    #[test]
    fn sections_have_names_of_their_own() {
        let mut keyed = Keyed::new([("Tcp", "InErrs"), ("Udp", "InErrs"), ("Tcp", "MaxConn")]);
        keyed.parse_pairs(b"Tcp: MaxConn InErrs\nTcp: -1 5\nUdp: InErrs\nUdp: 6\n").unwrap();
        assert_eq!(keyed.values(), [Some(5), Some(6), None]);
        keyed.parse_pairs(b"Udp: X InErrs\nUdp: 1 7\n").unwrap();
        assert_eq!(keyed.values(), [Some(5), Some(7), None]);
        let error = keyed.parse_pairs(b"Tcp: A B\nTcp: 1\n").unwrap_err().to_string();
        assert_eq!(error, "line 2: expected as many numbers as names above, found `Tcp: 1`");
        assert!(keyed.parse_pairs(b"Tcp: A\nUdp: 1\n").is_err());
        assert!(keyed.parse_pairs(b"Tcp: A\n").is_err());
    }

    #[test]
    fn numbers_are_known_by_their_place() {
        let mut keyed = Keyed::new([("", "open"), ("", ""), ("", "limit"), ("", "more")]);
        keyed.parse_numbers(b"2080\t0\t900\n").unwrap();
        assert_eq!(keyed.values(), [Some(2080), None, Some(900), None]);
        assert!(keyed.parse_numbers(b"x\n").is_err());
        assert!(keyed.parse_numbers(b"").is_ok());
    }

    #[test]
    fn names_and_numbers_in_turn() {
        let mut keyed = Keyed::new([("TCP", "tw"), ("UDP", "mem")]);
        keyed.parse_sections(b"sockets: used 9\nTCP: inuse 5 tw 2\nUDP: inuse 1 mem 3\n").unwrap();
        assert_eq!(keyed.values(), [Some(2), Some(3)]);
        assert!(keyed.parse_sections(b"TCP: inuse\n").is_err());
    }

    proptest! {
        #[test]
        fn what_is_remembered_changes_nothing(
            texts in prop::collection::vec("(([abc]:?|x) [0-9]{1,3}\n){0,6}", 1..6)
        ) {
            let keys = || Keyed::new([("", "a"), ("", "b")]);
            let mut keyed = keys();
            for text in texts {
                prop_assert_eq!(lines_of(&mut keyed, &text), lines_of(&mut keys(), &text));
            }
        }

        #[test]
        fn no_text_makes_it_panic(
            text in "((Tcp:|Udp|x)( ?(InErrs|a|-?[0-9]{1,21})){0,4}\n?){0,6}",
            bytes: Vec<u8>,
        ) {
            let mut keyed = Keyed::new([("Tcp", "InErrs"), ("", "a"), ("", "x")]);
            for text in [text.as_bytes(), &bytes] {
                keyed.parse_lines(text).ok();
                keyed.parse_pairs(text).ok();
                keyed.parse_sections(text).ok();
                keyed.parse_numbers(text).ok();
            }
        }
    }
}

//! The names of Windows' performance objects and counters, which are translated: the registry has
//! one table of numbers and names for each language, and the numbers are the same in all of them.

use std::collections::HashMap;

/// The texts of a list in which each ends with a zero, and the last one is empty.
pub fn list(units: &[u16]) -> Vec<String> {
    let texts = units.split(|unit| *unit == 0).take_while(|text| !text.is_empty());
    texts.map(String::from_utf16_lossy).collect()
}

/// The table of one language: names by their numbers.
pub type Names = HashMap<u32, String>;

/// From a list of a number and a name in turn. An entry that is none is passed over.
pub fn names(units: &[u16]) -> Names {
    let texts: Vec<&[u16]> = units.split(|unit| *unit == 0).collect();
    let pairs = texts.chunks_exact(2).filter_map(|pair| {
        let number = String::from_utf16_lossy(pair[0]).trim().parse().ok()?;
        Some((number, String::from_utf16_lossy(pair[1])))
    });
    pairs.filter(|(_, name)| !name.is_empty()).collect()
}

/// Between the names that Windows shows and the English ones, which Barograph knows everywhere.
#[derive(Debug, Clone, Default)]
pub struct Translation {
    /// The English name with the smallest number that a local name has.
    english: HashMap<String, String>,
    local: HashMap<String, String>,
}

impl Translation {
    pub fn new(english: &Names, local: &Names) -> Self {
        let mut translation = Self::default();
        let mut numbers: Vec<_> = local.keys().collect();
        numbers.sort_unstable();
        for number in numbers {
            let Some((local, english)) = local.get(number).zip(english.get(number)) else {
                continue;
            };
            let Self { english: to_english, local: to_local } = &mut translation;
            to_english.entry(local.clone()).or_insert_with(|| english.clone());
            to_local.entry(english.to_lowercase()).or_insert_with(|| local.clone());
        }
        translation
    }

    /// The English name; a name that is in no table is the same in all languages.
    pub fn to_english<'a>(&'a self, local: &'a str) -> &'a str {
        self.english.get(local).map_or(local, String::as_str)
    }

    /// The name that Windows shows, for an English one in any case.
    pub fn to_local<'a>(&'a self, english: &'a str) -> &'a str {
        self.local.get(&english.to_lowercase()).map_or(english, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(texts: &[&str]) -> Vec<u16> {
        texts.iter().flat_map(|text| text.encode_utf16().chain([0])).chain([0]).collect()
    }

    #[test]
    fn a_list_ends_with_an_empty_text() {
        assert_eq!(list(&units(&["a", "Größe 🎈"])), ["a", "Größe 🎈"]);
        assert_eq!(list(&[65, 0, 0, 66, 0]), ["A"]);
        assert_eq!(list(&[]), [""; 0]);
        // Cut off in the middle.
        assert_eq!(list(&[65, 0, 66]), ["A", "B"]);
    }

    #[test]
    fn names_go_there_and_back_and_unknown_ones_stay() {
        let english =
            names(&units(&["1", "1847", "2", "System", "4", "Memory", "238", "Processor"]));
        let local = names(&units(&["2", "System", "4", "Arbeitsspeicher", "238", "Prozessor"]));
        let translation = Translation::new(&english, &local);
        assert_eq!(translation.to_english("Arbeitsspeicher"), "Memory");
        assert_eq!(translation.to_local("MEMORY"), "Arbeitsspeicher");
        assert_eq!(translation.to_english("MSSQL$X:Locks"), "MSSQL$X:Locks");
        assert_eq!(translation.to_local("MSSQL$X:Locks"), "MSSQL$X:Locks");
    }

    #[test]
    fn of_a_name_that_several_numbers_have_the_first_counts() {
        let english = names(&units(&["10", "File Reads/sec", "20", "Reads/sec"]));
        let local = names(&units(&["10", "Lesevorgänge/s", "20", "Lesevorgänge/s"]));
        let translation = Translation::new(&english, &local);
        assert_eq!(translation.to_english("Lesevorgänge/s"), "File Reads/sec");
        assert_eq!(translation.to_local("reads/sec"), "Lesevorgänge/s");
    }

    #[test]
    fn entries_without_a_number_or_a_name_are_passed_over() {
        assert_eq!(names(&units(&["x", "No", "7", "Yes", "8"])).len(), 1);
    }

    proptest! {
        #[test]
        fn no_units_make_it_panic(units in prop::collection::vec(0_u16..80, 0..60)) {
            drop((list(&units), names(&units)));
        }
    }
}

//! Work is done or it is an issue; the sources hold no promises.

use super::tree::Tree;

/// What promises look like. Written in two parts so that this file does not hold one.
const PROMISES: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("#[ig", "nore"),
    concat!("test.sk", "ip("),
    concat!("it.sk", "ip("),
    concat!("describe.sk", "ip("),
];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    tree.files
        .iter()
        .filter(|file| file.is(&["rs", "ts", "svelte", "js", "mjs", "css", "toml", "md"]))
        .flat_map(|file| {
            file.lines().filter_map(|(number, line)| {
                let promise = PROMISES.iter().find(|promise| contains_word(line, promise))?;
                Some(format!("{}:{number} holds `{promise}`", file.path))
            })
        })
        .collect()
}

/// Whether `line` has `word` and no letter, digit or `_` directly beside it.
fn contains_word(line: &str, word: &str) -> bool {
    let joins = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, from) = line.split_at(at);
        let after = from.strip_prefix(word).unwrap_or_default();
        let open_end = word.ends_with(|character: char| !joins(character));
        !before.ends_with(joins) && (open_end || !after.starts_with(joins))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::with_files;
    use super::*;

    #[test]
    fn every_promise_is_found() {
        for promise in PROMISES {
            let text = format!("//! x\n  {promise} a\n");
            let found = check(&with_files(&[("a.rs", &text)]));
            assert_eq!(found, [format!("a.rs:2 holds `{promise}`")]);
        }
    }

    #[test]
    fn longer_words_and_recorded_data_pass() {
        let text = format!("const MAS{}S: u8 = 1; // {}E\n", PROMISES[0], PROMISES[1]);
        let data = format!("{}\n", PROMISES[2]);
        assert_eq!(check(&with_files(&[("a.rs", &text), ("b.txt", &data)])), [""; 0]);
    }
}

//! `/etc/passwd`: the names of users.

use std::collections::HashMap;

/// The name of each user's number; the first line wins, as in the C library. Lines that are
/// broken, or that refer to a directory service, are passed over.
pub fn names(text: &[u8]) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for line in text.split(|b| *b == b'\n') {
        let mut parts = line.split(|b| *b == b':');
        let (Some(name), Some(_), Some(number)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let number = super::fields::number(number).and_then(|number| u32::try_from(number).ok());
        if let Some(number) = number.filter(|_| !name.is_empty()) {
            names.entry(number).or_insert_with(|| String::from_utf8_lossy(name).into_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_name_of_a_number_counts() {
        let text =
            b"root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nwww-data:x:33:33::/:\n+::\n:x:5:\n";
        let names = names(text);
        assert_eq!(names.len(), 2);
        assert_eq!(names.get(&0).map(String::as_str), Some("root"));
        assert_eq!(names.get(&33).map(String::as_str), Some("www-data"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
            names(&text);
        }
    }
}

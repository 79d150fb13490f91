//! `/proc/cpuinfo`, which has a form of its own on every architecture.

use super::fields::{decimal, lines, number};

/// What the processor calls itself, where the kernel tells.
pub fn model(text: &[u8]) -> Option<String> {
    // x86 and s390 | ARM boards | POWER, SPARC | MIPS | RISC-V
    const NAMES: [&[u8]; 5] = [b"model name", b"Model", b"cpu", b"cpu model", b"uarch"];
    NAMES.iter().find_map(|wanted| {
        lines(text).find_map(|line| {
            let colon = line.text.iter().position(|b| *b == b':')?;
            let (name, value) = line.text.split_at(colon);
            let value = value.get(1..)?.trim_ascii();
            (name.trim_ascii() == *wanted && !value.is_empty())
                .then(|| String::from_utf8_lossy(value).into_owned())
        })
    })
}

/// What each processor runs at now, in megahertz, where the kernel tells (x86).
pub fn megahertz(text: &[u8]) -> Vec<(u32, f64)> {
    let mut found = Vec::new();
    let mut processor = None;
    for line in lines(text) {
        let Some(colon) = line.text.iter().position(|b| *b == b':') else { continue };
        let (name, value) = line.text.split_at(colon);
        let value = value[1..].trim_ascii();
        match name.trim_ascii() {
            b"processor" => processor = number(value).and_then(|n| u32::try_from(n).ok()),
            b"cpu MHz" => found.extend(processor.zip(decimal(value))),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frequencies_belong_to_their_processors() {
        let text = b"processor\t: 0\ncpu MHz\t\t: 2400.500\n\nprocessor\t: 3\ncpu MHz\t\t: 800\n";
        assert_eq!(megahertz(text), [(0, 2400.5), (3, 800.0)]);
        assert_eq!(megahertz(b"processor : x\ncpu MHz : 1\n"), []);
        assert_eq!(megahertz(b"processor : 0\ncpu MHz : -1\nBogoMIPS : 50\n"), []);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            drop((megahertz(&text), model(&text)));
        }
    }
}

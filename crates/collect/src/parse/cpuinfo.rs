//! `/proc/cpuinfo`, which has a form of its own on every architecture.

use super::fields::lines;

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

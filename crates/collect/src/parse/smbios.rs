//! What the firmware says about the machine: a table of structures, each with a type, some bytes
//! at fixed places, and texts that these count (SMBIOS).

use crate::readings::MemoryModule;

/// Bytes that are no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset} of the firmware's table: expected {expected}")]
pub struct SmbiosError {
    pub offset: usize,
    pub expected: &'static str,
}

/// What is said of a table without them, as virtual machines have.
pub const NO_MODULES: &str = "memory modules: the firmware lists none";

/// What is taken from the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Firmware {
    pub manufacturer: Option<String>,
    pub product: Option<String>,
    pub serial: Option<String>,
    /// Slots that hold a module.
    pub memory_modules: Vec<MemoryModule>,
}

const SYSTEM: u8 = 1;
const MEMORY_DEVICE: u8 = 17;
const END: u8 = 127;
/// No machine has more slots.
const MAX_MODULES: usize = 1024;

/// Reads the structures of a table.
///
/// # Errors
/// A structure that does not fit into the table. Firmware often leaves some bytes behind the last
/// structure; those are passed over.
pub fn parse(table: &[u8]) -> Result<Firmware, SmbiosError> {
    let mut firmware = Firmware::default();
    let mut offset = 0;
    while let Some(&[kind, length, ..]) = table.get(offset..).filter(|rest| rest.len() >= 4) {
        let broken = |expected| SmbiosError { offset, expected };
        let length = usize::from(length);
        if length < 4 {
            return Err(broken("a structure of at least 4 bytes"));
        }
        let fixed = table
            .get(offset..offset + length)
            .ok_or_else(|| broken("a structure that fits into the table"))?;
        let texts_at = offset + length;
        let texts_length = table
            .get(texts_at..)
            .and_then(|rest| rest.windows(2).position(|pair| pair == [0, 0]))
            .ok_or_else(|| broken("two zeros behind a structure's texts"))?;
        let structure = Structure { fixed, texts: &table[texts_at..texts_at + texts_length] };
        match kind {
            SYSTEM => {
                firmware.manufacturer = structure.text(0x04);
                firmware.product = structure.text(0x05);
                firmware.serial = structure.text(0x07);
            }
            MEMORY_DEVICE if firmware.memory_modules.len() < MAX_MODULES => {
                firmware.memory_modules.extend(structure.memory_module());
            }
            END => break,
            _ => {}
        }
        offset = texts_at + texts_length + 2;
    }
    Ok(firmware)
}

struct Structure<'a> {
    fixed: &'a [u8],
    texts: &'a [u8],
}

impl Structure<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.fixed.get(at).copied()
    }

    fn word(&self, at: usize) -> Option<u16> {
        self.fixed.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
    }

    fn long(&self, at: usize) -> Option<u32> {
        self.fixed.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
    }

    /// The text whose number, from 1, stands there. Fillers that say nothing count as none.
    fn text(&self, at: usize) -> Option<String> {
        let index = usize::from(self.byte(at)?).checked_sub(1)?;
        let bytes = self.texts.split(|byte| *byte == 0).nth(index)?;
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim();
        let says_nothing = ["", "Not Specified", "Unknown", "None", "To Be Filled By O.E.M."]
            .iter()
            .any(|filler| text.eq_ignore_ascii_case(filler));
        (!says_nothing).then(|| text.chars().filter(|c| !c.is_control()).collect())
    }

    /// Nothing for an empty slot.
    fn memory_module(&self) -> Option<MemoryModule> {
        const UNKNOWN: u16 = 0xFFFF;
        const SEE_EXTENDED: u16 = 0x7FFF;
        const IN_KIBIBYTES: u16 = 0x8000;
        let capacity_bytes = match self.word(0x0C)? {
            0 | UNKNOWN => return None,
            SEE_EXTENDED => u64::from(self.long(0x1C)? & 0x7FFF_FFFF) << 20,
            size if size & IN_KIBIBYTES != 0 => u64::from(size & !IN_KIBIBYTES) << 10,
            size => u64::from(size) << 20,
        };
        let slot = [self.text(0x10), self.text(0x11)];
        Some(MemoryModule {
            slot: slot.into_iter().flatten().collect::<Vec<_>>().join(" "),
            capacity_bytes,
            transfers_per_second: self.speed(0x20, 0x58).or_else(|| self.speed(0x15, 0x54)),
            kind: self.byte(0x12).and_then(kind),
            manufacturer: self.text(0x17),
            part_number: self.text(0x1A),
            serial: self.text(0x18),
        })
    }

    /// In millions of transfers per second, where 0 is unknown; the largest sends to a wider place.
    fn speed(&self, at: usize, wide_at: usize) -> Option<u64> {
        let millions = match self.word(at)? {
            0 => return None,
            0xFFFF => u64::from(self.long(wide_at)?),
            millions => u64::from(millions),
        };
        Some(millions * 1_000_000)
    }
}

fn kind(number: u8) -> Option<&'static str> {
    Some(match number {
        0x0F => "SDRAM",
        0x12 => "DDR",
        0x13 => "DDR2",
        0x18 => "DDR3",
        0x1A => "DDR4",
        0x1B => "LPDDR",
        0x1C => "LPDDR2",
        0x1D => "LPDDR3",
        0x1E => "LPDDR4",
        0x20 => "HBM",
        0x21 => "HBM2",
        0x22 => "DDR5",
        0x23 => "LPDDR5",
        _ => return None,
    })
}

/// The table within the answer of Windows' `GetSystemFirmwareTable`, behind a header with the
/// version and the length.
///
/// # Errors
/// The answer is shorter than it says.
pub fn within_windows_answer(answer: &[u8]) -> Result<&[u8], SmbiosError> {
    let short = |offset| SmbiosError { offset, expected: "as many bytes as the header says" };
    let length = answer.get(4..).and_then(|rest| rest.first_chunk().copied());
    let length = usize::try_from(u32::from_le_bytes(length.ok_or_else(|| short(0))?));
    let end = length.ok().and_then(|length| length.checked_add(8));
    end.and_then(|end| answer.get(8..end)).ok_or_else(|| short(4))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn structure(kind: u8, fixed: &[u8], texts: &[&str]) -> Vec<u8> {
        let length = u8::try_from(fixed.len() + 4).unwrap();
        let mut bytes = vec![kind, length, 0, 0];
        bytes.extend(fixed);
        for text in texts {
            bytes.extend(text.bytes());
            bytes.push(0);
        }
        if texts.is_empty() {
            bytes.push(0);
        }
        bytes.push(0);
        bytes
    }

    fn module(size: u16, extended: u32, speed: u16, texts: &[&str]) -> Vec<u8> {
        let mut fixed = vec![0; 0x28 - 4];
        let mut put = |at: usize, bytes: &[u8]| {
            fixed[at - 4..at - 4 + bytes.len()].copy_from_slice(bytes);
        };
        put(0x0C, &size.to_le_bytes());
        put(0x10, &[1, 2, 0x1A]);
        put(0x15, &speed.to_le_bytes());
        put(0x17, &[3, 4]);
        put(0x1A, &[5]);
        put(0x1C, &extended.to_le_bytes());
        structure(MEMORY_DEVICE, &fixed, texts)
    }

    fn sample() -> Vec<u8> {
        let texts = ["DIMM A1", "BANK 0", "Maker ", "S1", "PART-1 "];
        [
            structure(0, &[1, 2, 3], &["BIOS"]),
            structure(SYSTEM, &[1, 2, 0, 3], &["ACME", "Box 9", "Not Specified"]),
            module(0x4000, 0, 3200, &texts),
            module(0, 0, 0, &[]),
            module(0x7FFF, 0x1_0000, 0, &texts),
            structure(END, &[], &[]),
            vec![0xFF; 9],
        ]
        .concat()
    }

    #[test]
    fn the_system_and_its_memory_are_read() {
        let found = parse(&sample()).unwrap();
        assert_eq!(found.manufacturer.as_deref(), Some("ACME"));
        assert_eq!((found.product.as_deref(), found.serial), (Some("Box 9"), None));
        let expect = MemoryModule {
            slot: "DIMM A1 BANK 0".into(),
            capacity_bytes: 16 << 30,
            transfers_per_second: Some(3_200_000_000),
            kind: Some("DDR4"),
            manufacturer: Some("Maker".into()),
            part_number: Some("PART-1".into()),
            serial: Some("S1".into()),
        };
        let large =
            MemoryModule { capacity_bytes: 64 << 30, transfers_per_second: None, ..expect.clone() };
        assert_eq!(found.memory_modules, [expect, large]);
    }

    #[test]
    fn a_table_that_is_cut_is_refused_with_the_place() {
        let table = sample();
        let cut = |bytes: usize| parse(&table[..table.len() - bytes]).unwrap_err().expected;
        assert_eq!(cut(60), "a structure that fits into the table");
        assert_eq!(cut(30), "two zeros behind a structure's texts");
        assert_eq!(parse(&[1, 2, 0, 0]).unwrap_err().expected, "a structure of at least 4 bytes");
        assert_eq!(parse(&[1, 4, 0, 0, 65]).unwrap_err().offset, 0);
        assert_eq!(parse(&[]), Ok(Firmware::default()));
    }

    #[test]
    fn the_answer_of_windows_holds_the_table() {
        let answer = [&[0, 3, 0, 0, 2, 0, 0, 0][..], &[7, 8, 9]].concat();
        assert_eq!(within_windows_answer(&answer), Ok(&[7, 8][..]));
        assert!(within_windows_answer(&answer[..9]).is_err());
        assert!(within_windows_answer(&[]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            at in 0_usize..200,
            odd: u8,
        ) {
            parse(&bytes).ok();
            within_windows_answer(&bytes).ok();
            let mut table = sample();
            table[at] = odd;
            parse(&table).ok();
        }
    }
}

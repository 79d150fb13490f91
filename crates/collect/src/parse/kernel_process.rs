//! The events of Windows' provider `Microsoft-Windows-Kernel-Process`: a process started or ended.
//!
//! What is in front of a program's name grew with the versions of the events; what a later version
//! appends is passed over. All numbers are little-endian and without gaps.

/// One event, as far as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KernelProcessEvent {
    Started {
        pid: u32,
        /// 100 ns since 1601, as are all times here.
        created: u64,
        parent: u32,
        /// The program's file, by the device: `\Device\HarddiskVolume3\Windows\notepad.exe`.
        image: String,
    },
    Ended {
        pid: u32,
        created: u64,
        ended: u64,
        exit_code: u32,
        /// The file's name, of which the kernel keeps 15 bytes; empty where it is not told.
        name: String,
    },
}

const STARTED: u16 = 1;
const ENDED: u16 = 2;

/// The first version whose events number processes through, in a field behind each number that
/// Windows gives anew.
const NUMBERED_START: u8 = 3;
const NUMBERED_END: u8 = 2;
/// Longer than any path.
const MAX_UNITS: usize = 32 * 1024;

/// What an event of this number, version and data says; nothing for another or a broken one.
pub fn parse(id: u16, version: u8, data: &[u8]) -> Option<KernelProcessEvent> {
    let mut fields = Fields(data);
    match id {
        STARTED => started(version, &mut fields),
        ENDED => ended(version, &mut fields),
        _ => None,
    }
}

fn started(version: u8, fields: &mut Fields<'_>) -> Option<KernelProcessEvent> {
    let pid = fields.u32()?;
    if version >= NUMBERED_START {
        fields.u64()?;
    }
    let created = fields.u64()?;
    let parent = fields.u32()?;
    if version >= NUMBERED_START {
        fields.u64()?;
    }
    // The session; then flags; then how far the rights go, twice, and a label.
    fields.u32()?;
    if version >= 1 {
        fields.u32()?;
    }
    if version >= NUMBERED_START {
        fields.u32()?;
        fields.u32()?;
        fields.security_identifier()?;
    }
    let image = fields.wide_text()?;
    Some(KernelProcessEvent::Started { pid, created, parent, image })
}

fn ended(version: u8, fields: &mut Fields<'_>) -> Option<KernelProcessEvent> {
    let pid = fields.u32()?;
    if version >= NUMBERED_END {
        fields.u64()?;
    }
    let (created, ended, exit_code) = (fields.u64()?, fields.u64()?, fields.u32()?);
    // Kind of rights, handles, memory now and at most; later also cycles, transfers and faults.
    let counts = if version == 0 { 4 + 4 + 8 + 8 } else { 4 + 4 + 8 + 8 + 8 + 5 * 4 };
    let name = fields.take(counts).and_then(|_| fields.text()).unwrap_or_default();
    Some(KernelProcessEvent::Ended { pid, created, ended, exit_code, name })
}

/// What is left of an event's data.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(length)?;
        self.0 = left;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// A revision, the number of the parts, the authority, and parts of four bytes.
    fn security_identifier(&mut self) -> Option<()> {
        const MAX_PARTS: u8 = 15;
        let head = self.take(8)?;
        let parts = head.get(1).copied().filter(|parts| *parts <= MAX_PARTS)?;
        self.take(usize::from(parts) * 4).map(drop)
    }

    /// Up to its zero.
    fn wide_text(&mut self) -> Option<String> {
        let mut units = Vec::new();
        while units.len() < MAX_UNITS {
            let unit = self.take(2)?;
            match u16::from_le_bytes([unit[0], unit[1]]) {
                0 => return Some(String::from_utf16_lossy(&units)),
                unit => units.push(unit),
            }
        }
        None
    }

    fn text(&mut self) -> Option<String> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        Some(String::from_utf8_lossy(self.take(end)?).into_owned())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
    }

    /// As the manifest of the provider lays a start out.
    pub(crate) fn start(version: u8, pid: u32, created: u64, parent: u32, image: &str) -> Vec<u8> {
        let mut data = pid.to_le_bytes().to_vec();
        let numbered = version >= 3;
        if numbered {
            data.extend(77_u64.to_le_bytes());
        }
        data.extend(created.to_le_bytes());
        data.extend(parent.to_le_bytes());
        if numbered {
            data.extend(66_u64.to_le_bytes());
        }
        data.extend(1_u32.to_le_bytes());
        if version >= 1 {
            data.extend(0_u32.to_le_bytes());
        }
        if numbered {
            data.extend([1_u32, 0].iter().flat_map(|field| field.to_le_bytes()));
            // S-1-16-8192
            data.extend([1, 1, 0, 0, 0, 0, 0, 16, 0, 32, 0, 0]);
        }
        data.extend(wide(image));
        if version >= 2 {
            data.extend([0x1234_u32, 0x5678].iter().flat_map(|field| field.to_le_bytes()));
            data.extend([wide("Package_1.0_x64"), wide("App")].concat());
        }
        if version >= 4 {
            data.extend(5_u32.to_le_bytes());
        }
        data
    }

    pub(crate) fn end(version: u8, pid: u32, created: u64, ended: u64, code: u32) -> Vec<u8> {
        let mut data = pid.to_le_bytes().to_vec();
        if version >= 2 {
            data.extend(77_u64.to_le_bytes());
        }
        data.extend([created, ended].iter().flat_map(|time| time.to_le_bytes()));
        data.extend([code, 1, 40].iter().flat_map(|field| field.to_le_bytes()));
        data.extend([4096_u64, 8192].iter().flat_map(|field| field.to_le_bytes()));
        if version >= 1 {
            data.extend(9_u64.to_le_bytes());
            data.extend([1_u32, 2, 3, 4, 5].iter().flat_map(|field| field.to_le_bytes()));
        }
        data.extend(b"notepad.exe\0");
        data
    }

    const IMAGE: &str = r"\Device\HarddiskVolume3\Windows\Größe 🎈.exe";

    #[test]
    fn starts_of_every_version_are_read() {
        for version in 0..=5 {
            let expected = KernelProcessEvent::Started {
                pid: 10,
                created: 1 << 40,
                parent: 4,
                image: IMAGE.into(),
            };
            let data = start(version, 10, 1 << 40, 4, IMAGE);
            assert_eq!(parse(STARTED, version, &data), Some(expected), "version {version}");
        }
    }

    #[test]
    fn ends_of_every_version_are_read_and_tell_how_it_ended() {
        for version in 0..=3 {
            let expected = KernelProcessEvent::Ended {
                pid: 10,
                created: 5,
                ended: 6,
                exit_code: 0xC000_0005,
                name: "notepad.exe".into(),
            };
            let data = end(version, 10, 5, 6, 0xC000_0005);
            assert_eq!(parse(ENDED, version, &data), Some(expected), "version {version}");
        }
    }

    #[test]
    fn an_end_without_a_name_is_an_end() {
        let data = end(2, 10, 5, 6, 1);
        let name = |length: usize| match parse(ENDED, 2, &data[..length]) {
            Some(KernelProcessEvent::Ended { name, .. }) => Some(name),
            _ => None,
        };
        // Number, sequence, two times, code.
        assert_eq!(name(4 + 8 + 16 + 4), Some(String::new()));
        assert_eq!(name(4 + 8 + 16 + 3), None);
    }

    #[test]
    fn other_events_and_an_endless_label_say_nothing() {
        assert_eq!(parse(3, 0, &start(0, 1, 2, 3, IMAGE)), None);
        let mut data = start(3, 1, 2, 3, IMAGE);
        // The number of the label's parts.
        data[4 + 8 + 8 + 4 + 8 + 4 + 4 + 4 + 4 + 1] = 255;
        assert_eq!(parse(STARTED, 3, &data), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            id in 0_u16..4,
            version in 0_u8..6,
            cut in 0_usize..200,
            tail in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut data = if id == ENDED { end(version, 1, 2, 3, 4) } else { start(version, 1, 2, 3, IMAGE) };
            data.truncate(cut);
            data.extend(tail);
            parse(id, version, &data);
        }
    }
}

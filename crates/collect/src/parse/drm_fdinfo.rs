//! `/proc/PID/fdinfo/FD` of an open graphics device: what its driver counts for whoever opened it.

use super::ParseError;
use super::fields::{Line, lines};

/// Someone who has a graphics device open. Descriptors that were copied have the same number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DrmClient {
    pub driver: String,
    /// The PCI address, for devices that have one.
    pub device: Option<String>,
    /// Its number, per device.
    pub number: Option<u64>,
    /// By name: nanoseconds that engines of a kind (`render`, `gfx`, `video`) worked for it.
    pub engines: Vec<(String, u64)>,
    /// By region (`vram`, `system`): bytes that it has there.
    pub memory: Vec<(String, u64)>,
}

/// More than any driver has.
const MAX_NAMES: usize = 32;
const MAX_NAME_BYTES: usize = 32;
const A_NUMBER: &str = "a number";

/// What the driver says; nothing for a file that is no graphics device.
///
/// # Errors
/// A line of a key that is known and has no number behind it.
pub fn parse(text: &[u8]) -> Result<Option<DrmClient>, ParseError> {
    let mut client = DrmClient::default();
    // The regions' sizes, by how well the key tells what is occupied.
    let mut regions: [Vec<(String, u64)>; 3] = Default::default();
    for line in lines(text) {
        let Some((key, value)) = key_and_value(line) else { continue };
        match key {
            "driver" => client.driver = value.chars().take(MAX_NAME_BYTES).collect(),
            "pdev" => client.device = Some(value.chars().take(MAX_NAME_BYTES).collect()),
            "client-id" => client.number = Some(number(line, value)?.0),
            _ => {
                if let Some(name) = name_behind(key, "engine-")
                    && !name.starts_with("capacity-")
                {
                    put(&mut client.engines, name, number(line, value)?.0);
                }
                // The last is what older kernels call the first.
                for (place, prefix) in ["resident-", "memory-", "total-"].iter().enumerate() {
                    if let Some(name) = name_behind(key, prefix)
                        && !name.starts_with("cycles-")
                    {
                        let (count, unit) = number(line, value)?;
                        put(&mut regions[place], name, count.saturating_mul(unit));
                    }
                }
            }
        }
    }
    client.memory = regions.into_iter().find(|found| !found.is_empty()).unwrap_or_default();
    Ok((!client.driver.is_empty()).then_some(client))
}

/// Of a line `drm-KEY: VALUE`.
fn key_and_value(line: Line<'_>) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(line.text).ok()?.strip_prefix("drm-")?;
    let (key, value) = text.split_once(':')?;
    Some((key, value.trim()))
}

fn name_behind<'a>(key: &'a str, prefix: &str) -> Option<&'a str> {
    let name = key.strip_prefix(prefix)?;
    let fits = !name.is_empty() && name.len() <= MAX_NAME_BYTES;
    (fits && name.bytes().all(|b| b.is_ascii_graphic())).then_some(name)
}

fn put(named: &mut Vec<(String, u64)>, name: &str, value: u64) {
    if named.len() < MAX_NAMES && named.iter().all(|(known, _)| known != name) {
        named.push((name.to_owned(), value));
    }
}

/// A number and what its unit stands for: `ns` and nothing count as one.
fn number(line: Line<'_>, value: &str) -> Result<(u64, u64), ParseError> {
    let mut words = value.split_ascii_whitespace();
    let count = words.next().and_then(|word| word.parse().ok());
    let count = count.ok_or_else(|| line.error(A_NUMBER))?;
    let unit = match words.next() {
        Some("KiB" | "kB") => 1 << 10,
        Some("MiB") => 1 << 20,
        _ => 1,
    };
    Ok((count, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(named: &[(String, u64)]) -> Vec<(&str, u64)> {
        named.iter().map(|(name, value)| (name.as_str(), *value)).collect()
    }

    #[test]
    fn engines_and_memory_of_an_intel_adapter_are_read() {
        let text = "pos:\t0\nflags:\t02100002\nmnt_id:\t26\nino:\t284\n\
            drm-driver:\ti915\ndrm-client-id:\t7\ndrm-pdev:\t0000:00:02.0\n\
            drm-total-system0:\t125 MiB\ndrm-shared-system0:\t16 MiB\ndrm-active-system0:\t0\n\
            drm-resident-system0:\t110336 KiB\ndrm-purgeable-system0:\t2 MiB\n\
            drm-engine-render:\t9288864723 ns\ndrm-engine-copy:\t2035071108 ns\n\
            drm-engine-video:\t0 ns\ndrm-engine-capacity-video:\t2\n";
        let client = parse(text.as_bytes()).unwrap().unwrap();
        assert_eq!((client.driver.as_str(), client.number), ("i915", Some(7)));
        assert_eq!(client.device.as_deref(), Some("0000:00:02.0"));
        let engines = [("render", 9_288_864_723), ("copy", 2_035_071_108), ("video", 0)];
        assert_eq!(pairs(&client.engines), engines);
        assert_eq!(pairs(&client.memory), [("system0", 110_336 << 10)]);
    }

    #[test]
    fn older_names_of_memory_are_known_and_cycles_are_no_memory() {
        let text = "drm-driver:\tamdgpu\ndrm-memory-vram:\t2048 KiB\ndrm-memory-gtt:\t12 KiB\n\
            drm-total-vram:\t4096 KiB\ndrm-total-cycles-rcs:\t77\n";
        let client = parse(text.as_bytes()).unwrap().unwrap();
        assert_eq!(pairs(&client.memory), [("vram", 2 << 20), ("gtt", 12 << 10)]);
        let only_cycles = parse(b"drm-driver:\txe\ndrm-total-cycles-rcs:\t77\n").unwrap().unwrap();
        assert_eq!(only_cycles.memory, []);
    }

    #[test]
    fn other_files_are_none_and_a_broken_number_is_named() {
        assert_eq!(parse(b"pos:\t0\nflags:\t02\n"), Ok(None));
        let error = parse(b"drm-driver:\tx\ndrm-engine-gfx:\tmany ns\n").unwrap_err();
        assert_eq!((error.line, error.expected), (2, "a number"));
    }
}

//! Text as Windows has it: UTF-16, ended by a zero.

/// For a call's argument.
pub(super) fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// From a buffer that a call filled, up to its zero. What is no valid UTF-16 becomes `U+FFFD`.
pub(super) fn narrow(units: &[u16]) -> String {
    let end = units.iter().position(|&unit| unit == 0).unwrap_or(units.len());
    String::from_utf16_lossy(&units[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_there_and_back() {
        assert_eq!(narrow(&wide("Größe 🎈")), "Größe 🎈");
        assert_eq!(narrow(&[]), "");
    }

    #[test]
    fn a_buffer_counts_up_to_its_zero_and_half_a_character_is_replaced() {
        assert_eq!(narrow(&[65, 0, 66]), "A");
        assert_eq!(narrow(&[0xD800, 65]), "\u{FFFD}A");
    }
}

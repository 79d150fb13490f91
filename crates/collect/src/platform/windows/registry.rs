//! Texts in the registry.
#![expect(unsafe_code, reason = "calls to advapi32")]

use std::ptr;

use windows_sys::Win32::Foundation::ERROR_SUCCESS;
use windows_sys::Win32::System::Registry::{HKEY_LOCAL_MACHINE, RRF_RT_REG_SZ, RegGetValueW};

use super::wide::{narrow, wide};

/// A text below `HKEY_LOCAL_MACHINE`, if it is there, not empty and not too long to be a name.
pub(super) fn machine_text(key: &str, value: &str) -> Option<String> {
    let (key, value) = (wide(key), wide(value));
    let mut text = [0_u16; 256];
    let mut bytes = u32::try_from(size_of_val(&text)).ok()?;
    // SAFETY: the names end with a zero; the call is told the buffer's size.
    let code = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            value.as_ptr(),
            RRF_RT_REG_SZ,
            ptr::null_mut(),
            text.as_mut_ptr().cast(),
            &raw mut bytes,
        )
    };
    let text = narrow(&text).trim().to_owned();
    (code == ERROR_SUCCESS && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_and_a_missing_one_is_absent() {
        let key = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
        assert!(machine_text(key, "ProductName").is_some_and(|name| name.contains("Windows")));
        assert_eq!(machine_text(key, "Barograph Knows No Such Value"), None);
        assert_eq!(machine_text("Barograph Knows No Such Key", "x"), None);
    }
}

//! Texts, numbers and keys of the registry.
#![expect(unsafe_code, reason = "calls to advapi32")]

use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_MORE_DATA, ERROR_SUCCESS};
use windows_sys::Win32::System::Registry::{
    HKEY_LOCAL_MACHINE, HKEY_PERFORMANCE_NLSTEXT, HKEY_PERFORMANCE_TEXT, KEY_READ,
    RRF_RT_REG_DWORD, RRF_RT_REG_SZ, RegCloseKey, RegEnumKeyExW, RegGetValueW, RegOpenKeyExW,
    RegQueryValueExW,
};

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

/// A number below `HKEY_LOCAL_MACHINE`, if it is there.
pub(super) fn machine_number(key: &str, value: &str) -> Option<u32> {
    let (key, value) = (wide(key), wide(value));
    let mut number = 0_u32;
    let mut bytes = 4;
    // SAFETY: the names end with a zero; a place for four bytes, and the call is told so.
    let code = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            value.as_ptr(),
            RRF_RT_REG_DWORD,
            ptr::null_mut(),
            (&raw mut number).cast(),
            &raw mut bytes,
        )
    };
    (code == ERROR_SUCCESS).then_some(number)
}

/// The tables of the performance counters' names, in English and in Windows' language; empty where
/// they cannot be read.
pub(super) fn performance_text() -> [Vec<u16>; 2] {
    let counters = wide("Counter");
    [HKEY_PERFORMANCE_TEXT, HKEY_PERFORMANCE_NLSTEXT].map(|key| {
        /// In UTF-16 units; a server with many products has some 200,000.
        const FIRST: usize = 256 * 1024;
        const LARGEST: usize = 8 * 1024 * 1024;
        let mut text: Vec<u16> = vec![0; FIRST];
        loop {
            let room = u32::try_from(text.len() * 2).unwrap_or(u32::MAX);
            let mut bytes = room;
            // SAFETY: the name ends with a zero; the call is told the buffer's size.
            let code = unsafe {
                RegQueryValueExW(
                    key,
                    counters.as_ptr(),
                    ptr::null(),
                    ptr::null_mut(),
                    text.as_mut_ptr().cast(),
                    &raw mut bytes,
                )
            };
            match code {
                ERROR_SUCCESS => {
                    text.truncate(bytes.min(room) as usize / 2);
                    return text;
                }
                // The size that is told then is not reliable.
                ERROR_MORE_DATA if text.len() < LARGEST => text.resize(text.len() * 2, 0),
                _ => return Vec::new(),
            }
        }
    })
}

/// The names of the keys inside one below `HKEY_LOCAL_MACHINE`; none if it cannot be opened.
pub(super) fn machine_keys(key: &str) -> Vec<String> {
    /// No machine has as many services.
    const MAX_KEYS: u32 = 10_000;
    let key = wide(key);
    let mut opened = ptr::null_mut();
    // SAFETY: the name ends with a zero; a place for a handle.
    let code =
        unsafe { RegOpenKeyExW(HKEY_LOCAL_MACHINE, key.as_ptr(), 0, KEY_READ, &raw mut opened) };
    if code != ERROR_SUCCESS {
        return Vec::new();
    }
    let mut names = Vec::new();
    for index in 0..MAX_KEYS {
        // A key's name has at most 255 characters.
        let mut name = [0_u16; 256];
        let mut length = 256;
        // SAFETY: the key is open; the call is told the buffer's size in characters.
        let code = unsafe {
            RegEnumKeyExW(
                opened,
                index,
                name.as_mut_ptr(),
                &raw mut length,
                ptr::null(),
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        if code != ERROR_SUCCESS {
            break;
        }
        names.push(narrow(&name));
    }
    // SAFETY: it was opened above and is not used any more.
    unsafe { RegCloseKey(opened) };
    names
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

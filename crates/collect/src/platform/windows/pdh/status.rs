//! What PDH's functions and values say about themselves.

use std::fmt;
use std::io;

use windows_sys::Win32::System::Performance as pdh;

use super::super::failure;
use crate::Error;

pub(super) const OK: u32 = 0;
pub(super) const MORE_DATA: u32 = pdh::PDH_MORE_DATA;
/// A kind that needs two collections has had one.
pub(super) const INVALID_DATA: u32 = pdh::PDH_INVALID_DATA;

/// Whether a value's own status says that there is one.
pub(super) fn is_value(status: u32) -> bool {
    matches!(status, pdh::PDH_CSTATUS_VALID_DATA | pdh::PDH_CSTATUS_NEW_DATA)
}

/// An error for everything but success.
pub(super) fn check(call: &'static str, object: &str, code: u32) -> Result<(), Error> {
    match code {
        OK => Ok(()),
        pdh::PDH_CSTATUS_NO_OBJECT => {
            Err(failure::absent("a counter", format!("Windows has no object for `{object}`")))
        }
        pdh::PDH_CSTATUS_NO_COUNTER => Err(failure::absent(
            "a counter",
            format!("the object of `{object}` has no such counter"),
        )),
        code => Err(Error::Call {
            call,
            object: object.to_owned(),
            source: io::Error::other(Status(code)),
        }),
    }
}

/// A status that is no success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Status(u32);

impl std::error::Error for Status {}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self.0 {
            pdh::PDH_NO_DATA => "the provider has no data",
            pdh::PDH_MORE_DATA => "more instances than can be read",
            pdh::PDH_INVALID_HANDLE => "a handle is not valid",
            pdh::PDH_INVALID_ARGUMENT => "an argument is not valid",
            pdh::PDH_CSTATUS_BAD_COUNTERNAME => "the path is not one of a counter",
            pdh::PDH_CSTATUS_NO_MACHINE => "the machine cannot be reached",
            pdh::PDH_MEMORY_ALLOCATION_FAILURE => "out of memory",
            pdh::PDH_ACCESS_DENIED => "access is denied",
            _ => "PDH refused",
        };
        write!(f, "{meaning} (0x{:08X})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_windows_lacks_is_absent_and_what_it_refuses_is_an_error() {
        assert!(check("f", r"\A\B", pdh::PDH_CSTATUS_NO_OBJECT).unwrap_err().is_absent());
        assert!(check("f", r"\A\B", pdh::PDH_CSTATUS_NO_COUNTER).unwrap_err().is_absent());
        let error = check("f", r"\A\B", pdh::PDH_NO_DATA).unwrap_err();
        let text = crate::chain(&error);
        assert_eq!(text, r"f failed for \A\B: the provider has no data (0x800007D5)");
    }

    #[test]
    fn only_valid_and_new_data_are_values() {
        assert!(is_value(0) && is_value(1));
        for status in [pdh::PDH_CSTATUS_NO_INSTANCE, pdh::PDH_CSTATUS_INVALID_DATA, 2] {
            assert!(!is_value(status));
        }
    }
}

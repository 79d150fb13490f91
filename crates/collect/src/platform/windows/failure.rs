//! Errors of system calls.

use std::io;

use windows_sys::Win32::Foundation::{
    ERROR_CALL_NOT_IMPLEMENTED, ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED, ERROR_SUCCESS,
};

use crate::Error;

/// What this system lacks.
pub(super) fn absent(what: &'static str, why: impl Into<String>) -> Error {
    Error::Absent { what, why: why.into() }
}

/// The error that the call just left behind.
pub(super) fn last(call: &'static str, object: &str) -> Error {
    Error::Call { call, object: object.to_owned(), source: io::Error::last_os_error() }
}

/// An error that the call returned.
pub(super) fn code(call: &'static str, object: &str, code: u32) -> Error {
    let source = io::Error::from_raw_os_error(code.cast_signed());
    Error::Call { call, object: object.to_owned(), source }
}

/// Whether the system answered that it does not do such a thing at all.
pub(super) fn is_unsupported(error: &Error) -> bool {
    let Error::Call { source, .. } = error else { return false };
    source.raw_os_error().map(i32::cast_unsigned).is_some_and(is_unsupported_code)
}

/// The same of a code.
pub(super) fn is_unsupported_code(code: u32) -> bool {
    // Refused as a success: an empty function that is only there to be linked with.
    const EMPTY: u32 = ERROR_SUCCESS;
    matches!(
        code,
        ERROR_CALL_NOT_IMPLEMENTED | ERROR_INVALID_FUNCTION | ERROR_NOT_SUPPORTED | EMPTY
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsupported_is_told_from_denied() {
        assert!(is_unsupported(&code("f", "x", ERROR_NOT_SUPPORTED)));
        assert!(!is_unsupported(&code("f", "x", 5)));
        assert!(!is_unsupported(&absent("x", "y")));
    }
}

//! When this Windows was started.
#![expect(unsafe_code, reason = "calls to kernel32")]

use std::sync::LazyLock;

use windows_sys::Win32::Foundation::FILETIME;
use windows_sys::Win32::System::SystemInformation::{GetSystemTimeAsFileTime, GetTickCount64};

/// Between 1601, where Windows counts from, and 1970.
const UNIX_EPOCH_SECONDS: f64 = 11_644_473_600.0;

pub(super) const TICKS_PER_SECOND: f64 = 1e7;

/// Seconds since this Windows was started, with the time it slept.
pub(super) fn uptime_seconds() -> f64 {
    // SAFETY: it takes nothing and cannot fail.
    let milliseconds = unsafe { GetTickCount64() };
    milliseconds as f64 / 1e3
}

/// When this Windows was started, in seconds since 1970-01-01 UTC.
///
/// Windows keeps only the uptime, so this is reckoned once: later corrections of the clock do
/// not move it.
pub(super) fn boot_time_seconds() -> f64 {
    static BOOT: LazyLock<f64> = LazyLock::new(|| {
        let mut now = FILETIME::default();
        // SAFETY: `now` is a place for the time.
        unsafe { GetSystemTimeAsFileTime(&raw mut now) };
        (seconds(now) - UNIX_EPOCH_SECONDS - uptime_seconds()).round()
    });
    *BOOT
}

/// A time of 100 ns units since 1601, in milliseconds since 1970; nothing before that.
pub(super) fn unix_ms(time: u64) -> Option<i64> {
    const UNIX_EPOCH: u64 = 116_444_736_000_000_000;
    let units = time.checked_sub(UNIX_EPOCH)?;
    i64::try_from(units / 10_000).ok()
}

/// A time or duration of 100 ns units, in seconds.
pub(super) fn seconds(time: FILETIME) -> f64 {
    let units = (u64::from(time.dwHighDateTime) << 32) | u64::from(time.dwLowDateTime);
    units as f64 / TICKS_PER_SECOND
}

#[cfg(test)]
mod tests {
    use super::super::wine::linux_file;
    use super::*;

    #[test]
    fn a_time_is_put_together_from_its_halves() {
        let time = FILETIME { dwLowDateTime: 10_000_000, dwHighDateTime: 1 };
        assert!((seconds(time) - 430.496_729_6).abs() < 1e-9);
    }

    #[test]
    fn uptime_grows_and_agrees_with_the_system_below() {
        let earlier = uptime_seconds();
        let deadline = std::iter::repeat_with(uptime_seconds).find(|now| *now > earlier);
        assert!(deadline.is_some_and(|now| now - earlier < 1.0));
        if let Some(text) = linux_file("/proc/uptime") {
            let truth: f64 = text.split(' ').next().unwrap().parse().unwrap();
            assert!((uptime_seconds() - truth).abs() < 60.0, "{} {truth}", uptime_seconds());
        }
    }

    #[test]
    fn boot_time_is_in_this_century_and_does_not_move() {
        let boot = boot_time_seconds();
        assert!(boot > 1e9, "{boot}");
        assert!((boot - boot_time_seconds()).abs() < f64::EPSILON);
        if let Some(text) = linux_file("/proc/stat") {
            let truth: f64 =
                text.lines().find_map(|line| line.strip_prefix("btime ")).unwrap().parse().unwrap();
            assert!((boot - truth).abs() < 60.0, "{boot} {truth}");
        }
    }
}

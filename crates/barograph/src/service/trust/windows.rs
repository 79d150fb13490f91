//! Who owns a file and who may write it, by its security descriptor.
#![expect(unsafe_code, reason = "calls to advapi32, which hands out pointers into descriptors")]

use std::fs::Metadata;
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr;

use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_SUCCESS, GENERIC_ALL, GENERIC_WRITE, HANDLE, LocalFree,
};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, GetNamedSecurityInfoW, SE_FILE_OBJECT,
};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACE_HEADER, ACL, DACL_SECURITY_INFORMATION, GetAce, GetTokenInformation,
    INHERIT_ONLY_ACE, OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID, TOKEN_QUERY,
    TOKEN_USER, TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_APPEND_DATA, FILE_DELETE_CHILD, FILE_WRITE_DATA, WRITE_DAC, WRITE_OWNER,
};
use windows_sys::Win32::System::SystemServices::{
    ACCESS_ALLOWED_ACE_TYPE, ACCESS_ALLOWED_CALLBACK_ACE_TYPE,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

/// Who may do everything on every Windows, and the owner, who is judged by itself: `SYSTEM`,
/// `Administrators`, `CREATOR OWNER`, `OWNER RIGHTS`, `TrustedInstaller`.
const TRUSTED: [&str; 5] = [
    "S-1-5-18",
    "S-1-5-32-544",
    "S-1-3-0",
    "S-1-3-4",
    "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
];
const CHANGES: u32 = DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL;
/// What changes a file.
const OF_FILE: u32 = CHANGES | FILE_WRITE_DATA | FILE_APPEND_DATA;
/// What puts another file in a file's place. Whoever may only add files to a folder cannot.
const OF_FOLDER: u32 = (CHANGES & !GENERIC_WRITE) | FILE_DELETE_CHILD;

/// Refuses a file that others than administrators, the system and this program's user could have
/// written, or put in its place.
///
/// # Errors
/// Who could have.
pub(crate) fn check(path: &Path, _: &Metadata) -> Result<(), String> {
    let own = own_sid().map_err(|error| format!("it is not known who runs this: {error}"))?;
    // Both the path as it was given and what its links lead to.
    let written = std::path::absolute(path).map_err(|error| error.to_string())?;
    let real = path.canonicalize().map_err(|error| error.to_string())?;
    check_one("it", &real, OF_FILE, &own)?;
    for folder in written.ancestors().skip(1).chain(real.ancestors().skip(1)) {
        check_one(&format!("its folder `{}`", folder.display()), folder, OF_FOLDER, &own)?;
    }
    Ok(())
}

fn check_one(what: &str, path: &Path, changes: u32, own: &str) -> Result<(), String> {
    let descriptor = Descriptor::of(path)
        .map_err(|error| format!("{what}: its access control list cannot be read: {error}"))?;
    let is_trusted = |sid: &str| TRUSTED.contains(&sid) || sid == own;
    let owner = descriptor.owner().map_err(|error| format!("{what}: its owner: {error}"))?;
    if !is_trusted(&owner) {
        return Err(format!(
            "{what} belongs to {}; allowed are Administrators, SYSTEM and the user that Barograph \
             runs as",
            shown(&owner)
        ));
    }
    let Some(grants) = descriptor.grants() else {
        return Err(format!(
            "{what} can be written by everyone, as it has no access control list; give it one by \
             `icacls`"
        ));
    };
    let found = grants.into_iter().find(|(sid, mask)| mask & changes != 0 && !is_trusted(sid));
    match found {
        None => Ok(()),
        Some((sid, mask)) => Err(format!(
            "{what} can be written by {} (access mask {mask:#x}); take that away by `icacls`",
            shown(&sid)
        )),
    }
}

/// A user or a group, as `icacls` takes it with an asterisk before it.
///
/// # Safety
/// It is a valid identifier.
unsafe fn sid_text(sid: PSID) -> io::Result<String> {
    let mut text = ptr::null_mut();
    // SAFETY: as the caller promises; the text is freed below.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has made a text that ends with a zero.
    let units = unsafe {
        let mut length = 0;
        while *text.add(length) != 0 {
            length += 1;
        }
        std::slice::from_raw_parts(text, length)
    };
    let copy = String::from_utf16_lossy(units);
    // SAFETY: the text was allocated by the call, and is not used any more.
    unsafe { LocalFree(text.cast()) };
    Ok(copy)
}

/// With the name of those who are meant most often.
fn shown(sid: &str) -> String {
    let name = match sid {
        "S-1-1-0" => "Everyone",
        "S-1-5-4" => "INTERACTIVE",
        "S-1-5-11" => "Authenticated Users",
        "S-1-5-32-545" => "Users",
        _ => return sid.to_owned(),
    };
    format!("{name} ({sid})")
}

/// Freed when dropped.
struct Descriptor {
    whole: PSECURITY_DESCRIPTOR,
    owner: PSID,
    grants: *mut ACL,
}

impl Descriptor {
    fn of(path: &Path) -> io::Result<Self> {
        let name: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
        let mut it =
            Self { whole: ptr::null_mut(), owner: ptr::null_mut(), grants: ptr::null_mut() };
        // SAFETY: the name ends with a zero; the pointers lead into the descriptor, which is kept.
        let status = unsafe {
            GetNamedSecurityInfoW(
                name.as_ptr(),
                SE_FILE_OBJECT,
                OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                &raw mut it.owner,
                ptr::null_mut(),
                &raw mut it.grants,
                ptr::null_mut(),
                &raw mut it.whole,
            )
        };
        if status == ERROR_SUCCESS {
            return Ok(it);
        }
        Err(io::Error::from_raw_os_error(status.cast_signed()))
    }

    fn owner(&self) -> io::Result<String> {
        // SAFETY: the owner is a part of the descriptor.
        unsafe { sid_text(self.owner) }
    }

    /// Who is allowed what; none where everybody may do everything. What is denied takes nothing
    /// away here: whoever is trusted needs no denial.
    fn grants(&self) -> Option<Vec<(String, u32)>> {
        if self.grants.is_null() {
            return None;
        }
        // SAFETY: the list is a part of the descriptor.
        let count = u32::from(unsafe { (*self.grants).AceCount });
        Some((0..count).filter_map(|place| self.grant(place)).collect())
    }

    fn grant(&self, place: u32) -> Option<(String, u32)> {
        let mut entry = ptr::null_mut();
        // SAFETY: the list is a part of the descriptor, and so is the entry.
        if unsafe { GetAce(self.grants, place, &raw mut entry) } == 0 {
            return None;
        }
        // SAFETY: every entry begins with its header.
        let header = unsafe { entry.cast::<ACE_HEADER>().read_unaligned() };
        let kind = u32::from(header.AceType);
        let allows = kind == ACCESS_ALLOWED_ACE_TYPE || kind == ACCESS_ALLOWED_CALLBACK_ACE_TYPE;
        let is_for_children_only = u32::from(header.AceFlags) & INHERIT_ONLY_ACE != 0;
        if !allows || is_for_children_only {
            return None;
        }
        let entry = entry.cast::<ACCESS_ALLOWED_ACE>();
        // SAFETY: entries of these kinds hold a mask, and the identifier from there on.
        unsafe {
            let mask = (&raw const (*entry).Mask).read_unaligned();
            let sid = (&raw mut (*entry).SidStart).cast();
            sid_text(sid).ok().map(|sid| (sid, mask))
        }
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: it was allocated by the call that made it.
        unsafe { LocalFree(self.whole) };
    }
}

/// The user that this program runs as.
fn own_sid() -> io::Result<String> {
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: the handle of the own process needs no closing, the token's is closed below.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // A user and its longest identifier, 68 bytes.
    let mut found = [0_u64; 16];
    let place = found.as_mut_ptr();
    let mut needed = 0;
    // SAFETY: the call is told the buffer's size.
    let done = unsafe { GetTokenInformation(token, TokenUser, place.cast(), 128, &raw mut needed) };
    let outcome = if done == 0 {
        Err(io::Error::last_os_error())
    } else {
        // SAFETY: the call has filled the structure, whose identifier lies in the same buffer.
        unsafe { sid_text((*place.cast::<TOKEN_USER>()).User.Sid) }
    };
    // SAFETY: it is ours.
    unsafe { CloseHandle(token) };
    outcome
}

#[cfg(test)]
mod tests {
    use std::fs;

    use windows_sys::Win32::Security::Authorization::{
        ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
        SetNamedSecurityInfoW,
    };
    use windows_sys::Win32::Security::GetSecurityDescriptorDacl;

    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().chain([0]).collect()
    }

    /// Gives a file this access control list, and none of its folder's.
    fn set_grants(path: &Path, grants: &str) {
        let text = wide(&format!("D:P{grants}"));
        let mut whole = ptr::null_mut();
        // SAFETY: the text ends with a zero.
        let done = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut whole,
                ptr::null_mut(),
            )
        };
        assert_ne!(done, 0, "{}", io::Error::last_os_error());
        let (mut is_there, mut is_default, mut list) = (0, 0, ptr::null_mut());
        let name: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
        // SAFETY: the list lies in the descriptor, which is freed last.
        unsafe {
            GetSecurityDescriptorDacl(whole, &raw mut is_there, &raw mut list, &raw mut is_default);
            let status = SetNamedSecurityInfoW(
                name.as_ptr(),
                SE_FILE_OBJECT,
                DACL_SECURITY_INFORMATION,
                ptr::null_mut(),
                ptr::null_mut(),
                list,
                ptr::null(),
            );
            assert_eq!(status, ERROR_SUCCESS);
            LocalFree(whole);
        }
    }

    fn check(path: &Path) -> Result<(), String> {
        super::check(path, &path.metadata().unwrap())
    }

    #[test]
    fn what_everyone_can_write_or_replace_is_refused() {
        let own = format!("(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;{})", own_sid().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        set_grants(&inner, &format!("{own}(A;;FRFX;;;WD)"));
        let file = inner.join("actions.yml");
        fs::write(&file, "").unwrap();
        set_grants(&file, &format!("{own}(A;;FR;;;WD)"));
        assert_eq!(check(&file), Ok(()));
        set_grants(&file, &format!("{own}(A;;FRFW;;;WD)"));
        let why = check(&file).unwrap_err();
        assert!(
            why.starts_with("it can be written by ") && why.contains("Everyone (S-1-1-0)"),
            "{why}"
        );
        set_grants(&file, &own);
        set_grants(&inner, &format!("{own}(A;;FA;;;WD)"));
        let why = check(&file).unwrap_err();
        assert!(why.starts_with("its folder `") && why.contains("inner`"), "{why}");
        assert!(why.contains("Everyone (S-1-1-0)"), "{why}");
    }

    #[test]
    fn what_belongs_to_somebody_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("actions.yml");
        fs::write(&file, "").unwrap();
        assert_eq!(check_one("it", &file, 0, &own_sid().unwrap()), Ok(()));
        let own = own_sid().unwrap();
        if !TRUSTED.contains(&own.as_str()) {
            let why = check_one("it", &file, 0, "S-1-5-21-1-2-3-4").unwrap_err();
            assert!(why.starts_with("it belongs to ") && why.contains("SYSTEM"), "{why}");
        }
    }
}

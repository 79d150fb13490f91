//! Debian's packages of Wine, turned into a folder that runs where it lies.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::debian::{self, LATER_RELEASE, Later};
use crate::process;

/// Counts up when what this file makes changes, so that older folders are made again.
const LAYOUT: &str = "barograph wine layout 1\n";

/// The oldest Wine that the tests are written for: before it, Rust programs lack a system
/// library and simultaneous WMI queries crash.
const OLDEST_MAJOR: u32 = 10;

/// The program that runs a Windows program, below the unpacked root.
pub(super) const LOADER: &str = "usr/lib/wine/wine64";

/// The Wine server, below the unpacked root. In a folder of this name it takes itself for one in
/// Wine's build tree and looks for its character tables in `../nls` instead of `/usr/share`.
pub(super) const SERVER: &str = "server/wineserver";

/// A DLL that Debian's package makes on installing, from this file.
pub(super) const ZLIB: &str = "/usr/x86_64-w64-mingw32/lib/zlib1.dll";

const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

/// Makes `folder/root`, unless a complete one is there.
pub(super) fn unpack(folder: &Path) -> Result<()> {
    let stamp = folder.join("complete");
    if fs::read_to_string(&stamp).is_ok_and(|layout| layout == LAYOUT) {
        return Ok(());
    }
    println!("unpacking Wine into {}", folder.display());
    if !debian::here() {
        bail!("Wine is unpacked from Debian's packages; this system has no apt");
    }
    let root = folder.join("root");
    let packages = folder.join("packages");
    for stale in [&root, &packages] {
        if stale.exists() {
            remove(stale)?;
        }
    }
    download(folder, &packages)?;
    for name in ["libwine", "wine64", "libc6"] {
        debian::unpack(&debian::downloaded(&packages, name)?.0, &root)?;
    }
    place_server(&root)?;
    use_own_c_library(&root)?;
    place_zlib(&root)?;
    strip(&root)?;
    for unneeded in ["usr/share/doc", "usr/share/man", "usr/share/lintian", "usr/share/icons"] {
        let unneeded = root.join(unneeded);
        if unneeded.exists() {
            remove(&unneeded)?;
        }
    }
    for done_with in [&packages, &folder.join("apt")] {
        remove(done_with)?;
    }
    fs::write(&stamp, LAYOUT).with_context(|| format!("cannot write {}", stamp.display()))
}

fn download(folder: &Path, packages: &Path) -> Result<()> {
    let later = Later::prepare(&folder.join("apt"))?;
    // Wine 10 needs a newer C library than Debian 12 has: it gets its own.
    let wanted = ["libwine", "wine64", "libc6"].map(|name| format!("{name}/{LATER_RELEASE}"));
    later.download(&wanted.each_ref().map(String::as_str), packages)?;
    let (_, version) = debian::downloaded(packages, "libwine")?;
    let major = version.split('.').next().and_then(|major| major.parse().ok());
    if major.is_none_or(|major: u32| major < OLDEST_MAJOR) {
        bail!("{LATER_RELEASE} has Wine {version}; the tests need {OLDEST_MAJOR} or newer");
    }
    Ok(())
}

fn place_server(root: &Path) -> Result<()> {
    let server = root.join(SERVER);
    if let Some(folder) = server.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let packaged = root.join("usr/lib/wine/wineserver64");
    fs::rename(&packaged, &server)
        .with_context(|| format!("Debian's Wine has no {}", packaged.display()))?;
    link("usr/share/wine/nls", &root.join("nls"))?;
    // The packaged one is a script that holds an absolute path.
    let script = root.join("usr/lib/wine/wineserver");
    fs::remove_file(&script).with_context(|| format!("no {}", script.display()))?;
    link(&format!("../../../{SERVER}"), &script)
}

fn use_own_c_library(root: &Path) -> Result<()> {
    let libraries = root.join(LIBRARIES);
    for program in [LOADER, SERVER] {
        process::read(
            process::command("patchelf")
                .arg("--set-interpreter")
                .arg(libraries.join("ld-linux-x86-64.so.2"))
                .arg("--force-rpath")
                .arg("--set-rpath")
                .arg(&libraries)
                .arg(root.join(program)),
        )?;
    }
    Ok(())
}

/// Copies zlib and marks the copy as Wine's own, or Wine's graphics and COM would not load it.
fn place_zlib(root: &Path) -> Result<()> {
    /// Where Wine looks for its mark, and how much room the mark has.
    const MARK_AT: u64 = 64;
    let mut mark = [0_u8; 32];
    mark[..16].copy_from_slice(b"Wine builtin DLL");

    let copy = windows_libraries(root).join("zlib1.dll");
    // The package holds a dangling link in its place.
    drop(fs::remove_file(&copy));
    fs::copy(ZLIB, &copy).with_context(|| format!("cannot copy {ZLIB}"))?;
    let mark_copy = || -> std::io::Result<()> {
        let mut file: File = OpenOptions::new().write(true).open(&copy)?;
        file.seek(SeekFrom::Start(MARK_AT))?;
        file.write_all(&mark)
    };
    mark_copy().with_context(|| format!("cannot mark {}", copy.display()))
}

/// Drops debug sections: four fifths of the tree, which each prefix would copy again.
fn strip(root: &Path) -> Result<()> {
    const WORTH_IT_BYTES: u64 = 64 * 1024;
    let folder = windows_libraries(root);
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder)
        .with_context(|| format!("Debian's Wine has no {}", folder.display()))?
    {
        let entry = entry?;
        // A link would be stripped through, into a file of the system.
        let metadata = entry.metadata()?;
        if metadata.is_file() && metadata.len() > WORTH_IT_BYTES {
            files.push(entry.path());
        }
    }
    for some in files.chunks(64) {
        process::read(process::command("x86_64-w64-mingw32-strip").arg("-g").args(some))?;
    }
    Ok(())
}

fn windows_libraries(root: &Path) -> PathBuf {
    root.join(LIBRARIES).join("wine/x86_64-windows")
}

fn remove(folder: &Path) -> Result<()> {
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))
}

#[cfg(unix)]
fn link(to: &str, at: &Path) -> Result<()> {
    std::os::unix::fs::symlink(to, at)
        .with_context(|| format!("cannot make the link {}", at.display()))
}

#[cfg(not(unix))]
fn link(_: &str, at: &Path) -> Result<()> {
    bail!("cannot make the link {}: this system has no such links", at.display())
}

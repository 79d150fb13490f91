//! Wine for the Windows tests: Debian's later Wine, unpacked beside the system.
//!
//! The release that this machine runs may have an older Wine or none; nothing of the system is
//! changed by this one. `docs/adr/0004-windows-under-wine.md` says why it is done this way.

mod unpack;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::tools::{self, MINGW, WINE_LIBRARIES};
use crate::{debian, place, process};

/// What Wine's console side loads from the system, and what unpacking it needs.
pub(crate) const PACKAGES: &[&str] = &[
    "libunwind8",
    "libgnutls30",
    "libfreetype6",
    "libfontconfig1",
    "libudev1",
    "libz-mingw-w64",
    "patchelf",
    "debian-archive-keyring",
];

pub(crate) fn has_libraries() -> bool {
    const LIBRARIES: &[&str] = &[
        "libunwind.so.8",
        "libgnutls.so.30",
        "libfreetype.so.6",
        "libfontconfig.so.1",
        "libudev.so.1",
    ];
    let folders = ["/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu"];
    let found = |name: &&str| folders.iter().any(|folder| Path::new(folder).join(name).exists());
    LIBRARIES.iter().all(found)
        && Path::new(unpack::ZLIB).exists()
        && process::find("patchelf").is_some()
        && debian::has_keyring()
}

/// Seconds after which a program under test is ended. Without nextest, which ends single tests
/// earlier, a program is all the tests of a crate.
const LIMIT_SECONDS: u32 = 600;

/// A Wine that is ready to run programs.
#[derive(Debug)]
pub(crate) struct Wine {
    /// What was unpacked, and the runner beside it.
    folder: PathBuf,
    /// The Windows drive and registry that programs see.
    prefix: PathBuf,
}

impl Wine {
    /// Unpacks Wine and makes its prefix, where that has not been done.
    pub(crate) fn ready() -> Result<Wine> {
        let wine = Wine { folder: folder()?, prefix: prefix()? };
        unpack::unpack(&wine.folder)?;
        wine.write_runner()?;
        wine.make_prefix()?;
        Ok(wine)
    }

    /// The script that cargo runs Windows programs with.
    pub(crate) fn runner(&self) -> PathBuf {
        self.folder.join("run")
    }

    /// Starts the Wine server and a program that keeps Wine's services alive until the end: each
    /// later program starts twenty times faster, and none starts services that would hold on to
    /// its output.
    pub(crate) fn start_server(&self) -> Result<Server<'_>> {
        // It keeps its streams to the end, when it lists what was still open.
        if !process::succeeds(self.server().arg("-p300")) {
            bail!("the Wine server in {} does not start", self.folder.display());
        }
        let idle = process::command(self.runner())
            .env("BAROGRAPH_WINE_LIMIT", "0")
            .arg("cmd")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start Wine")?;
        Ok(Server { wine: self, idle })
    }

    fn server(&self) -> Command {
        let mut server = process::command(self.folder.join("root").join(unpack::SERVER));
        server.env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all");
        server
    }

    fn write_runner(&self) -> Result<()> {
        let path = self.runner();
        let script = format!(
            r#"#!/bin/sh
# Runs one Windows program: no display, no debugger, and an end after a while (0: never).
unset DISPLAY WAYLAND_DISPLAY
WINEPREFIX='{prefix}' WINEARCH=win64 WINEDEBUG="${{WINEDEBUG:--all}}"
WINEDLLOVERRIDES='mscoree,mshtml=;winemenubuilder.exe,winedbg.exe,explorer.exe=d'
export WINEPREFIX WINEARCH WINEDEBUG WINEDLLOVERRIDES
exec timeout --foreground --kill-after=5 "${{BAROGRAPH_WINE_LIMIT:-{LIMIT_SECONDS}}}" \
    '{folder}/root/{loader}' "$@"
"#,
            prefix = self.prefix.display(),
            folder = self.folder.display(),
            loader = unpack::LOADER,
        );
        if fs::read_to_string(&path).is_ok_and(|present| present == script) {
            return Ok(());
        }
        fs::write(&path, script).with_context(|| format!("cannot write {}", path.display()))?;
        make_executable(&path)
    }

    fn make_prefix(&self) -> Result<()> {
        // Written last of all, when the server ends.
        if self.prefix.join("system.reg").exists() && self.prefix.join(".made").exists() {
            return Ok(());
        }
        println!("making a Wine prefix in {}", self.prefix.display());
        fs::create_dir_all(&self.prefix)
            .with_context(|| format!("cannot create {}", self.prefix.display()))?;
        process::run(process::command(self.runner()).args(["wineboot", "--init"]))?;
        // The Bluetooth driver faults where there is no D-Bus, and costs time at each start.
        let service = r"HKLM\System\CurrentControlSet\Services\winebth";
        process::read(process::command(self.runner()).args([
            "reg",
            "add",
            service,
            "/v",
            "Start",
            "/t",
            "REG_DWORD",
            "/d",
            "4",
            "/f",
        ]))?;
        process::run(self.server().arg("-w"))?;
        fs::write(self.prefix.join(".made"), "").context("cannot mark the Wine prefix as made")
    }
}

/// A running Wine server; ends, with all that runs under it, when dropped.
#[derive(Debug)]
pub(crate) struct Server<'a> {
    wine: &'a Wine,
    /// Waits for commands that never come.
    idle: Child,
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        // It answers with an error when no server is left, which is what is wanted.
        process::succeeds(self.wine.server().arg("-k"));
        // The server has ended it, unless it never came to run under it.
        drop(self.idle.kill());
        drop(self.idle.wait());
    }
}

/// `cargo xtask wine PROGRAM ARGUMENTS…`
pub(crate) fn run(command: &[String]) -> Result<ExitCode> {
    tools::require(&[&MINGW, &WINE_LIBRARIES])?;
    let wine = Wine::ready()?;
    let mut program = process::command(wine.runner());
    program.current_dir(env::current_dir().context("cannot tell the current folder")?);
    program.env("BAROGRAPH_WINE_LIMIT", "0").args(command);
    crate::run::become_program(program)
}

/// Where Wine is unpacked: for all users if we may, else for this one.
fn folder() -> Result<PathBuf> {
    match env::var_os("BAROGRAPH_WINE_DIR") {
        Some(named) => Ok(place::root().join(named)),
        None if debian::is_root() => Ok(PathBuf::from("/opt/barograph-wine")),
        None => Ok(place::cache()?.join("wine")),
    }
}

/// Wine wants its prefix to belong to the user who runs it.
fn prefix() -> Result<PathBuf> {
    Ok(place::cache()?.join("wine-prefix"))
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("cannot make {} executable", path.display()))
}

#[cfg(not(unix))]
fn make_executable(path: &Path) -> Result<()> {
    bail!("cannot make {} executable: this system runs Windows programs itself", path.display())
}

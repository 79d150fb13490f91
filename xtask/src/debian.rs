//! Installing on Debian: by the machine's own apt, and beside the system from a later release.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// The newer release that some things are taken from.
pub(crate) const LATER_RELEASE: &str = "trixie";

/// Whether this system is Debian or made from it.
pub(crate) fn here() -> bool {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    is_debian(&release) && process::find("apt-get").is_some()
}

fn is_debian(os_release: &str) -> bool {
    os_release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|value| value.trim_matches('"').split(' '))
        .any(|id| id == "debian")
}

/// Whether we may change the system.
pub(crate) fn is_root() -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        // A process' own folder belongs to its effective user.
        fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
    }
    #[cfg(not(unix))]
    false
}

/// Installs packages without what they only recommend.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    println!("installing {}", packages.join(" "));
    let install = || {
        process::read(
            apt_get()
                .args(["-qq", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", "install"])
                .args(packages),
        )
    };
    // Lists that are missing or older than the archive are the usual reason to fail.
    if install().is_err() {
        process::read(apt_get().args(["-qq", "update"]))?;
        install()?;
    }
    Ok(())
}

fn apt_get() -> Command {
    let mut command = process::command("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C.UTF-8");
    command
}

/// An apt of our own that knows only [`LATER_RELEASE`], to download from and never to install.
#[derive(Debug)]
pub(crate) struct Later {
    folder: PathBuf,
}

impl Later {
    /// Keeps its lists and settings under `folder` and reads the release's lists now.
    pub(crate) fn prepare(folder: &Path) -> Result<Later> {
        for part in ["state/lists/partial", "cache/archives/partial"] {
            let part = folder.join(part);
            fs::create_dir_all(&part)
                .with_context(|| format!("cannot create {}", part.display()))?;
        }
        let archive = archive()?;
        let source = |suite: &str| format!("deb [signed-by={KEYRING}] {archive} {suite} main\n");
        let sources = source(LATER_RELEASE) + &source(&format!("{LATER_RELEASE}-backports"));
        write(&folder.join("sources.list"), &sources)?;
        write(&folder.join("apt.conf"), &settings(folder))?;
        let later = Later { folder: folder.to_path_buf() };
        process::read(later.apt_get().args(["-qq", "update"]))?;
        Ok(later)
    }

    /// Downloads packages, each given as `name/suite` or `name=version`, into `into`.
    pub(crate) fn download(&self, packages: &[&str], into: &Path) -> Result<()> {
        fs::create_dir_all(into).with_context(|| format!("cannot create {}", into.display()))?;
        process::read(self.apt_get().args(["-qq", "download"]).args(packages).current_dir(into))?;
        Ok(())
    }

    /// The newest version of a package that starts so.
    pub(crate) fn version(&self, name: &str, start: &str) -> Result<Option<String>> {
        let mut apt_cache = process::command("apt-cache");
        apt_cache.arg("-c").arg(self.folder.join("apt.conf")).args(["madison", name]);
        Ok(newest(&process::read(&mut apt_cache)?, start))
    }

    fn apt_get(&self) -> Command {
        let mut command = apt_get();
        command.arg("-c").arg(self.folder.join("apt.conf"));
        command
    }
}

/// Whether the keys of Debian's archive are here.
pub(crate) fn has_keyring() -> bool {
    Path::new(KEYRING).exists()
}

/// From apt's table `name | version | archive`, which has the newest first.
fn newest(table: &str, start: &str) -> Option<String> {
    let mut versions = table.lines().filter_map(|line| line.split('|').nth(1).map(str::trim));
    versions.find(|version| version.starts_with(start)).map(str::to_owned)
}

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Where this machine gets Debian from, as its own apt settings say.
fn archive() -> Result<String> {
    let format = "$(LABEL) $(REPO_URI)";
    let listing = || {
        process::read(apt_get().args(["indextargets", "--format", format, "Created-By: Packages"]))
    };
    if let Some(uri) = main_archive(&listing()?) {
        return Ok(uri);
    }
    // Labels are known once the lists have been read.
    process::read(apt_get().args(["-qq", "update"]))?;
    main_archive(&listing()?).context("apt's settings name no archive with the label `Debian`")
}

fn main_archive(listing: &str) -> Option<String> {
    listing.lines().find_map(|line| line.strip_prefix("Debian ")).map(str::to_owned)
}

fn settings(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"Dir::State "{folder}/state";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "-";
APT::Sandbox::User "root";
Acquire::Languages "none";
"#
    )
}

/// Unpacks a package's files under `root`; its scripts are not run.
pub(crate) fn unpack(package: &Path, root: &Path) -> Result<()> {
    process::read(process::command("dpkg").arg("-x").arg(package).arg(root))?;
    Ok(())
}

/// The file in `folder` that holds package `name`, and the version in its file name.
pub(crate) fn downloaded(folder: &Path, name: &str) -> Result<(PathBuf, String)> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut parts = file.split('_');
        if parts.next() == Some(name)
            && let Some(version) = parts.next()
        {
            return Ok((path, version.replace("%3a", ":")));
        }
    }
    bail!("no package {name} in {}", folder.display())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_and_its_children_are_recognised() {
        assert!(is_debian("NAME=\"Debian\"\nID=debian\n"));
        assert!(is_debian("ID=ubuntu\nID_LIKE=debian\n"));
        assert!(is_debian("ID=x\nID_LIKE=\"ubuntu debian\"\n"));
        assert!(!is_debian("ID=fedora\nID_LIKE=\"rhel\"\nNAME=debian\n"));
    }

    #[test]
    fn security_updates_are_not_the_main_archive() {
        let listing = "Debian-Security a:/sec/\nDebian b:/main/\nDebian c:/other/\n";
        assert_eq!(main_archive(listing).as_deref(), Some("b:/main/"));
        assert_eq!(main_archive("Vendor x:/y/\n"), None);
    }

    #[test]
    fn the_newest_version_of_a_release_is_chosen() {
        let table = " rust-src | 1.96.0+dfsg1-1 | a\n rust-src | 1.9.0+dfsg2-1 | a\n";
        assert_eq!(newest(table, "1.9.0+").as_deref(), Some("1.9.0+dfsg2-1"));
        assert_eq!(newest(table, "1.9+"), None);
    }
}

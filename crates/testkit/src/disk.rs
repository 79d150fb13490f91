//! Disks that fail: small ones, ones that lose their power, ones that become read-only. Only root
//! has them, on Linux.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A file system of its own, unmounted when dropped.
#[derive(Debug)]
pub struct Disk {
    // Unmounted before its folder goes.
    mount_point: PathBuf,
    image: Option<PathBuf>,
    _folder: TempDir,
}

impl Disk {
    /// A disk in memory. `None` where only root could make one; that is said on standard error.
    ///
    /// # Panics
    /// It cannot be made.
    pub fn in_memory(bytes: u64) -> Option<Self> {
        let disk = Self::prepare(None)?;
        let size = format!("size={bytes}");
        run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", disk.as_text()]);
        Some(disk)
    }

    /// A disk with ext4 on it, whose power can be cut. `None` as for [`Disk::in_memory`].
    ///
    /// # Panics
    /// It cannot be made.
    pub fn with_power(megabytes: u64) -> Option<Self> {
        let disk = Self::prepare(Some(megabytes))?;
        disk.mount();
        Some(disk)
    }

    #[expect(clippy::print_stderr, reason = "who reads the tests' output should know")]
    fn prepare(megabytes: Option<u64>) -> Option<Self> {
        let uid = fs::metadata("/proc/self").ok().map(|own| owner(&own));
        if uid != Some(0) {
            eprintln!("not tested: only root on Linux can mount a disk that fails");
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mount_point = folder.path().join("disk");
        fs::create_dir(&mount_point).expect("a folder to mount on");
        let image = megabytes.map(|megabytes| {
            let image = folder.path().join("image");
            let file = fs::File::create(&image).expect("a disk's image");
            file.set_len(megabytes * 1024 * 1024).expect("room");
            run("mkfs.ext4", &["-q", "-F", &image.to_string_lossy()]);
            image
        });
        Some(Self { mount_point, image, _folder: folder })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.mount_point
    }

    fn as_text(&self) -> &str {
        self.mount_point.to_str().expect("a plain path")
    }

    fn mount(&self) {
        if let Some(image) = &self.image {
            run("mount", &["-o", "loop", &image.to_string_lossy(), self.as_text()]);
        }
    }

    /// From now on nothing reaches the disk: everything that was not synced is lost. Writes fail.
    ///
    /// # Panics
    /// The file system does not do it.
    pub fn cut_power(&self) {
        // EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH.
        let script = "open(my $disk, '<', $ARGV[0]) or die $!; my $how = pack('L', 2); \
            ioctl($disk, 0x8004587d, $how) or die $!;";
        run("perl", &["-e", script, self.as_text()]);
    }

    /// After the power was cut, and every process that used the disk has ended.
    ///
    /// # Panics
    /// It cannot be mounted again.
    pub fn power_on(&self) {
        run("umount", &[self.as_text()]);
        self.mount();
    }

    /// # Panics
    /// It cannot be mounted in another way, for instance as files are open to be written to.
    pub fn set_read_only(&self, read_only: bool) {
        let way = if read_only { "remount,ro" } else { "remount,rw" };
        run("mount", &["-o", way, self.as_text()]);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Not even when something in it is still open.
        let unmounted = command("umount", &["-l", self.as_text()]).status();
        drop(unmounted);
    }
}

#[cfg(unix)]
fn owner(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(metadata)
}

#[cfg(not(unix))]
fn owner(_: &fs::Metadata) -> u32 {
    u32::MAX
}

#[expect(clippy::disallowed_methods, reason = "a developer's tool: it never ships")]
fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}

fn run(program: &str, args: &[&str]) {
    let output = command(program, args).output().expect(program);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {complaint}");
}

//! How many processes there are.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::Error;

/// Counts the processes that `/proc` lists.
///
/// Listing `/proc` costs the kernel a microsecond or more per process. But it gives `/proc` as
/// many links as there are processes, plus a constant. So the list is read once in a while to
/// learn the constant, and the links tell the rest. In a process namespace the links also count
/// what is not listed: then the "constant" changes, and as long as it does the list is read.
#[derive(Debug)]
pub(super) struct ProcessCount {
    proc: PathBuf,
    folder: Option<File>,
    /// Links of `/proc` that are no processes.
    other_links: Option<i64>,
    readings_until_listed: u32,
}

impl ProcessCount {
    const READINGS_PER_LIST: u32 = 30;

    pub(super) fn new(proc: PathBuf) -> Self {
        Self { proc, folder: None, other_links: None, readings_until_listed: 0 }
    }

    pub(super) fn read(&mut self) -> Result<u64, Error> {
        self.count().map_err(|source| {
            self.folder = None;
            Error::Read { path: self.proc.clone(), source }
        })
    }

    fn count(&mut self) -> io::Result<u64> {
        let links = self.links()?;
        if let (Some(other), 1..) = (self.other_links, self.readings_until_listed) {
            self.readings_until_listed -= 1;
            return Ok(u64::try_from(links - other).unwrap_or(0));
        }
        let count = self.list()?;
        // A process that started or ended meanwhile makes the difference useless.
        if self.links()? == links {
            let other = links - i64::try_from(count).unwrap_or(i64::MAX);
            if self.other_links.is_none_or(|before| before == other) {
                self.readings_until_listed = Self::READINGS_PER_LIST;
            }
            self.other_links = Some(other);
        }
        Ok(count)
    }

    fn links(&mut self) -> io::Result<i64> {
        let folder = match &self.folder {
            Some(folder) => folder,
            None => self.folder.insert(File::open(&self.proc)?),
        };
        Ok(i64::try_from(folder.metadata()?.nlink()).unwrap_or(i64::MAX))
    }

    fn list(&self) -> io::Result<u64> {
        let mut count = 0;
        for entry in fs::read_dir(&self.proc)? {
            let name = entry?.file_name();
            count += u64::from(name.as_encoded_bytes().iter().all(u8::is_ascii_digit));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use barograph_testkit::Tree;

    use super::*;

    #[test]
    fn processes_are_counted_by_name() {
        let tree = Tree::empty().unwrap();
        for file in ["1/stat", "22/stat", "sys/x", "stat", "3x/stat"] {
            tree.write(file, "").unwrap();
        }
        let mut count = ProcessCount::new(tree.path().into());
        assert_eq!(count.read().unwrap(), 2);
        tree.write("333/stat", "").unwrap();
        assert_eq!(count.read().unwrap(), 3);
        tree.remove("22").unwrap();
        tree.remove("1").unwrap();
        assert_eq!(count.read().unwrap(), 1);
    }

    #[test]
    fn links_that_are_no_processes_make_it_read_the_list() {
        let tree = Tree::empty().unwrap();
        tree.write("1/stat", "").unwrap();
        let mut count = ProcessCount::new(tree.path().into());
        count.read().unwrap();
        for hidden in 0..=ProcessCount::READINGS_PER_LIST {
            tree.write(&format!("hidden{hidden}/x"), "").unwrap();
            count.read().unwrap();
        }
        // From the reading on that found another constant, every reading lists.
        for hidden in 0..10 {
            tree.write(&format!("more{hidden}/x"), "").unwrap();
            assert_eq!(count.read().unwrap(), 1);
        }
    }

    #[test]
    fn the_live_machine_agrees_with_its_list() {
        let mut count = ProcessCount::new("/proc".into());
        for _ in 0..3 {
            let by_links = count.read().unwrap();
            let listed = count.list().unwrap();
            assert!(by_links.abs_diff(listed) <= 20, "{by_links} against {listed}");
        }
    }
}

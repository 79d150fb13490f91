//! The NFS client.

use std::path::PathBuf;

use super::kept_file::KeptFile;
use crate::Error;
use crate::parse::mountstats;
use crate::readings::NfsClient;
use crate::roots::Roots;

/// Reads `/proc/net/rpc/nfs` and `/proc/self/mountstats`. Neither asks a server.
#[derive(Debug)]
pub(crate) struct NfsReader {
    rpc: KeptFile,
    mounts: KeptFile,
    mounts_path: PathBuf,
    client: NfsClient,
}

impl NfsReader {
    pub(crate) fn new(roots: &Roots) -> Self {
        let mounts_path = roots.proc.join("self/mountstats");
        Self {
            rpc: KeptFile::new(roots.proc.join("net/rpc/nfs")),
            mounts: KeptFile::new(mounts_path.clone()),
            mounts_path,
            client: NfsClient::default(),
        }
    }

    pub(crate) fn read(&mut self) -> Result<&NfsClient, Error> {
        const WHAT: &str = "the NFS client";
        const OLD: &str = "a kernel without it, or before 2.6.17";
        self.client = NfsClient::default();
        match self.rpc.read_if_there(WHAT, "it has not been started", mountstats::rpc) {
            Ok(rpc) => self.client.rpc = Some(rpc),
            // It comes with the first share; until then, the list of mounts tells nothing.
            Err(error) if error.is_absent() && self.mounts_path.exists() => {
                return Ok(&self.client);
            }
            Err(error) => return Err(error),
        }
        self.client.mounts = self.mounts.read_if_there(WHAT, OLD, mountstats::parse)?;
        Ok(&self.client)
    }
}

#[cfg(test)]
mod tests {
    use barograph_testkit::Tree;

    use super::*;
    use crate::parse::mountstats::tests::TEXT;

    #[test]
    fn the_client_may_be_started_later() {
        let tree = Tree::empty().unwrap();
        let mut reader = NfsReader::new(&Roots::recorded(tree.path()));
        assert!(reader.read().unwrap_err().is_absent());
        tree.write("proc/self/mountstats", TEXT).unwrap();
        assert_eq!(*reader.read().unwrap(), NfsClient::default());
        tree.write("proc/net/rpc/nfs", "rpc 7 0 7\n").unwrap();
        let client = reader.read().unwrap();
        assert_eq!((client.rpc.unwrap().calls, client.mounts.len()), (7, 2));
    }
}

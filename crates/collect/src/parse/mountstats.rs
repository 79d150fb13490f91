//! `/proc/self/mountstats`: what each NFS mount has done, and `/proc/net/rpc/nfs`, which counts
//! for all of them together.

use super::ParseError;
use super::fields::{Line, Words, lines, unescape_into};
use crate::readings::{NfsMount, NfsOperations, RpcTotals};

/// More shares than anybody mounts; those beyond are passed over.
const MAX_MOUNTS: usize = 1024;

/// The NFS mounts. Of several at one place, the last one hides the others.
///
/// # Errors
/// A known line whose numbers are none.
pub fn parse(text: &[u8]) -> Result<Vec<NfsMount>, ParseError> {
    let mut mounts: Vec<NfsMount> = Vec::new();
    let mut current: Option<NfsMount> = None;
    let mut in_operations = false;
    for line in lines(text) {
        let mut words = line.words();
        match (words.next().unwrap_or_default(), current.as_mut()) {
            (b"device" | b"no", _) if !line.text.starts_with(b"\t") => {
                keep(&mut mounts, current.take());
                current = nfs_mount(words);
                in_operations = false;
            }
            (b"bytes:", Some(mount)) => bytes(words, mount)?,
            (b"per-op", Some(_)) => in_operations = true,
            (name, Some(mount)) if in_operations && name.ends_with(b":") => {
                operations(line, name, mount)?;
            }
            _ => {}
        }
    }
    keep(&mut mounts, current);
    Ok(mounts)
}

fn keep(mounts: &mut Vec<NfsMount>, mount: Option<NfsMount>) {
    let Some(mount) = mount else { return };
    mounts.retain(|known| known.mount_point != mount.mount_point);
    if mounts.len() < MAX_MOUNTS {
        mounts.push(mount);
    }
}

/// `server:/export mounted on /mnt with fstype nfs4 statvers=1.1`
fn nfs_mount(mut words: Words<'_>) -> Option<NfsMount> {
    while words.next()? != b"mounted" {}
    let mut mount = NfsMount::default();
    words.next().filter(|word| *word == b"on")?;
    unescape_into(&mut mount.mount_point, words.next()?);
    let with = [words.next()?, words.next()?];
    let is_nfs = matches!(words.next()?, b"nfs" | b"nfs4");
    (with == [b"with".as_slice(), b"fstype"] && is_nfs).then_some(mount)
}

/// Read and written by programs, the same around the cache, and over the network.
fn bytes(mut words: Words<'_>, mount: &mut NfsMount) -> Result<(), ParseError> {
    const NUMBERS: &str = "six numbers of bytes";
    for _ in 0..4 {
        words.number(NUMBERS)?;
    }
    mount.read_bytes = Some(words.number(NUMBERS)?);
    mount.written_bytes = Some(words.number(NUMBERS)?);
    Ok(())
}

fn operations(line: Line<'_>, name: &[u8], mount: &mut NfsMount) -> Result<(), ParseError> {
    const NUMBERS: &str = "eight numbers behind an operation";
    let mut words = line.words();
    words.next();
    let mut numbers = [0; 8];
    for place in &mut numbers {
        *place = words.number(NUMBERS)?;
    }
    let [count, transmissions, timeouts, _sent, _received, _queued_ms, trip_ms, whole_ms] = numbers;
    let sum: &mut NfsOperations = match name {
        b"READ:" => &mut mount.operations[0],
        b"WRITE:" => &mut mount.operations[1],
        _ => &mut mount.operations[2],
    };
    sum.count = sum.count.saturating_add(count);
    sum.transmissions = sum.transmissions.saturating_add(transmissions);
    sum.timeouts = sum.timeouts.saturating_add(timeouts);
    sum.round_trip_seconds += trip_ms as f64 / 1e3;
    sum.execution_seconds += whole_ms as f64 / 1e3;
    Ok(())
}

/// The client's calls in all.
///
/// # Errors
/// A line `rpc` whose numbers are none, or no such line.
pub fn rpc(text: &[u8]) -> Result<RpcTotals, ParseError> {
    const NUMBERS: &str = "calls, retransmissions and refreshes behind `rpc`";
    for line in lines(text) {
        let mut words = line.words();
        if words.next() == Some(b"rpc") {
            return Ok(RpcTotals {
                calls: words.number(NUMBERS)?,
                retransmissions: words.number(NUMBERS)?,
                authentication_refreshes: words.number(NUMBERS)?,
            });
        }
    }
    Err(ParseError::new(1, "a line `rpc`", text))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As Linux 6.1 writes it, with the lines that stand between.
    pub(crate) const TEXT: &str = "\
device proc mounted on /proc with fstype proc
device filer:/export/my\\040data mounted on /mnt/my\\040data with fstype nfs4 statvers=1.1
\topts:\trw,vers=4.2,rsize=1048576,wsize=1048576,hard,proto=tcp,timeo=600,retrans=2
\tage:\t86400
\timpl_id:\tname='',domain='',date='0,0'
\tcaps:\tcaps=0xf7fff,wtmult=512,dtsize=1048576,bsize=0,namlen=255
\tnfsv4:\tbm0=0xfdffbfff,bm1=0xf9be3e,bm2=0x60803,acl=0x3,sessions,pnfs=not configured
\tsec:\tflavor=1,pseudoflavor=1
\tevents:\t101 2040 5 3 60 12 2400 8 9 1 0 40 10 2 3 0 0 0 0 0 0 0 0 0 0 0 0
\tbytes:\t5000 700 20 30 4096 512 1 1
\tRPC iostats version: 1.1  p/v: 100003/4 (nfs)
\txprt:\ttcp 0 0 1 0 24 260 260 0 264 0 2 12 4
\tper-op statistics
\t        NULL: 1 1 0 44 24 5 1 6 0
\t        READ: 100 103 1 17200 4096000 20 500 530 0
\t       WRITE: 40 40 0 409600 5440 3 800 810 0
\t     GETATTR: 200 201 0 30000 48000 4 150 160 2
device other:/x mounted on /mnt/x with fstype nfs statvers=1.1
\tbytes:\t0 0 0 0 1 2 0 0
";

    #[test]
    fn each_share_tells_its_bytes_and_calls() {
        let mounts = parse(TEXT.as_bytes()).unwrap();
        let brief: Vec<_> = mounts
            .iter()
            .map(|one| (one.mount_point.as_str(), one.read_bytes, one.written_bytes))
            .collect();
        let expect = [("/mnt/my data", Some(4096), Some(512)), ("/mnt/x", Some(1), Some(2))];
        assert_eq!(brief, expect);
        let [read, write, other] = mounts[0].operations;
        let expect = NfsOperations {
            count: 100,
            transmissions: 103,
            timeouts: 1,
            round_trip_seconds: 0.5,
            execution_seconds: 0.53,
        };
        assert_eq!(read, expect);
        assert_eq!((write.count, other.count, other.transmissions), (40, 201, 202));
    }

    #[test]
    fn a_later_mount_hides_an_earlier_one_at_its_place() {
        let again = TEXT.replace("/mnt/x", "/mnt/my\\040data");
        let mounts = parse(again.as_bytes()).unwrap();
        assert_eq!(mounts.len(), 1);
        assert_eq!(mounts[0].read_bytes, Some(1));
    }

    #[test]
    fn broken_lines_are_named() {
        let error = |from: &str, to: &str| parse(TEXT.replace(from, to).as_bytes()).unwrap_err();
        assert_eq!(error("4096 512", "4096 x").line, 10);
        let read = error("103 1 17200", "103 -1 17200");
        assert_eq!((read.line, read.expected), (15, "eight numbers behind an operation"));
    }

    #[test]
    fn calls_of_the_client_are_read() {
        let text = b"net 0 0 0 0\nrpc 380 4 381\nproc3 22 0 0\n";
        let expect = RpcTotals { calls: 380, retransmissions: 4, authentication_refreshes: 381 };
        assert_eq!(rpc(text), Ok(expect));
        assert!(rpc(b"net 0 0 0 0\n").is_err());
        assert_eq!(rpc(b"rpc 1 2\n").unwrap_err().line, 1);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            text in "((device a mounted on /x with fstype nfs4?|\t?bytes:|\tper-op|\tREAD:|rpc)( [0-9]{1,21}){0,9}\n){0,8}",
            bytes: Vec<u8>,
        ) {
            for text in [text.as_bytes(), &bytes] {
                parse(text).ok();
                rpc(text).ok();
            }
        }

        #[test]
        fn a_text_that_is_cut_gives_what_came_before_or_an_error(length in 0..TEXT.len()) {
            if let Ok(mounts) = parse(&TEXT.as_bytes()[..length]) {
                prop_assert!(mounts.len() <= 2);
            }
        }
    }
}

//! What a recording does not tell: names of a machine, its peers, and what somebody keeps where.

use std::collections::HashMap;

/// Of mounts only those at places that every system has: others are named after what somebody
/// keeps there.
const PUBLIC_PLACES: &[&str] =
    &["", "boot", "dev", "home", "opt", "proc", "run", "srv", "sys", "tmp", "usr", "var"];

/// A file's content as it may be told to everybody.
pub(super) fn scrub(path: &str, bytes: Vec<u8>) -> Vec<u8> {
    let scrub: fn(&str) -> String = match path {
        "proc/net/tcp" | "proc/net/tcp6" | "proc/net/udp" | "proc/net/udp6" => without_addresses,
        "proc/self/cgroup" => without_groups,
        "proc/self/mountinfo" => |text| at_public_places(text, 4),
        "proc/self/mountstats" => without_shares,
        "proc/swaps" => |text| {
            let (heading, files) = text.split_at(text.find('\n').map_or(text.len(), |end| end + 1));
            heading.to_owned() + &at_public_places(files, 0)
        },
        "proc/sys/kernel/hostname" => |_| "recorded\n".into(),
        "statvfs" => |text| at_public_places(text, 0),
        _ => return bytes,
    };
    scrub(&String::from_utf8_lossy(&bytes)).into_bytes()
}

/// The lines whose word at `place` is a path that says nothing of anybody.
fn at_public_places(text: &str, place: usize) -> String {
    let is_public = |line: &&str| {
        let path = line.split_whitespace().nth(place).unwrap_or_default();
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        PUBLIC_PLACES.contains(&first)
    };
    text.split_inclusive('\n').filter(is_public).collect()
}

/// `number:controllers:path`: a group that is not one of systemd's own is as the one at the top.
fn without_groups(text: &str) -> String {
    let line = |line: &str| {
        let (hierarchy, path) = line.rsplit_once(':').unwrap_or((line, ""));
        let is_service = path.starts_with("/system.slice/") && path.ends_with(".service");
        format!("{hierarchy}:{}\n", if is_service || path == "/init.scope" { path } else { "/" })
    };
    text.lines().map(line).collect()
}

/// Sockets with their ports and states, and nobody's addresses.
fn without_addresses(text: &str) -> String {
    let zeros = |word: &str| {
        let (address, port) = word.split_once(':').unwrap_or((word, ""));
        format!("{}:{port}", "0".repeat(address.len()))
    };
    let socket = |line: &str| {
        // Up to the inode; behind it are places in the kernel's memory.
        let mut words: Vec<_> = line.split_whitespace().take(10).map(str::to_owned).collect();
        words.iter_mut().skip(1).take(2).for_each(|word| *word = zeros(word));
        words.join(" ")
    };
    let line = |(number, line): (usize, &str)| {
        (if number == 0 { line.to_owned() } else { socket(line) }) + "\n"
    };
    text.lines().enumerate().map(line).collect()
}

/// The statistics of network shares, which are called by numbers.
fn without_shares(text: &str) -> String {
    let mut shares: HashMap<&str, usize> = HashMap::new();
    let mut is_share = false;
    let mut told = String::new();
    for line in text.lines() {
        if let Some(mount) = line.strip_prefix("device ") {
            let (share, kind) = mount.split_once(" with fstype ").unwrap_or((mount, ""));
            is_share = kind.starts_with("nfs");
            let next = shares.len() + 1;
            let number = *shares.entry(share).or_insert(next);
            if is_share {
                let share = format!("server:/share-{number} mounted on /mnt/share-{number}");
                told.extend(["device ", &share, " with fstype ", kind, "\n"]);
            }
            continue;
        }
        // Options name addresses.
        let is_counted = !["opts:", "impl_id:", "sec:", "nfsv4:"]
            .iter()
            .any(|name| line.trim_start().starts_with(name));
        if is_share && is_counted {
            told += line;
            told.push('\n');
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expect: &str) {
        let told = scrub(path, text.as_bytes().to_vec());
        assert_eq!(String::from_utf8(told).unwrap(), expect);
    }

    #[test]
    fn mounts_and_swap_files_at_places_of_ones_own_are_left_out() {
        let public = "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n";
        let own = "28 27 8:2 / /mnt/secret rw - ext4 x rw\n";
        check("proc/self/mountinfo", &format!("{public}{own}"), public);
        check("statvfs", "/ 4096 3 2 1\n/data/secret 1 1 1 1\n", "/ 4096 3 2 1\n");
        let swaps = "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n";
        check("proc/swaps", &format!("{swaps}/secret/swap file 1 0 -3\n"), swaps);
    }

    #[test]
    fn groups_of_containers_are_not_named() {
        check(
            "proc/self/cgroup",
            "4:memory:/docker/5ec2e7\n1:name=systemd:/system.slice/sshd.service\n0::/init.scope\n",
            "4:memory:/\n1:name=systemd:/system.slice/sshd.service\n0::/init.scope\n",
        );
    }

    #[test]
    fn sockets_have_ports_and_no_addresses() {
        check(
            "proc/net/tcp",
            "  sl  local_address rem_address   st\n   0: 0100007F:1D97 0200007F:0016 0A 00000000:00000000\n",
            "  sl  local_address rem_address   st\n0: 00000000:1D97 00000000:0016 0A 00000000:00000000\n",
        );
    }

    #[test]
    fn shares_are_called_by_numbers_and_mounts_of_other_kinds_are_left_out() {
        check(
            "proc/self/mountstats",
            "device proc mounted on /proc with fstype proc\n\
             device filer:/secret mounted on /mnt/secret with fstype nfs4 statvers=1.1\n\
             \topts:\trw,addr=10.1.2.3\n\tbytes:\t1 2 3 4 5 6 7 8\n\tper-op statistics\n\t  READ: 1 2\n\n",
            "device server:/share-2 mounted on /mnt/share-2 with fstype nfs4 statvers=1.1\n\
             \tbytes:\t1 2 3 4 5 6 7 8\n\tper-op statistics\n\t  READ: 1 2\n\n",
        );
    }

    #[test]
    fn the_machines_name_is_nobodys_and_other_files_are_told_as_they_are() {
        check("proc/sys/kernel/hostname", "secret\n", "recorded\n");
        check("proc/stat", "cpu 1 2 3\n", "cpu 1 2 3\n");
    }
}

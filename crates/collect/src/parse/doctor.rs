//! Small texts that the doctor looks at.

/// The first two numbers of a kernel's release: `6.1.0-18-amd64`.
pub fn kernel_version(release: &str) -> Option<[u32; 2]> {
    let mut parts = release.split('.');
    let major = parts.next()?.parse().ok()?;
    let digits: String = parts.next()?.chars().take_while(char::is_ascii_digit).collect();
    Some([major, digits.parse().ok()?])
}

/// The mount option of `/proc` that hides processes, from `/proc/self/mounts`.
pub fn hidepid(mounts: &str) -> Option<String> {
    let mut of_proc = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        (words.next() == Some("/proc") && words.next() == Some("proc")).then(|| words.next())?
    });
    // Of several mounts at one place the last one is seen.
    let options = of_proc.next_back()?;
    options.split(',').find_map(|option| option.strip_prefix("hidepid=")).map(str::to_owned)
}

/// The bits of the capabilities in effect, from `/proc/self/status`.
pub fn capabilities(status: &str) -> Option<u64> {
    let digits = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(digits.trim(), 16).ok()
}

/// The control groups of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups {
    /// 1, 2 or both, in order.
    pub versions: Vec<u8>,
    /// The folder of a hierarchy below `/sys/fs/cgroup`, empty for version 2, and the group's path
    /// in it.
    pub paths: Vec<(String, String)>,
}

/// From `/proc/self/cgroup`. Hierarchies without a controller (`name=systemd`) limit nothing and
/// are left out.
pub fn own_groups(text: &str) -> Groups {
    let mut groups = Groups::default();
    for line in text.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(number), Some(controllers), Some(path)) =
            (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let version = match (number, controllers) {
            ("0", "") => 2,
            (_, controllers) if !controllers.starts_with("name=") && !controllers.is_empty() => 1,
            _ => continue,
        };
        // `..` would lead out of the hierarchy: it stands for a group that is not seen from here.
        if path.split('/').any(|part| part == "..") || controllers.contains('/') {
            continue;
        }
        if !groups.versions.contains(&version) {
            groups.versions.push(version);
        }
        groups.paths.push((controllers.to_owned(), path.to_owned()));
    }
    groups.versions.sort_unstable();
    groups
}

/// The processors that `quota period` allow; nothing for `max` and `-1`, which are no limits.
pub fn cpu_limit(text: &str) -> Option<f64> {
    let mut words = text.split_whitespace();
    let quota: f64 = words.next()?.parse().ok()?;
    let period: f64 = words.next()?.parse().ok()?;
    let is_sound = quota > 0.0 && period > 0.0 && quota.is_finite() && period.is_finite();
    is_sound.then(|| quota / period)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_have_two_numbers() {
        assert_eq!(kernel_version("6.1.0-18-amd64"), Some([6, 1]));
        assert_eq!(kernel_version("3.10-rc1"), Some([3, 10]));
        assert_eq!(kernel_version("6"), None);
        assert_eq!(kernel_version(""), None);
    }

    #[test]
    fn the_last_mount_of_proc_counts() {
        let text = "proc /proc proc rw,hidepid=2 0 0\ntmpfs /tmp tmpfs rw,hidepid=1 0 0\n";
        assert_eq!(hidepid(text).as_deref(), Some("2"));
        assert_eq!(hidepid(&format!("{text}proc /proc proc rw 0 0\n")), None);
        assert_eq!(hidepid("garbage"), None);
    }

    #[test]
    fn groups_of_both_versions_are_told_apart() {
        let text = "9:name=systemd:/s\n4:memory:/a:b\n0::/u\n3:cpu:/../x\n";
        let groups = own_groups(text);
        assert_eq!(groups.versions, [1, 2]);
        let expected = [("memory", "/a:b"), ("", "/u")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(groups.paths, expected);
    }

    #[test]
    fn no_limit_is_none() {
        assert_eq!(cpu_limit("200000 100000"), Some(2.0));
        for none in ["max 100000", "-1 100000", "0 0", "1", ""] {
            assert_eq!(cpu_limit(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            drop((capabilities(&text), kernel_version(&text), hidepid(&text), own_groups(&text), cpu_limit(&text)));
        }
    }
}

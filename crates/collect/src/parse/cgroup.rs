//! `/proc/PID/cgroup`: which control group, and so which service, a process belongs to.

/// The group's path: of the one hierarchy where there is one, else of systemd's own. Nothing for
/// a process outside of all groups, or when the text is none of the kernel's.
pub fn path(text: &[u8]) -> Option<String> {
    let mut found = None;
    for line in text.split(|b| *b == b'\n') {
        let mut parts = line.splitn(3, |b| *b == b':');
        let (Some(number), Some(controllers), Some(path)) =
            (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let is_unified = number == b"0" && controllers.is_empty();
        if controllers == b"name=systemd" || (is_unified && found.is_none()) {
            found = Some(String::from_utf8_lossy(path).into_owned());
        }
    }
    found.filter(|path| path != "/")
}

/// The systemd unit that a group stands for: the innermost service or scope in its path.
pub fn unit(path: &str) -> Option<&str> {
    let kind = |part: &str| part.rsplit_once('.').map(|(_, kind)| kind.to_owned());
    path.rsplit('/').find(|part| matches!(kind(part).as_deref(), Some("service" | "scope")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_hierarchy_or_systemds_own() {
        let unified = b"0::/system.slice/nginx.service\n";
        assert_eq!(path(unified).as_deref(), Some("/system.slice/nginx.service"));
        let old = b"12:cpu,cpuacct:/\n1:name=systemd:/system.slice/a:b.service\n0::/other\n";
        assert_eq!(path(old).as_deref(), Some("/system.slice/a:b.service"));
        assert_eq!(path(b"0::/\n"), None);
        assert_eq!(path(b"3:memory:/x\n"), None);
        assert_eq!(path(b""), None);
    }

    #[test]
    fn the_innermost_unit_counts() {
        assert_eq!(unit("/system.slice/nginx.service"), Some("nginx.service"));
        let user = "/user.slice/user-1.slice/user@1.service/app.slice/app-x.scope";
        assert_eq!(unit(user), Some("app-x.scope"));
        assert_eq!(unit("/system.slice/docker.service/payload"), Some("docker.service"));
        assert_eq!(unit("/kubepods/pod1/abc"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(path) = path(&text) {
                unit(&path);
            }
        }
    }
}

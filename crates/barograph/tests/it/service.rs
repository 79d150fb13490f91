//! What only some systems have: sockets of a syslog, and files that nobody else may write.

use std::path::Path;

/// Only its owner may write this file.
#[cfg(unix)]
pub(crate) fn restrict(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(windows)]
pub(crate) fn restrict(_: &Path) {}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
    use std::os::unix::net::UnixDatagram;

    use crate::notify::{QUIET, told};
    use crate::program::{PATIENCE, run};
    use crate::receiver::Receiver;
    use crate::site::{ONE, Site};

    #[test]
    fn an_alert_is_written_to_the_syslog_of_this_system() {
        let receiver = Receiver::good();
        let site = Site::new(ONE, &receiver);
        let path = site.folder.path().join("log");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        site.configure(&format!("syslog_socket = '{}'\n", path.display()));
        site.put("channels", "log", "type: syslog\nfacility: local0\n");
        let server = site.start();
        let mut bytes = [0; 8192];
        let length = socket.recv(&mut bytes).unwrap();
        let line = std::str::from_utf8(&bytes[..length]).unwrap();
        let start = format!("<132>barograph[{}]: [FIRING warning] ", server.pid());
        assert!(line.starts_with(&start) && line.contains("% of memory on"), "{line}");
        assert!(!line.contains('\n'), "{line}");
    }

    #[test]
    fn a_list_of_actions_that_others_can_write_is_refused() {
        let receiver = Receiver::good();
        let site = Site::new(QUIET, &receiver);
        site.write_actions("actions: {mend: {run: [/bin/true]}}\n");
        let config = site.folder.path().join("barograph.toml");
        let actions = site.folder.path().join("actions.yml");
        site.configure(&format!("[actions]\nfile = '{}'\n", actions.display()));
        let check = || told(&run(&["check-config", "--config", config.to_str().unwrap()]));
        let (code, said) = check();
        assert_eq!(code, Some(0), "{said}");
        fs::set_permissions(&actions, fs::Permissions::from_mode(0o666)).unwrap();
        let (code, said) = check();
        assert_eq!(code, Some(2));
        let expected =
            "which is not to be trusted: it can be written by others than its owner (mode 666)";
        assert!(said.contains("`actions.file`") && said.contains(expected), "{said}");
    }

    #[test]
    fn links_to_another_disk_are_backed_up_with_what_they_lead_to() {
        let dir = tempfile::tempdir().unwrap();
        let [data, target, elsewhere] =
            ["data", "backup", "elsewhere"].map(|name| dir.path().join(name));
        fs::create_dir_all(data.join("deep")).unwrap();
        fs::create_dir_all(elsewhere.join("raw")).unwrap();
        fs::write(data.join("FORMAT"), "barograph-store 1\npartition_ms 3600000\n").unwrap();
        fs::write(elsewhere.join("raw/kept.txt"), "kept").unwrap();
        symlink(elsewhere.join("raw"), data.join("raw")).unwrap();
        symlink(elsewhere.join("raw/kept.txt"), data.join("deep/file.txt")).unwrap();
        symlink(&elsewhere, data.join("deep/folder")).unwrap();
        let backup =
            || run(&["backup", target.to_str().unwrap(), "--data", data.to_str().unwrap()]);
        let (code, said) = told(&backup());
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("note: deep/folder is neither a file nor a folder"), "{said}");
        let manifest = fs::read_to_string(target.join("MANIFEST")).unwrap();
        for copied in ["raw/kept.txt", "deep/file.txt"] {
            assert!(manifest.contains(copied), "{manifest}");
        }
        assert!(!manifest.contains("deep/folder"), "{manifest}");
    }

    #[test]
    fn an_export_goes_to_where_a_link_leads() {
        let dir = tempfile::tempdir().unwrap();
        let [data, page, link, out] =
            ["data", "page.txt", "link.csv", "out.csv"].map(|name| dir.path().join(name));
        let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
        fs::write(&page, "a 1 1763812800\n# EOF\n").unwrap();
        assert!(run(&["store", "import", &text(&page), "--data", &text(&data)]).status.success());
        symlink("out.csv", &link).unwrap();
        let (data, link_name) = (text(&data), text(&link));
        let args = ["store", "export", "--format", "csv", "--data", &data, "-o", &link_name];
        // Once where nothing is, once where a file is.
        for args in [args.to_vec(), [&args[..], &["--force"]].concat()] {
            let (code, said) = told(&run(&args));
            assert_eq!(code, Some(0), "{said}");
            assert_eq!(fs::read_to_string(&out).unwrap().lines().count(), 2);
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        }
    }

    #[test]
    fn root_makes_nothing_that_the_owner_of_the_folder_could_not_use() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        fs::create_dir(&data).unwrap();
        // Only root can give it away, and only root is refused.
        if chown(&data, Some(65_534), None).is_err() {
            return;
        }
        let page = dir.path().join("page.txt");
        fs::write(&page, "a 1 1763812800\n# EOF\n").unwrap();
        let data = data.to_str().unwrap();
        let import = ["store", "import", page.to_str().unwrap(), "--data", data];
        for args in [&import[..], &["restore", data, "--data", data]] {
            let (code, said) = told(&run(args));
            assert_eq!(code, Some(3), "{said}");
            assert!(said.contains("belongs to user 65534") && said.contains("sudo -u"), "{said}");
        }
        assert_eq!(fs::read_dir(data).unwrap().count(), 0);
    }
}

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
    use std::os::unix::fs::PermissionsExt as _;
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
}

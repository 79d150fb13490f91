//! Files that samples come from and go to: what is not what it seems is refused, and what comes to
//! nothing leaves nothing.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Batch, Clock, Labels, Sample};
use barograph_store::{Keep, Retention, Settings, Store};
use barograph_testkit::FakeClock;

use crate::notify::told;
use crate::program::{ON_WINDOWS, barograph, run};

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn an_openmetrics_page_that_was_cut_short_is_not_taken_for_1970() {
    let folder = tempfile::tempdir().unwrap();
    let (data, page) = (folder.path().join("data"), folder.path().join("page.txt"));
    let import = |more: &[&str]| {
        told(&run(&[&["store", "import", path(&page), "--data", path(&data)], more].concat()))
    };
    fs::write(&page, "# TYPE a gauge\na 1 1763812800\na 2 1763812801\n").unwrap();
    let (code, said) = import(&[]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("all of its times lie before 2001") && said.contains("--format"),
        "{said}"
    );
    assert!(!data.exists(), "an import that comes to nothing leaves nothing");
    // Whoever names it is believed.
    let (code, said) = import(&["--format", "prometheus"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("from 1970-01-21"), "{said}");

    fs::write(&page, "a 1 1763812800\n# EOF\n").unwrap();
    let (code, said) = import(&["--format", "prometheus"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("ends in `# EOF`, so it is OpenMetrics"), "{said}");
    let (code, said) = import(&[]);
    assert_eq!(code, Some(0), "{said}");
    let into = format!("into {}", data.display());
    assert!(said.contains("from 2025-11-22") && said.contains(&into), "{said}");

    fs::write(&page, "").unwrap();
    let (code, said) = import(&[]);
    assert_eq!(code, Some(2));
    assert!(said.contains("page.txt is empty"), "{said}");
    let json = run(&["store", "import", path(&page), "--data", path(&data), "--json"]);
    assert_eq!(json.status.code(), Some(2));
}

/// A data folder with a sample of the series `a`.
fn one_sample(folder: &Path) -> PathBuf {
    let (data, page) = (folder.join("data"), folder.join("page.txt"));
    fs::write(&page, "a 1 1763812800\n# EOF\n").unwrap();
    let output = run(&["store", "import", path(&page), "--data", path(&data)]);
    assert_eq!(output.status.code(), Some(0));
    data
}

#[test]
fn an_export_of_nothing_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = one_sample(folder.path());
    let export = |more: &[&str]| {
        let args = ["store", "export", "--format", "csv", "--data", path(&data)];
        told(&run(&[&args, more].concat()))
    };
    let (code, said) = export(&["--from", "5", "--to", "1"]);
    assert_eq!((code, said.trim()), (Some(2), "barograph: `--from` is after `--to`"));
    let (code, said) = export(&["--match", "b"]);
    assert!(code == Some(0) && said.contains("note: no sample"), "{said}");
    let (_, said) = export(&[]);
    assert!(!said.contains("note:"), "{said}");
}

/// Days of which only minutes and hours are left.
fn expired_days(data: &Path) {
    const DAY_MS: i64 = 86_400_000;
    let clock = Arc::new(FakeClock::new(1_795_305_600_000));
    let day = Duration::from_secs(86_400);
    let retention =
        Retention { raw: Keep { age: Some(2 * day), bytes: None }, ..Retention::forever() };
    let settings = Settings { retention, late_window: None, ..Settings::new(data) };
    let store = Store::open(settings, clock.clone()).unwrap();
    let labels = Labels::new([("__name__", "a")]).unwrap();
    for _ in 0..8 {
        let sample = Sample { labels: labels.clone(), value: 1.0 };
        store.append(&[Batch { time_ms: clock.now_ms(), samples: vec![sample] }]).unwrap();
        for _ in 0..24 {
            clock.advance(Duration::from_millis(DAY_MS.unsigned_abs() / 24));
            store.maintain().unwrap();
        }
    }
}

#[test]
fn expired_samples_are_told_in_one_line_and_are_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out.csv"));
    expired_days(&data);
    let args = ["store", "export", "--format", "csv", "--data", path(&data), "-o", path(&out)];
    let (code, said) = told(&run(&args));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("have expired").count(), 1, "{said}");
    assert!(
        said.contains("note: the samples of ") && said.contains("partitions (2026-11-22"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&out).unwrap().lines().count(), 9);
}

#[test]
fn a_device_is_written_to_and_stays_one() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = one_sample(folder.path());
    // Not by --force: a mistake would cost this machine its devices.
    for device in ["/dev/full", "/dev/null"] {
        let args = ["store", "export", "--format", "csv", "--data", path(&data), "-o", device];
        let (code, said) = told(&run(&args));
        assert_eq!(code, Some(i32::from(device == "/dev/full")), "{said}");
        assert!(!fs::metadata(device).unwrap().is_file(), "{device} became a file");
    }
    assert!(!Path::new("/dev/full.part").exists());
}

#[test]
fn an_import_that_is_told_to_stop_leaves_nothing() {
    if ON_WINDOWS {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // A server that takes the question and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/api/v1/read", listener.local_addr().unwrap());
    let import = barograph()
        .args(["store", "import", "--read-from", &url, "--from", "1h", "--data", path(&data)])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _asked = listener.accept().unwrap();
    assert!(data.join("import").exists(), "it goes on");
    #[expect(clippy::disallowed_methods, reason = "tests send signals")]
    let sent = std::process::Command::new("kill").arg(import.id().to_string()).status().unwrap();
    assert!(sent.success());
    let (code, said) = told(&import.wait_with_output().unwrap());
    assert_eq!(code, Some(1));
    assert!(said.contains("nothing was imported") && said.contains("told to stop"), "{said}");
    assert!(!data.exists());
}

//! Doors for which others have programs: InfluxDB's client, Nagios' plugins, scripts that write
//! pages into files. What they really send is stored.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use barograph_model::{Clock as _, SystemClock};

use crate::program::{ON_WINDOWS, Server, python, stored, text};

/// Writes points as programs that use InfluxDB's client do: one by one, and in a batch that is
/// packed.
const INFLUX: &str = "
import sys
from influxdb_client import InfluxDBClient, Point, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
now_ms = int(sys.argv[2])
with InfluxDBClient(url=sys.argv[1], token='t', org='o', enable_gzip=True) as client:
    with client.write_api(write_options=SYNCHRONOUS) as api:
        api.write('b', record=Point('weather').tag('place', 'Sankt Veit, am See').tag('a=b', 'c')
            .field('temperature', 21.5).field('wet', True).field('count', 7)
            .field('remark', 'dry, \"very\"').time(now_ms, WritePrecision.MS))
        api.write('b', write_precision=WritePrecision.S, record=[
            {'measurement': 'weather', 'tags': {'place': 'x'}, 'fields': {'temperature': float(i)},
             'time': now_ms // 1000 - i} for i in range(3)])
    with client.write_api() as api:
        api.write('b', record=['batch,place=y value=%di %d000000' % (i, now_ms - i)
                               for i in range(5)])
";

fn one(data: &Path, metric: &str, label: (&str, &str)) -> (Vec<i64>, Vec<f64>) {
    let found = stored(data, metric);
    let is_it = |labels: &barograph_model::Labels| labels.get(label.0) == Some(label.1);
    let series = found.iter().find(|series| is_it(&series.labels));
    let series = series.unwrap_or_else(|| panic!("no {metric} with {label:?} in {found:?}"));
    (series.times.clone(), series.values.clone())
}

#[test]
fn influxdbs_python_client_is_understood() {
    let Some(mut python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let now_ms = SystemClock::new().now_ms();
    let url = format!("http://{}", server.address);
    let output = python.args(["-c", INFLUX, &url, &now_ms.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    server.stop();
    let place = ("place", "Sankt Veit, am See");
    assert_eq!(one(&data, "weather_temperature", place), (vec![now_ms], vec![21.5]));
    assert_eq!(one(&data, "weather_wet", place).1, [1.0]);
    assert_eq!(one(&data, "weather_count", place).1, [7.0]);
    assert_eq!(one(&data, "weather_count", ("a_b", "c")).1, [7.0]);
    assert!(stored(&data, "weather_remark").is_empty());
    let second = now_ms / 1000 * 1000;
    let times = vec![second - 2000, second - 1000, second];
    assert_eq!(one(&data, "weather_temperature", ("place", "x")), (times, vec![2.0, 1.0, 0.0]));
    assert_eq!(one(&data, "batch", ("place", "y")).1, [4.0, 3.0, 2.0, 1.0, 0.0]);
}

/// Where Debian puts Nagios' plugins.
const PLUGINS: &str = "/usr/lib/nagios/plugins";

#[test]
fn nagios_plugins_are_run_and_what_they_measure_is_stored() {
    let checks: [(&str, &[&str], &str, &[&str]); 5] = [
        ("disk", &["check_disk", "-w", "1%", "-c", "1%", "-p", "/"], "ok", &["/"]),
        (
            "load",
            &["check_load", "-r", "-w", "9999", "-c", "99999"],
            "ok",
            &["load1", "load15", "load5", "scaled_load1", "scaled_load15", "scaled_load5"],
        ),
        ("procs", &["check_procs", "-w", "0:1", "-c", "0:999999"], "warning", &["procs"]),
        ("users", &["check_users", "-w", "999", "-c", "9999"], "ok", &["users"]),
        ("gone", &["check_tcp", "-H", "127.0.0.1", "-p", "1"], "critical", &[]),
    ];
    // A program for Windows does not start one of Linux, not even under Wine.
    if ON_WINDOWS {
        return;
    }
    if !checks.iter().all(|check| Path::new(PLUGINS).join(check.1[0]).is_file()) {
        assert!(std::env::var_os("BAROGRAPH_PEERS").is_none(), "no plugins in {PLUGINS}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = checks.iter().map(|(name, command, ..)| {
        let arguments: Vec<String> = command[1..].iter().map(|one| format!("'{one}'")).collect();
        format!(
            "[[check]]\nname = '{name}'\ninterval = '1s'\ncommand = ['{PLUGINS}/{}', {}]\n",
            command[0],
            arguments.join(", ")
        )
    });
    fs::write(folder.path().join("barograph.toml"), config.collect::<String>()).unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let answer = server.wait_for("all checks", |server| {
        let answer = server.json("/api/checks");
        let all = answer["checks"].as_array().unwrap();
        all.iter().all(|check| check["last_run"].is_string()).then_some(answer)
    });
    for (name, _, status, labels) in &checks {
        let all = answer["checks"].as_array().unwrap();
        let check = all.iter().find(|check| check["name"] == *name).unwrap();
        assert_eq!(check["status"], *status, "{check}");
        let values = check["values"].as_array().unwrap();
        let mut found: Vec<_> = values.iter().map(|one| one["label"].as_str().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, *labels, "{check}");
    }
    server.stop();
    let unit = |metric: &str, check: &str| {
        let series = stored(&data, metric);
        let series = series.iter().find(|one| one.labels.get("check") == Some(check)).unwrap();
        (series.labels.get("unit").unwrap_or_default().to_owned(), series.values[0])
    };
    let (used, size) = (unit("check_value", "disk"), unit("check_max", "disk"));
    assert_eq!((&*used.0, &*size.0), ("bytes", "bytes"));
    assert!(used.1 > 0.0 && used.1 <= size.1 && size.1 > 1e9, "{used:?} of {size:?}");
    assert!(unit("check_warning", "procs").1.total_cmp(&1.0).is_eq());
}

/// Scripts of the collection that others run beside `node_exporter`, and a metric of each.
const SCRIPTS: &str = "/usr/share/prometheus-node-exporter-collectors";

#[test]
fn pages_that_scripts_leave_in_files_are_stored() {
    if ON_WINDOWS {
        return;
    }
    if !Path::new(SCRIPTS).is_dir() {
        assert!(std::env::var_os("BAROGRAPH_PEERS").is_none(), "no scripts in {SCRIPTS}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("pages");
    let measured = folder.path().join("measured");
    fs::create_dir_all(&pages).unwrap();
    fs::create_dir_all(&measured).unwrap();
    fs::write(measured.join("file"), vec![b'x'; 100_000]).unwrap();
    let config = format!("[textfile]\nfolder = '{}'\ninterval = '1s'\n", pages.display());
    fs::write(folder.path().join("barograph.toml"), config).unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let measured = measured.display().to_string();
    let mut printed = BTreeMap::new();
    for (script, arguments) in
        [("directory-size.sh", &[measured.as_str()][..]), ("inotify-instances", &[])]
    {
        #[expect(clippy::disallowed_methods, reason = "tests start programs")]
        let output = Command::new(format!("{SCRIPTS}/{script}")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{script}: {}", text(&output.stderr));
        // As the scripts advise: a finished file is put in place.
        let (new, place) = (pages.join("new"), pages.join(format!("{script}.prom")));
        fs::write(&new, &output.stdout).unwrap();
        fs::rename(&new, &place).unwrap();
        printed.insert(script, text(&output.stdout));
    }
    let page = &printed["directory-size.sh"];
    let size: f64 = page.trim().rsplit(' ').next().unwrap().parse().unwrap();
    let query = "/api/v1/query?query=node_directory_size_bytes";
    server.wait_for("the size", |server| {
        let found = server.json(query)["data"]["result"].take();
        let value: f64 = found[0]["value"][1].as_str()?.parse().unwrap();
        assert_eq!((value, &found[0]["metric"]["directory"]), (size, &measured.as_str().into()));
        Some(())
    });
    let answer = server.wait_for("both files", |server| {
        let query = "/api/v1/query?query=textfile_error";
        let found = server.json(query)["data"]["result"].take();
        (found.as_array().unwrap().len() == printed.len()).then_some(found)
    });
    for file in answer.as_array().unwrap() {
        assert_eq!(file["value"][1], "0", "{file}");
    }
    server.stop();
}

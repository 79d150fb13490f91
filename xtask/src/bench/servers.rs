//! Three servers that hold the same samples.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::http;
use super::recording::Recording;
use super::watched::Watched;
use crate::process;

/// A server that answers Prometheus' interface; ended when dropped.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) address: String,
    pub(super) health: &'static str,
    running: Running,
}

#[derive(Debug)]
enum Running {
    Own(Watched),
    Peer(Child),
}

impl Server {
    pub(super) fn pid(&self) -> u32 {
        match &self.running {
            Running::Own(server) => server.pid(),
            Running::Peer(child) => child.id(),
        }
    }

    /// Ends it as a service manager does, and waits until it has.
    pub(super) fn stop(mut self) -> Result<()> {
        let pid = self.pid().to_string();
        process::read(process::command("kill").args(["-TERM", &pid]))?;
        if let Running::Peer(child) = &mut self.running {
            child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Running::Peer(child) = &mut self.running {
            // It may have ended already; then there is nothing left to end.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Fills and starts Barograph, Prometheus and VictoriaMetrics, files in `folder`.
pub(super) fn start(
    binary: &Path,
    folder: &Path,
    recording: &Recording,
    copies: usize,
) -> Result<[Server; 3]> {
    let text = folder.join("recording.txt");
    let samples = recording.write(&text, copies, true)?;
    println!("{samples} samples");
    let blocks = folder.join("prometheus");
    process::read(
        process::command("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
            .args([&text, &blocks]),
    )?;
    let own = folder.join("barograph");
    fs::create_dir_all(&own)?;
    process::read(
        process::command(binary)
            .args(["store", "import"])
            .arg(&text)
            .arg("--data")
            .arg(own.join("data")),
    )?;
    let barograph = barograph(binary, &own)?;
    let prometheus = prometheus(folder, &blocks)?;
    recording.write(&text, copies, false)?;
    let victoria = victoria_metrics(folder)?;
    import_text(&victoria, &text)?;
    fs::remove_file(&text)?;
    Ok([barograph, prometheus, victoria])
}

/// Reads this machine beside what it is sent.
pub(super) fn barograph(binary: &Path, folder: &Path) -> Result<Server> {
    let server = Watched::start(binary, folder)?;
    let address = server.address().to_owned();
    Ok(Server { name: "Barograph", address, health: "/-/healthy", running: Running::Own(server) })
}

/// With its data in `blocks`; takes remote write.
pub(super) fn prometheus(folder: &Path, blocks: &Path) -> Result<Server> {
    prometheus_with(folder, blocks, "scrape_configs: []\n")
}

/// The same with settings of one's own, which it reads anew when it is told to.
pub(super) fn prometheus_with(folder: &Path, blocks: &Path, text: &str) -> Result<Server> {
    let settings = folder.join("prometheus.yml");
    fs::write(&settings, text)?;
    let address = free_address()?;
    let mut command = process::command("prometheus");
    command
        .arg(format!("--config.file={}", settings.display()))
        .arg(format!("--storage.tsdb.path={}", blocks.display()))
        .arg("--storage.tsdb.retention.time=100y")
        .args(["--web.enable-remote-write-receiver", "--web.enable-lifecycle"])
        .arg(format!("--web.listen-address={address}"));
    peer("Prometheus", "/-/ready", address, &mut command)
}

/// With its data in the folder `victoria`.
pub(super) fn victoria_metrics(folder: &Path) -> Result<Server> {
    let address = free_address()?;
    let mut command = process::command("victoria-metrics");
    command
        .arg(format!("-storageDataPath={}", folder.join("victoria").display()))
        .arg(format!("-httpListenAddr={address}"))
        .args(["-retentionPeriod=100y", "-search.disableCache", "-search.latencyOffset=0s"])
        .arg("-search.maxUniqueTimeseries=1000000");
    peer("VictoriaMetrics", "/health", address, &mut command)
}

/// Fills VictoriaMetrics with Prometheus' text, and waits until it has merged it.
pub(super) fn import_text(server: &Server, text: &Path) -> Result<()> {
    const WRITTEN_WITHIN: Duration = Duration::from_secs(6);
    post(&server.address, "/api/v1/import/prometheus", text)?;
    http::get(&server.address, "/internal/force_flush")?;
    http::get(&server.address, "/internal/force_merge")?;
    // It writes what is in memory to disk every five seconds.
    let merged = || wait_until("VictoriaMetrics has merged", || is_merged(server));
    merged()?;
    thread::sleep(WRITTEN_WITHIN);
    merged()
}

/// How many samples VictoriaMetrics holds by its own account.
pub(super) fn samples_in(server: &Server) -> Result<f64> {
    let page = http::get(&server.address, "/metrics")?;
    let rows = page.lines().filter(|line| line.starts_with("vm_rows{type=\"storage/"));
    rows.filter_map(|line| line.rsplit(' ').next())
        .map(|count| count.parse::<f64>().with_context(|| format!("`{count}` is no count of rows")))
        .sum()
}

fn is_merged(server: &Server) -> Result<bool> {
    let page = http::get(&server.address, "/metrics")?;
    let merges = page.lines().filter(|line| line.starts_with("vm_active_merges{"));
    Ok(merges.filter_map(|line| line.rsplit(' ').next()).all(|count| count == "0"))
}

fn peer(
    name: &'static str,
    health: &'static str,
    address: String,
    command: &mut Command,
) -> Result<Server> {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let server = Server { name, address, health, running: Running::Peer(child) };
    wait_until(name, || Ok(http::get(&server.address, health).is_ok()))?;
    Ok(server)
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    const ATTEMPTS: u32 = 1200;
    for _ in 0..ATTEMPTS {
        if is_so()? {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(100));
    }
    bail!("{what}: not within two minutes")
}

/// A port that was free a moment ago.
fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn post(address: &str, path: &str, file: &Path) -> Result<()> {
    let mut body = File::open(file)?;
    let mut socket = TcpStream::connect(address)?;
    let length = body.metadata()?.len();
    write!(socket, "POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n")?;
    std::io::copy(&mut body, &mut socket)?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let status = answer.lines().next().unwrap_or_default();
    if !status.contains(" 20") {
        bail!("{address}{path} answered `{status}`");
    }
    Ok(())
}

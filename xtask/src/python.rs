//! Python's clients of metrics, its mail server, what judges messages of channels, and psutil, in a virtual environment of their own under the target folder.

use std::path::PathBuf;

use anyhow::Result;

use crate::{debian, place, process};

/// What the tests compare with: what pip calls it, with its version, and the module to import.
static CLIENTS: &[(&str, &str)] = &[
    ("adaptive-cards-py==0.4.3", "adaptive_cards"),
    ("aiosmtpd==1.4.6", "aiosmtpd.smtp"),
    ("datadog==0.56.0", "datadog"),
    ("influxdb-client==1.50.0", "influxdb_client"),
    ("opentelemetry-exporter-otlp-proto-grpc==1.45.2", "opentelemetry.exporter.otlp.proto.grpc"),
    ("opentelemetry-exporter-otlp-proto-http==1.45.2", "opentelemetry.exporter.otlp.proto.http"),
    ("prometheus-api-client==0.7.2", "prometheus_api_client"),
    ("prometheus_client==0.26.0", "prometheus_client"),
    ("psutil==7.2.2", "psutil"),
    ("pyarrow==26.0.1", "pyarrow"),
    ("schemathesis==4.32.5", "schemathesis"),
    ("slack_sdk==3.48.0", "slack_sdk"),
    ("standardwebhooks==1.1.0", "standardwebhooks"),
    ("statsd==4.0.1", "statsd"),
];

fn folder() -> PathBuf {
    place::target().join("python")
}

fn program() -> PathBuf {
    folder().join("bin/python")
}

/// Whether every client can be imported. Where we may not install, nobody has to have them.
pub(crate) fn present() -> bool {
    !debian::is_root() || is_here()
}

/// Also where nobody but the system's administrator could install it.
pub(crate) fn is_here() -> bool {
    let modules: Vec<_> = CLIENTS.iter().map(|(_, module)| *module).collect();
    let import = format!("import {}", modules.join(", "));
    program().is_file() && process::read(process::command(program()).args(["-c", &import])).is_ok()
}

pub(crate) fn install() -> Result<()> {
    if process::find("python3").is_none()
        || !process::succeeds(process::command("python3").args(["-c", "import ensurepip, venv"]))
    {
        debian::install(&["python3", "python3-venv"])?;
    }
    process::read(process::command("python3").args(["-m", "venv"]).arg(folder()))?;
    let names = CLIENTS.iter().map(|(name, _)| *name);
    process::read(
        process::command(program())
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(names),
    )?;
    Ok(())
}

//! The numbers that are shown, made from what the collectors hand over.

use std::collections::HashMap;

use barograph_model::{Batch, Labels};

/// One machine now. What it does not tell is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct View {
    /// Milliseconds since 1970-01-01 UTC; 0 before the first reading.
    pub(super) time_ms: i64,
    pub(super) uptime_seconds: Option<f64>,
    pub(super) cpu: Option<Shares>,
    /// By number.
    pub(super) cores: Vec<(u32, Shares)>,
    pub(super) memory: Memory,
    pub(super) load: Option<[f64; 3]>,
    /// Share of the time in which somebody waited for processor, memory, disk. Percent.
    pub(super) pressure: [Option<f64>; 3],
    pub(super) disks: Vec<Disk>,
    /// Used share of the system drive.
    pub(super) system_drive_percent: Option<f64>,
    pub(super) adapters: Vec<Adapter>,
    pub(super) processes: Option<f64>,
    pub(super) threads: Option<f64>,
}

/// Shares of a processor's time. Percent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Shares {
    pub(super) programs: f64,
    pub(super) kernel: f64,
    /// For a disk, or for the hypervisor.
    pub(super) waiting: f64,
}

/// Bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Memory {
    pub(super) total: Option<f64>,
    pub(super) available: Option<f64>,
    pub(super) free: Option<f64>,
    pub(super) swap_total: Option<f64>,
    pub(super) swap_free: Option<f64>,
}

/// Bytes per second, and the share of the time with work.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Disk {
    pub(super) name: String,
    pub(super) read: f64,
    pub(super) written: f64,
    pub(super) busy_percent: Option<f64>,
}

/// Bytes per second.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Adapter {
    pub(super) name: String,
    pub(super) received: f64,
    pub(super) sent: f64,
}

/// What the batch before said, for rates.
#[derive(Debug, Default)]
pub(super) struct Readings {
    before: Option<Taken>,
    /// Read more rarely than the rest.
    system_drive_percent: Option<f64>,
}

#[derive(Debug, Default)]
struct Taken {
    time_ms: i64,
    values: HashMap<Labels, f64>,
}

impl Readings {
    /// Takes a batch in; a view comes with the second one.
    pub(super) fn take(&mut self, batch: Batch) -> Option<View> {
        let now = Taken {
            time_ms: batch.time_ms,
            values: batch.samples.into_iter().map(|sample| (sample.labels, sample.value)).collect(),
        };
        if let Some(percent) = now.single("disk_percent") {
            self.system_drive_percent = Some(percent);
        }
        let before = self.before.replace(now)?;
        let now = self.before.as_ref()?;
        let seconds = (now.time_ms - before.time_ms) as f64 / 1000.0;
        if seconds <= 0.0 {
            return None;
        }
        let change = Change { before: &before, now, seconds };
        Some(View { system_drive_percent: self.system_drive_percent, ..change.view() })
    }
}

impl Taken {
    /// The value of a metric's only series, or of the one without labels.
    fn single(&self, name: &str) -> Option<f64> {
        let is_it = |labels: &Labels| labels.name() == name && labels.iter().all(is_common);
        self.values.iter().find(|(labels, _)| is_it(labels)).map(|(_, value)| *value)
    }
}

fn is_common((name, _): (&str, &str)) -> bool {
    matches!(name, "__name__" | "host")
}

struct Change<'a> {
    before: &'a Taken,
    now: &'a Taken,
    seconds: f64,
}

impl Change<'_> {
    fn view(&self) -> View {
        let single = |name| self.now.single(name);
        let cores = self.cores();
        let load = ["system_load1", "system_load5", "system_load15"].map(single);
        let pressure =
            ["cpu", "memory", "io"].map(|what| format!("pressure_{what}_some_seconds_total"));
        View {
            time_ms: self.now.time_ms,
            uptime_seconds: single("system_uptime_seconds"),
            cpu: mean(&cores),
            cores,
            memory: Memory {
                total: single("memory_total_bytes"),
                available: single("memory_available_bytes"),
                free: single("memory_free_bytes"),
                swap_total: single("memory_swap_total_bytes"),
                swap_free: single("memory_swap_free_bytes"),
            },
            load: match load {
                [Some(one), Some(five), Some(fifteen)] => Some([one, five, fifteen]),
                _ => None,
            },
            pressure: pressure.map(|name| {
                let rate = self.rates(&name).first().map(|(_, rate)| *rate);
                rate.map(|rate| (100.0 * rate).clamp(0.0, 100.0))
            }),
            disks: self.disks(),
            system_drive_percent: None,
            adapters: self.adapters(),
            processes: single("process_count"),
            threads: single("thread_count"),
        }
    }

    /// Increases per second; nothing for series that are new. A total that falls restarted.
    fn rates(&self, name: &str) -> Vec<(&Labels, f64)> {
        let series = self.now.values.iter().filter(|(labels, _)| labels.name() == name);
        let rate = |(labels, value): (_, &f64)| {
            let before = self.before.values.get(labels)?;
            let increase = if value >= before { value - before } else { *value };
            Some((labels, increase / self.seconds))
        };
        series.filter_map(rate).collect()
    }

    /// Rates by the value of a label.
    fn by(&self, name: &str, label: &str) -> HashMap<String, f64> {
        let rates = self.rates(name).into_iter();
        rates.filter_map(|(labels, rate)| Some((labels.get(label)?.to_owned(), rate))).collect()
    }

    fn cores(&self) -> Vec<(u32, Shares)> {
        let mut seconds: HashMap<u32, [f64; 4]> = HashMap::new();
        for (labels, rate) in self.rates("cpu_seconds_total") {
            let number = labels.get("cpu").and_then(|cpu| cpu.parse().ok());
            let (Some(number), Some(mode)) = (number, labels.get("mode")) else { continue };
            let place = match mode {
                "user" | "nice" => 0,
                "system" | "irq" | "softirq" => 1,
                "iowait" | "steal" => 2,
                _ => 3,
            };
            seconds.entry(number).or_default()[place] += rate;
        }
        let mut cores: Vec<_> = seconds
            .into_iter()
            .map(|(number, seconds)| {
                let all: f64 = seconds.iter().sum();
                let share = |part: f64| if all > 0.0 { 100.0 * part / all } else { 0.0 };
                let [programs, kernel, waiting, _] = seconds.map(share);
                (number, Shares { programs, kernel, waiting })
            })
            .collect();
        cores.sort_by_key(|(number, _)| *number);
        cores
    }

    fn disks(&self) -> Vec<Disk> {
        let (written, busy) = (
            self.by("disk_written_bytes_total", "disk"),
            self.by("disk_busy_seconds_total", "disk"),
        );
        let mut disks: Vec<Disk> = self
            .by("disk_read_bytes_total", "disk")
            .into_iter()
            .map(|(name, read)| Disk {
                written: written.get(&name).copied().unwrap_or(0.0),
                busy_percent: busy.get(&name).map(|share| (100.0 * share).clamp(0.0, 100.0)),
                name,
                read,
            })
            .collect();
        disks.sort_by(|a, b| {
            (b.read + b.written).total_cmp(&(a.read + a.written)).then(a.name.cmp(&b.name))
        });
        disks
    }

    fn adapters(&self) -> Vec<Adapter> {
        let sent = self.by("network_transmit_bytes_total", "adapter");
        let mut adapters: Vec<Adapter> = self
            .by("network_receive_bytes_total", "adapter")
            .into_iter()
            .map(|(name, received)| Adapter {
                sent: sent.get(&name).copied().unwrap_or(0.0),
                name,
                received,
            })
            .collect();
        adapters.sort_by(|a, b| {
            (b.received + b.sent).total_cmp(&(a.received + a.sent)).then(a.name.cmp(&b.name))
        });
        adapters
    }
}

fn mean(cores: &[(u32, Shares)]) -> Option<Shares> {
    let count = cores.len() as f64;
    let mean = |of: fn(&Shares) -> f64| cores.iter().map(|(_, core)| of(core)).sum::<f64>() / count;
    (!cores.is_empty()).then(|| Shares {
        programs: mean(|core| core.programs),
        kernel: mean(|core| core.kernel),
        waiting: mean(|core| core.waiting),
    })
}

#[cfg(test)]
mod tests {
    use barograph_model::Sample;

    use super::*;

    fn batch(time_ms: i64, samples: &[(&[(&str, &str)], f64)]) -> Batch {
        let samples = samples.iter().map(|(pairs, value)| Sample {
            labels: Labels::new(pairs.iter().copied().chain([("host", "h")])).unwrap(),
            value: *value,
        });
        Batch { time_ms, samples: samples.collect() }
    }

    fn cpu(mode: &'static str) -> [(&'static str, &'static str); 3] {
        [("__name__", "cpu_seconds_total"), ("cpu", "1"), ("mode", mode)]
    }

    #[test]
    fn shares_and_rates_come_with_the_second_batch() {
        let disk = |name| [("__name__", name), ("disk", "sda")];
        let (read, written) = (disk("disk_read_bytes_total"), disk("disk_written_bytes_total"));
        let drive = [("__name__", "disk_percent")];
        let mut readings = Readings::default();
        let first = batch(
            0,
            &[
                (&cpu("user"), 10.0),
                (&cpu("idle"), 50.0),
                (&cpu("iowait"), 1.0),
                (&read, 1000.0),
                (&written, 500.0),
                (&drive, 42.0),
            ],
        );
        assert_eq!(readings.take(first), None);
        let second = batch(
            2000,
            &[
                (&cpu("user"), 11.0),
                (&cpu("idle"), 50.5),
                (&cpu("iowait"), 1.5),
                (&read, 5000.0),
                // It restarted.
                (&written, 100.0),
            ],
        );
        let view = readings.take(second).unwrap();
        let shares = Shares { programs: 50.0, kernel: 0.0, waiting: 25.0 };
        assert_eq!(view.cores, [(1, shares)]);
        assert_eq!(view.cpu, Some(shares));
        assert_eq!((view.disks[0].read, view.disks[0].written), (2000.0, 50.0));
        // It is read more rarely, and the last value stays.
        assert_eq!(view.system_drive_percent, Some(42.0));
        assert_eq!((view.load, view.memory.total), (None, None));
    }

    #[test]
    fn a_clock_that_goes_back_shows_nothing_new() {
        let mut readings = Readings::default();
        assert_eq!(readings.take(batch(5000, &[])), None);
        assert_eq!(readings.take(batch(4000, &[])), None);
        assert!(readings.take(batch(5000, &[])).is_some());
    }
}

//! What many small monitors do: SQLite with a row for each sample, and two indexes.

use rusqlite::Connection;

use super::own::{cpu_seconds, folder_bytes};
use super::{Outcome, Work, tell};

/// It is slow, and each sample costs the same.
const MOST_SAMPLES: usize = 300_000;

pub(crate) fn rows(work: &Work) -> Outcome {
    let recording = work.load()?;
    std::fs::create_dir_all(&work.dir)?;
    let mut connection = Connection::open(work.dir.join("rows.db"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE sample (metric TEXT NOT NULL, labels TEXT NOT NULL, time INTEGER NOT NULL,
                              value REAL NOT NULL);
         CREATE INDEX by_metric ON sample (metric, time);
         CREATE INDEX by_time ON sample (time);",
    )?;
    let names: Vec<(String, String)> = recording
        .series
        .iter()
        .map(|(labels, _)| {
            let text = labels.to_string();
            let rest = text.get(labels.name().len()..).unwrap_or_default().to_owned();
            (labels.name().to_owned(), rest)
        })
        .collect();
    let before = cpu_seconds();
    let mut samples = 0;
    for (number, time_ms) in recording.times.iter().enumerate() {
        let transaction = connection.transaction()?;
        {
            let mut insert =
                transaction.prepare_cached("INSERT INTO sample VALUES (?1, ?2, ?3, ?4)")?;
            for (place, value) in recording.scrape(number) {
                let (metric, labels) = &names[place];
                insert.execute((metric, labels, time_ms, value))?;
                samples += 1;
            }
        }
        transaction.commit()?;
        if samples >= MOST_SAMPLES {
            break;
        }
    }
    tell("samples", samples as f64)?;
    tell("samples_per_cpu_second", samples as f64 / (cpu_seconds() - before))?;
    connection.pragma_update(None, "wal_checkpoint", "TRUNCATE")?;
    drop(connection);
    tell("bytes_per_sample", folder_bytes(&work.dir)? as f64 / samples as f64)?;
    Ok(())
}

//! What it costs to read a page of an exporter, per sample.
//!
//! `BAROGRAPH_BENCH_PAGE` may name a recorded page; without it one like `node_exporter`'s is made.
//! `cargo bench -p barograph-wire --bench text`

#![expect(clippy::expect_used, reason = "a bench that cannot go on stops")]

use std::fmt::Write as _;
use std::hint::black_box;

use barograph_wire::text::{Entry, Format, Limits, TextParser};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn page() -> Vec<u8> {
    if let Some(file) = std::env::var_os("BAROGRAPH_BENCH_PAGE") {
        return std::fs::read(file).expect("the page can be read");
    }
    let mut page = String::new();
    for metric in 0..100 {
        writeln!(page, "# HELP node_metric_{metric}_total What it counts.").expect("a string");
        writeln!(page, "# TYPE node_metric_{metric}_total counter").expect("a string");
        for cpu in 0..20 {
            let value = f64::from(metric * 7919 + cpu) / 8.0;
            writeln!(page, "node_metric_{metric}_total{{cpu=\"{cpu}\",mode=\"user\"}} {value}")
                .expect("a string");
        }
    }
    page.into_bytes()
}

fn read(page: &[u8]) -> (usize, f64) {
    let mut parser =
        TextParser::new(page, Format::Prometheus, Limits::default()).expect("it is UTF-8");
    let (mut count, mut sum) = (0, 0.0);
    while let Some(entry) = parser.next_entry().expect("the page is good") {
        if let Entry::Sample(sample) = entry {
            count += 1;
            sum += sample.value;
        }
    }
    (count, sum)
}

fn bench(criterion: &mut Criterion) {
    let page = page();
    let (samples, _) = read(&page);
    let mut group = criterion.benchmark_group("text");
    group.throughput(Throughput::Elements(samples as u64));
    group.bench_function("samples", |bencher| bencher.iter(|| read(black_box(&page))));
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);

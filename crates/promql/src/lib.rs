//! PromQL, as Prometheus 3 defines it for float samples, over anything that holds series.

//! Answers in Prometheus' form; large ones are written while they are sent.

use std::convert::Infallible;
use std::vec::IntoIter;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use barograph_promql::{Answer, Series, Stats, Value, VectorSample};
use futures_util::stream;

use super::points::Points;
use super::text::{push_json_string, push_labels, push_point, push_strings, push_time};

/// What is written before it is sent.
const CHUNK_BYTES: usize = 64 * 1024;

/// `data` is JSON.
pub(super) fn success(data: &str, warnings: &[String], infos: &[String]) -> Response {
    let mut body = String::with_capacity(data.len() + 64);
    body.push_str("{\"status\":\"success\",\"data\":");
    body.push_str(data);
    push_end(&mut body, warnings, infos);
    json(Body::from(body))
}

pub(super) fn json(body: Body) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// How many warnings, and how many infos, an answer has; Prometheus' own bound.
const MAX_NOTES: usize = 10;

fn push_end(out: &mut String, warnings: &[String], infos: &[String]) {
    for (what, texts) in [("warning", warnings), ("info", infos)] {
        if !texts.is_empty() {
            out.push_str(",\"");
            out.push_str(what);
            out.push_str("s\":");
            let omitted = texts.len().saturating_sub(MAX_NOTES);
            let more = (omitted > 0).then(|| format!("{omitted} more {what} annotations omitted"));
            let shown = texts.iter().take(MAX_NOTES).chain(&more);
            push_strings(out, shown.map(String::as_str));
        }
    }
    out.push('}');
}

/// The answer to a question that was evaluated at (or up to) a moment.
pub(super) fn answer(answer: Answer, at_ms: i64, with_stats: bool) -> Response {
    let mut writer = Writer {
        rest: Rest::None,
        points: Points::default(),
        end: end(&answer, with_stats),
        first: true,
        chunk: String::with_capacity(1024),
        done: false,
    };
    writer.begin(answer.value, at_ms);
    let first = writer.fill();
    if writer.done {
        return json(Body::from(first));
    }
    let chunks = std::iter::once(first).chain(writer).map(Ok::<String, Infallible>);
    json(Body::from_stream(stream::iter(chunks)))
}

fn end(answer: &Answer, with_stats: bool) -> String {
    let mut end = String::new();
    if with_stats {
        push_stats(&mut end, &answer.stats);
    }
    end.push('}');
    push_end(&mut end, &answer.warnings, &answer.infos);
    end
}

fn push_stats(out: &mut String, stats: &Stats) {
    let seconds = stats.elapsed.as_secs_f64();
    let stats = serde_json::json!({
        "timings": {
            "evalTotalTime": seconds,
            "resultSortTime": 0.0,
            "queryPreparationTime": 0.0,
            "innerEvalTime": seconds,
            "execQueueTime": 0.0,
            "execTotalTime": seconds,
        },
        // Samples are let go of series by series, so this is what there can be at most.
        "samples": { "totalQueryableSamples": stats.samples, "peakSamples": stats.samples },
    });
    out.push_str(",\"stats\":");
    out.push_str(&stats.to_string());
}

/// What has not been written yet.
enum Rest {
    None,
    Vector(IntoIter<VectorSample>, i64),
    Matrix(IntoIter<Series>),
}

/// Writes an answer piece by piece.
struct Writer {
    rest: Rest,
    points: Points,
    end: String,
    /// Nothing has been written of the list.
    first: bool,
    chunk: String,
    done: bool,
}

impl Writer {
    fn begin(&mut self, value: Value, at_ms: i64) {
        let kind = match &value {
            Value::Scalar(_) => "scalar",
            Value::String(_) => "string",
            Value::Vector(_) => "vector",
            Value::Matrix(_) => "matrix",
        };
        self.chunk.push_str("{\"status\":\"success\",\"data\":{\"resultType\":\"");
        self.chunk.push_str(kind);
        self.chunk.push_str("\",\"result\":");
        match value {
            Value::Scalar(value) => push_point(&mut self.chunk, at_ms, value),
            Value::String(text) => {
                self.chunk.push('[');
                push_time(&mut self.chunk, at_ms);
                self.chunk.push(',');
                push_json_string(&mut self.chunk, &text);
                self.chunk.push(']');
            }
            Value::Vector(samples) => {
                self.chunk.push('[');
                self.rest = Rest::Vector(samples.into_iter(), at_ms);
            }
            Value::Matrix(series) => {
                self.chunk.push('[');
                self.rest = Rest::Matrix(series.into_iter());
            }
        }
    }

    /// Writes until there is a chunk to send, or nothing left.
    fn fill(&mut self) -> String {
        while self.chunk.len() < CHUNK_BYTES && !self.done {
            self.write_one();
        }
        std::mem::take(&mut self.chunk)
    }

    fn write_one(&mut self) {
        let out = &mut self.chunk;
        let comma = if self.first { "" } else { "," };
        match &mut self.rest {
            Rest::Vector(samples, at_ms) => {
                if let Some(sample) = samples.next() {
                    out.push_str(comma);
                    out.push_str("{\"metric\":");
                    push_labels(out, &sample.labels);
                    out.push_str(",\"value\":");
                    push_point(out, *at_ms, sample.value);
                    out.push('}');
                    self.first = false;
                    return;
                }
                out.push(']');
            }
            Rest::Matrix(all) => {
                if let Some(Series { labels, samples }) = all.next() {
                    out.push_str(comma);
                    out.push_str("{\"metric\":");
                    push_labels(out, &labels);
                    out.push_str(",\"values\":[");
                    self.points.push(out, &samples, all.len() > 0);
                    out.push_str("]}");
                    self.first = false;
                    return;
                }
                out.push(']');
            }
            Rest::None => {}
        }
        out.push_str(&self.end);
        self.done = true;
    }
}

impl Iterator for Writer {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.done { None } else { Some(self.fill()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_ten_notes_of_a_kind_and_says_how_many_there_are_more() {
        let notes = |count: usize| (0..count).map(|one| one.to_string()).collect::<Vec<_>>();
        let end = |warnings, infos| {
            let mut out = String::from("{\"a\":1");
            push_end(&mut out, &notes(warnings), &notes(infos));
            serde_json::from_str::<serde_json::Value>(&out).unwrap()
        };
        let answer = end(10, 12);
        assert_eq!(answer["warnings"].as_array().unwrap().len(), 10);
        assert_eq!(answer["infos"].as_array().unwrap().len(), 11);
        assert_eq!(answer["infos"][10], "2 more info annotations omitted");
        assert_eq!(end(0, 0), serde_json::json!({"a": 1}));
    }
}

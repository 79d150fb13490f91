//! The messages in protobuf.

use super::message::{
    AnyValue, Buckets, ExponentialPoint, HistogramPoint, KeyValue, Metric, NumberPoint, Points,
    QuantileValue, Request, Resource, ResourceMetrics, ScopeMetrics, SummaryPoint,
};
use super::{MAX_NODES, RequestError};
use crate::protobuf::{Fields, Malformed, Value, take_varint};

type Read<T> = Result<T, RequestError>;

/// Reads a request.
pub(super) fn request(bytes: &[u8]) -> Read<Request> {
    let mut nodes = Nodes { left: MAX_NODES };
    let mut request = Request::default();
    for field in Fields::of(bytes) {
        if let (1, value) = field? {
            request.resource_metrics.push(nodes.resource_metrics(value.bytes()?)?);
        }
    }
    Ok(request)
}

fn text(value: Value<'_>) -> Read<String> {
    let text = std::str::from_utf8(value.bytes()?).map_err(|_| RequestError::NotUtf8)?;
    Ok(text.to_owned())
}

fn fixed(value: Value<'_>) -> Read<u64> {
    match value {
        Value::Fixed64(bits) => Ok(bits),
        _ => Err(Malformed::Field.into()),
    }
}

fn flags(value: Value<'_>) -> Read<u32> {
    // Only the lowest bit has a meaning.
    Ok(u32::from(value.varint()? & 1 == 1))
}

/// A number whose sign is in its lowest bit.
fn zigzag(value: Value<'_>) -> Read<i64> {
    let number = value.varint()?;
    Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
}

/// Counts what is read, so that a small body cannot become a large tree.
struct Nodes {
    left: usize,
}

impl Nodes {
    fn take(&mut self) -> Read<()> {
        self.left = self.left.checked_sub(1).ok_or(RequestError::TooLarge)?;
        Ok(())
    }

    fn resource_metrics(&mut self, bytes: &[u8]) -> Read<ResourceMetrics> {
        self.take()?;
        let mut message = ResourceMetrics::default();
        for field in Fields::of(bytes) {
            match field? {
                (1, value) => message.resource = self.resource(value.bytes()?)?,
                (2, value) => message.scope_metrics.push(self.scope_metrics(value.bytes()?)?),
                _ => {}
            }
        }
        Ok(message)
    }

    fn resource(&mut self, bytes: &[u8]) -> Read<Resource> {
        let mut message = Resource::default();
        for field in Fields::of(bytes) {
            if let (1, value) = field? {
                message.attributes.push(self.key_value(value.bytes()?)?);
            }
        }
        Ok(message)
    }

    fn scope_metrics(&mut self, bytes: &[u8]) -> Read<ScopeMetrics> {
        self.take()?;
        let mut message = ScopeMetrics::default();
        for field in Fields::of(bytes) {
            if let (2, value) = field? {
                message.metrics.push(self.metric(value.bytes()?)?);
            }
        }
        Ok(message)
    }

    fn metric(&mut self, bytes: &[u8]) -> Read<Metric> {
        self.take()?;
        let mut message = Metric::default();
        for field in Fields::of(bytes) {
            match field? {
                (1, value) => message.name = text(value)?,
                (2, value) => message.description = text(value)?,
                (3, value) => message.unit = text(value)?,
                (5, value) => message.gauge = Some(self.points(value, Self::number)?),
                (7, value) => message.sum = Some(self.points(value, Self::number)?),
                (9, value) => message.histogram = Some(self.points(value, Self::histogram)?),
                (10, value) => {
                    message.exponential_histogram = Some(self.points(value, Self::exponential)?);
                }
                (11, value) => message.summary = Some(self.points(value, Self::summary)?),
                _ => {}
            }
        }
        Ok(message)
    }

    fn points<P>(
        &mut self,
        value: Value<'_>,
        read: fn(&mut Self, &[u8]) -> Read<P>,
    ) -> Read<Points<P>> {
        let mut points = Points::default();
        for field in Fields::of(value.bytes()?) {
            match field? {
                (1, value) => {
                    self.take()?;
                    points.data_points.push(read(self, value.bytes()?)?);
                }
                (2, value) => points.aggregation_temporality = value.varint()?,
                (3, value) => points.is_monotonic = value.varint()? != 0,
                _ => {}
            }
        }
        Ok(points)
    }

    fn number(&mut self, bytes: &[u8]) -> Read<NumberPoint> {
        let mut point = NumberPoint::default();
        for field in Fields::of(bytes) {
            match field? {
                (3, value) => point.time_unix_nano = fixed(value)?,
                (4, value) => point.as_double = Some(value.double()?),
                (6, value) => point.as_int = Some(fixed(value)?.cast_signed()),
                (7, value) => point.attributes.push(self.key_value(value.bytes()?)?),
                (8, value) => point.flags = flags(value)?,
                _ => {}
            }
        }
        Ok(point)
    }

    fn histogram(&mut self, bytes: &[u8]) -> Read<HistogramPoint> {
        let mut point = HistogramPoint::default();
        for field in Fields::of(bytes) {
            match field? {
                (3, value) => point.time_unix_nano = fixed(value)?,
                (4, value) => point.count = fixed(value)?,
                (5, value) => point.sum = Some(value.double()?),
                (6, value) => self.fixed_list(value, |bits| point.bucket_counts.push(bits))?,
                (7, value) => self.fixed_list(value, |bits| {
                    point.explicit_bounds.push(f64::from_bits(bits));
                })?,
                (9, value) => point.attributes.push(self.key_value(value.bytes()?)?),
                (10, value) => point.flags = flags(value)?,
                _ => {}
            }
        }
        Ok(point)
    }

    fn exponential(&mut self, bytes: &[u8]) -> Read<ExponentialPoint> {
        let mut point = ExponentialPoint::default();
        for field in Fields::of(bytes) {
            match field? {
                (1, value) => point.attributes.push(self.key_value(value.bytes()?)?),
                (3, value) => point.time_unix_nano = fixed(value)?,
                (4, value) => point.count = fixed(value)?,
                (5, value) => point.sum = Some(value.double()?),
                (6, value) => point.scale = zigzag(value)?,
                (7, value) => point.zero_count = fixed(value)?,
                (8, value) => point.positive = self.buckets(value.bytes()?)?,
                (9, value) => point.negative = self.buckets(value.bytes()?)?,
                (10, value) => point.flags = flags(value)?,
                _ => {}
            }
        }
        Ok(point)
    }

    fn buckets(&mut self, bytes: &[u8]) -> Read<Buckets> {
        let mut buckets = Buckets::default();
        for field in Fields::of(bytes) {
            match field? {
                (1, value) => buckets.offset = zigzag(value)?,
                (2, Value::Varint(count)) => {
                    self.take()?;
                    buckets.bucket_counts.push(count);
                }
                (2, value) => {
                    let mut packed = value.bytes()?;
                    while !packed.is_empty() {
                        self.take()?;
                        buckets.bucket_counts.push(take_varint(&mut packed)?);
                    }
                }
                _ => {}
            }
        }
        Ok(buckets)
    }

    fn summary(&mut self, bytes: &[u8]) -> Read<SummaryPoint> {
        let mut point = SummaryPoint::default();
        for field in Fields::of(bytes) {
            match field? {
                (3, value) => point.time_unix_nano = fixed(value)?,
                (4, value) => point.count = fixed(value)?,
                (5, value) => point.sum = Some(value.double()?),
                (6, value) => point.quantile_values.push(self.quantile(value.bytes()?)?),
                (7, value) => point.attributes.push(self.key_value(value.bytes()?)?),
                (8, value) => point.flags = flags(value)?,
                _ => {}
            }
        }
        Ok(point)
    }

    fn quantile(&mut self, bytes: &[u8]) -> Read<QuantileValue> {
        self.take()?;
        let mut quantile = QuantileValue { quantile: Some(0.0), value: Some(0.0) };
        for field in Fields::of(bytes) {
            match field? {
                (1, value) => quantile.quantile = Some(value.double()?),
                (2, value) => quantile.value = Some(value.double()?),
                _ => {}
            }
        }
        Ok(quantile)
    }

    /// Numbers of eight bytes, packed as everybody writes them, or one by one.
    fn fixed_list(&mut self, value: Value<'_>, mut push: impl FnMut(u64)) -> Read<()> {
        if let Value::Fixed64(bits) = value {
            self.take()?;
            push(bits);
            return Ok(());
        }
        let (numbers, rest) = value.bytes()?.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(Malformed::Length.into());
        }
        for bytes in numbers {
            self.take()?;
            push(u64::from_le_bytes(*bytes));
        }
        Ok(())
    }

    fn key_value(&mut self, bytes: &[u8]) -> Read<KeyValue> {
        self.take()?;
        let mut pair = KeyValue::default();
        for field in Fields::of(bytes) {
            match field? {
                (1, value) => pair.key = text(value)?,
                (2, value) => pair.value = any_value(value.bytes()?)?,
                _ => {}
            }
        }
        Ok(pair)
    }
}

fn any_value(bytes: &[u8]) -> Read<AnyValue> {
    let mut any = AnyValue::default();
    for field in Fields::of(bytes) {
        match field? {
            (1, value) => any.string_value = Some(text(value)?),
            (2, value) => any.bool_value = Some(value.varint()? != 0),
            (3, value) => any.int_value = Some(value.int()?),
            (4, value) => any.double_value = Some(value.double()?),
            (5..=7, _) => any.is_list = true,
            _ => {}
        }
    }
    Ok(any)
}

//! The table as a Parquet file: Zstandard, texts in dictionaries.

use std::io::{self, Write};
use std::sync::Arc;

use anyhow::Context as _;
use parquet::basic::{
    Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel,
};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type};

use super::Wanted;
use super::table::LabelColumns;

const TIMESTAMP: &str = "timestamp";
/// Rows in one group, which is in memory as a whole.
const GROUP_ROWS: usize = 1 << 20;

pub(super) fn write(wanted: &mut Wanted<'_>, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let columns = LabelColumns::of(wanted)?;
    let compression = Compression::ZSTD(ZstdLevel::try_new(3)?);
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_column_dictionary_enabled(ColumnPath::from(TIMESTAMP), false)
        .set_column_encoding(ColumnPath::from(TIMESTAMP), Encoding::DELTA_BINARY_PACKED)
        .set_created_by(format!("barograph {}", env!("CARGO_PKG_VERSION")))
        .build();
    let schema = Arc::new(schema(&columns)?);
    let mut file = SerializedFileWriter::new(Sink(out), schema, Arc::new(properties))?;
    let mut rows = Rows::new(columns.labels.len());
    wanted.each(&mut |piece| {
        let name = ByteArray::from(piece.labels.name());
        let labels: Vec<Option<ByteArray>> = columns
            .labels
            .iter()
            .map(|label| piece.labels.get(label).map(ByteArray::from))
            .collect();
        let chunks = piece.times.chunks(GROUP_ROWS).zip(piece.values.chunks(GROUP_ROWS));
        for (times, values) in chunks {
            rows.push(times, values, &name, &labels);
            if rows.times.len() >= GROUP_ROWS {
                rows.flush(&mut file)?;
            }
        }
        Ok(())
    })?;
    rows.flush(&mut file)?;
    file.close().context("cannot end the Parquet file")?;
    Ok(())
}

/// Parquet's writer wants to own what it writes to.
struct Sink<'a>(&'a mut (dyn Write + Send));

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn schema(columns: &LabelColumns) -> anyhow::Result<Type> {
    let required = |name: &str, physical, logical| {
        Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(logical)
            .build()
            .map(Arc::new)
    };
    let timestamp = LogicalType::timestamp(true, TimeUnit::MILLIS);
    let mut fields = vec![
        required(TIMESTAMP, Physical::INT64, Some(timestamp))?,
        required("metric", Physical::BYTE_ARRAY, Some(LogicalType::String))?,
    ];
    for title in &columns.titles {
        let field = Type::primitive_type_builder(title, Physical::BYTE_ARRAY)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(Some(LogicalType::String))
            .build()?;
        fields.push(Arc::new(field));
    }
    fields.push(required("value", Physical::DOUBLE, None)?);
    Ok(Type::group_type_builder("samples").with_fields(fields).build()?)
}

/// The rows of one group, column by column.
struct Rows {
    times: Vec<i64>,
    names: Vec<ByteArray>,
    /// Values that are there, and for each row whether one is.
    labels: Vec<(Vec<ByteArray>, Vec<i16>)>,
    values: Vec<f64>,
}

impl Rows {
    fn new(labels: usize) -> Self {
        let labels = (0..labels).map(|_| (Vec::new(), Vec::new())).collect();
        Self { times: Vec::new(), names: Vec::new(), labels, values: Vec::new() }
    }

    fn push(
        &mut self,
        times: &[i64],
        values: &[f64],
        name: &ByteArray,
        labels: &[Option<ByteArray>],
    ) {
        let count = times.len();
        self.times.extend_from_slice(times);
        self.values.extend_from_slice(values);
        self.names.extend(std::iter::repeat_n(name.clone(), count));
        for ((present, levels), label) in self.labels.iter_mut().zip(labels) {
            levels.extend(std::iter::repeat_n(i16::from(label.is_some()), count));
            present.extend(label.iter().flat_map(|one| std::iter::repeat_n(one.clone(), count)));
        }
    }

    fn flush(&mut self, file: &mut SerializedFileWriter<Sink<'_>>) -> anyhow::Result<()> {
        if self.times.is_empty() {
            return Ok(());
        }
        let mut group = file.next_row_group()?;
        put::<Int64Type>(&mut group, &self.times, None)?;
        put::<ByteArrayType>(&mut group, &self.names, None)?;
        for (present, levels) in &self.labels {
            put::<ByteArrayType>(&mut group, present, Some(levels))?;
        }
        put::<DoubleType>(&mut group, &self.values, None)?;
        group.close()?;
        *self = Self::new(self.labels.len());
        Ok(())
    }
}

fn put<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Sink<'_>>,
    values: &[T::T],
    levels: Option<&Vec<i16>>,
) -> anyhow::Result<()> {
    let mut column = group.next_column()?.context("the schema has fewer columns")?;
    column.typed::<T>().write_batch(values, levels.map(Vec::as_slice), None)?;
    column.close()?;
    Ok(())
}

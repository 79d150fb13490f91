//! A chart as a picture: what mail programs show. Lines and digits are drawn here, since nothing
//! more is needed.

use jiff::tz::TimeZone;

use crate::notification::Chart;
use crate::text;

const WIDTH: usize = 640;
const HEIGHT: usize = 200;
const LEFT: usize = 64;
const RIGHT: usize = 12;
const TOP: usize = 10;
const BOTTOM: usize = 24;
/// Each pixel is the mean of so many by so many: smooth lines.
const FINE: usize = 3;
/// More points than the picture has columns show nothing more.
const MAX_POINTS: usize = 20_000;

type Colour = [u8; 3];
const PAPER: Colour = [255, 255, 255];
const GRID: Colour = [226, 228, 232];
const INK: Colour = [92, 98, 108];
const LINE: Colour = [25, 103, 178];
const THRESHOLD: Colour = [179, 38, 30];

/// The picture as PNG; none if there is nothing to draw.
pub(crate) fn png(chart: &Chart, zone: &TimeZone) -> Option<Vec<u8>> {
    let points: Vec<(i64, f64)> =
        chart.points.iter().copied().filter(|(_, value)| value.is_finite()).collect();
    let (first, last) = (points.first()?.0, points.last()?.0);
    if points.len() > MAX_POINTS
        || points.windows(2).any(|pair| matches!(pair, [a, b] if a.0 > b.0))
    {
        return None;
    }
    let threshold = chart.threshold.filter(|it| it.is_finite());
    let values = points.iter().map(|(_, value)| *value).chain(threshold);
    let (low, high) =
        values.fold((f64::MAX, f64::MIN), |(low, high), it| (low.min(it), high.max(it)));
    let steps = steps(low, high);
    let (low, high) = (*steps.first()?, *steps.last()?);
    let mut canvas = Canvas::new();
    let frame = Frame { first, last: last.max(first.saturating_add(1)), low, high };
    for step in &steps {
        canvas.level(frame.y(*step), GRID, 1, None);
        let label = text::value(*step, unit_of_axis(&chart.unit));
        canvas.text_before(LEFT - 6, frame.y(*step) / FINE, &label);
    }
    for i in 0..=4i64 {
        let at = frame.first.saturating_add(frame.last.saturating_sub(frame.first) / 4 * i);
        let whole = text::time(at, zone);
        // Of `26 Nov 03:12 CET` the third word.
        let label = whole.split(' ').nth(2).unwrap_or_default();
        canvas.text_around(frame.x(at) / FINE, HEIGHT - BOTTOM + 8, label);
    }
    if let Some(threshold) = threshold {
        canvas.level(frame.y(threshold), THRESHOLD, FINE, Some(6 * FINE));
    }
    for pair in points.windows(2) {
        let [(t0, v0), (t1, v1)] = pair else { continue };
        let is_gap = chart.step_ms > 0 && t1.saturating_sub(*t0) > chart.step_ms.saturating_mul(2);
        if !is_gap {
            canvas.line((frame.x(*t0), frame.y(*v0)), (frame.x(*t1), frame.y(*v1)));
        }
    }
    for (at, value) in &points {
        canvas.dot(frame.x(*at), frame.y(*value), FINE / 2 + 1, LINE);
    }
    encode(&canvas.mean())
}

/// Percent signs and bytes are understood on an axis; other units stand in the heading.
fn unit_of_axis(unit: &str) -> &str {
    match unit {
        "%" | "bytes" | "B" | "B/s" | "bytes/s" => unit,
        _ => "",
    }
}

/// Round values from below the lowest to above the highest.
fn steps(low: f64, high: f64) -> Vec<f64> {
    let span =
        if high - low > 1e-12 * high.abs().max(1e-300) { high - low } else { high.abs().max(1.0) };
    let rough = span / 4.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|it| it * power).find(|it| *it >= rough);
    let step = step.unwrap_or(10.0 * power);
    let from = (low / step).floor();
    let at = |i: u32| (from + f64::from(i)) * step;
    // At most seven: four steps, and one more at each end.
    let steps = (0..8).map(at).take_while(|it| *it < high + step * 0.999).collect::<Vec<f64>>();
    // A flat line on a step has another above it.
    if steps.len() < 2 { vec![at(0), at(1)] } else { steps }
}

/// Where times and values are on the fine canvas.
struct Frame {
    first: i64,
    last: i64,
    low: f64,
    high: f64,
}

impl Frame {
    fn x(&self, at: i64) -> usize {
        let since = |at: i64| at.saturating_sub(self.first) as f64;
        let part = since(at) / since(self.last);
        place(part, LEFT, WIDTH - RIGHT)
    }

    fn y(&self, value: f64) -> usize {
        let part = (self.high - value) / (self.high - self.low).max(f64::MIN_POSITIVE);
        place(part, TOP, HEIGHT - BOTTOM)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the part is clamped to the picture"
)]
fn place(part: f64, from: usize, to: usize) -> usize {
    let fine = (to - from) * FINE;
    from * FINE + (part.clamp(0.0, 1.0) * fine as f64).round() as usize
}

struct Canvas {
    fine: Vec<Colour>,
}

impl Canvas {
    fn new() -> Self {
        Self { fine: vec![PAPER; WIDTH * FINE * HEIGHT * FINE] }
    }

    fn set(&mut self, x: usize, y: usize, colour: Colour) {
        if x < WIDTH * FINE
            && let Some(pixel) = self.fine.get_mut(y * WIDTH * FINE + x)
        {
            *pixel = colour;
        }
    }

    fn dot(&mut self, x: usize, y: usize, radius: usize, colour: Colour) {
        for dy in 0..=2 * radius {
            for dx in 0..=2 * radius {
                let (a, b) = (dx.abs_diff(radius), dy.abs_diff(radius));
                if a * a + b * b <= radius * radius {
                    self.set(
                        (x + dx).saturating_sub(radius),
                        (y + dy).saturating_sub(radius),
                        colour,
                    );
                }
            }
        }
    }

    /// A line across, whole or dashed.
    fn level(&mut self, y: usize, colour: Colour, thickness: usize, dash: Option<usize>) {
        // On whole pixels, or it would be a grey smear.
        let y = y / FINE * FINE;
        for x in LEFT * FINE..(WIDTH - RIGHT) * FINE {
            if dash.is_none_or(|length| x / length % 2 == 0) {
                for dy in 0..thickness.max(FINE) {
                    self.set(x, y + dy, colour);
                }
            }
        }
    }

    fn line(&mut self, from: (usize, usize), to: (usize, usize)) {
        let length = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
        let between = |a: usize, b: usize, i: usize| (a * (length - i) + b * i) / length;
        for i in 0..=length {
            self.dot(between(from.0, to.0, i), between(from.1, to.1, i), FINE, LINE);
        }
    }

    /// Writes, ending at `x`.
    fn text_before(&mut self, x: usize, y: usize, text: &str) {
        let width = text.chars().count() * glyph::ADVANCE;
        self.text(x.saturating_sub(width), y.saturating_sub(glyph::HEIGHT / 2), text);
    }

    /// Writes, with `x` in the middle, and within the picture.
    fn text_around(&mut self, x: usize, y: usize, text: &str) {
        let width = text.chars().count() * glyph::ADVANCE;
        let from = x.saturating_sub(width / 2).min(WIDTH.saturating_sub(width));
        self.text(from, y, text);
    }

    fn text(&mut self, x: usize, y: usize, text: &str) {
        for (i, c) in text.chars().enumerate() {
            for (row, bits) in glyph::of(c).iter().enumerate() {
                for column in 0..glyph::WIDTH {
                    if bits >> (glyph::WIDTH - 1 - column) & 1 == 1 {
                        self.pixel(x + i * glyph::ADVANCE + column, y + row);
                    }
                }
            }
        }
    }

    fn pixel(&mut self, x: usize, y: usize) {
        for dy in 0..FINE {
            for dx in 0..FINE {
                self.set(x * FINE + dx, y * FINE + dy, INK);
            }
        }
    }

    /// The picture in its own size.
    fn mean(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(WIDTH * HEIGHT * 3);
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                for channel in 0..3 {
                    let sum: usize = (0..FINE * FINE)
                        .filter_map(|i| {
                            let (fx, fy) = (x * FINE + i % FINE, y * FINE + i / FINE);
                            let pixel = self.fine.get(fy * WIDTH * FINE + fx)?;
                            pixel.get(channel).map(|it| usize::from(*it))
                        })
                        .sum();
                    bytes.push(u8::try_from(sum / (FINE * FINE)).unwrap_or(u8::MAX));
                }
            }
        }
        bytes
    }
}

fn encode(rgb: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (width, height) = (u32::try_from(WIDTH).ok()?, u32::try_from(HEIGHT).ok()?);
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(rgb).ok()?;
    writer.finish().ok()?;
    Some(bytes)
}

/// The characters that stand on axes, five by seven.
mod glyph {
    pub(super) const WIDTH: usize = 5;
    pub(super) const HEIGHT: usize = 7;
    pub(super) const ADVANCE: usize = 6;

    pub(super) fn of(c: char) -> [u8; 7] {
        match c {
            '0' => [0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e],
            '1' => [0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e],
            '2' => [0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f],
            '3' => [0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e],
            '4' => [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02],
            '5' => [0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e],
            '6' => [0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e],
            '7' => [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08],
            '8' => [0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e],
            '9' => [0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c],
            '.' => [0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c],
            ':' => [0x00, 0x0c, 0x0c, 0x00, 0x0c, 0x0c, 0x00],
            '-' => [0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00],
            '%' => [0x18, 0x19, 0x02, 0x04, 0x08, 0x13, 0x03],
            '/' => [0x00, 0x01, 0x02, 0x04, 0x08, 0x10, 0x00],
            'B' => [0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e],
            'G' => [0x0e, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0f],
            'K' => [0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11],
            'M' => [0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11],
            'P' => [0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10],
            'T' => [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04],
            'i' => [0x04, 0x00, 0x0c, 0x04, 0x04, 0x04, 0x0e],
            's' => [0x00, 0x00, 0x0e, 0x10, 0x0e, 0x01, 0x1e],
            _ => [0; 7],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(png: &[u8]) -> Vec<u8> {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!((info.width as usize, info.height as usize), (WIDTH, HEIGHT));
        bytes
    }

    fn count(bytes: &[u8], colour: Colour) -> usize {
        bytes.chunks(3).filter(|it| *it == colour).count()
    }

    #[test]
    fn a_chart_has_a_line_and_its_threshold() {
        let mut chart = crate::sample::notification(7_200_000).evidence.charts[0].clone();
        let with = decoded(&png(&chart, &TimeZone::UTC).unwrap());
        assert!(count(&with, LINE) > 500, "{}", count(&with, LINE));
        assert!(count(&with, THRESHOLD) > 200, "{}", count(&with, THRESHOLD));
        assert!(count(&with, INK) > 200);
        chart.threshold = None;
        let without = decoded(&png(&chart, &TimeZone::UTC).unwrap());
        assert_eq!(count(&without, THRESHOLD), 0);
    }

    #[test]
    fn a_gap_is_not_drawn_over() {
        let points: Vec<_> = (0..60i64).map(|i| (i * 60_000, 1.0)).collect();
        let whole = Chart { points: points.clone(), step_ms: 60_000, ..Chart::default() };
        let some = points.iter().copied().filter(|(at, _)| !(600_000..3_000_000).contains(at));
        let gap = Chart { points: some.collect(), ..whole.clone() };
        let drawn = |chart| count(&decoded(&png(chart, &TimeZone::UTC).unwrap()), LINE);
        assert!(drawn(&gap) * 2 < drawn(&whole), "{} of {}", drawn(&gap), drawn(&whole));
    }

    #[test]
    fn odd_charts_are_drawn_or_left_out() {
        let chart = |points: &[(i64, f64)], threshold| Chart {
            points: points.to_vec(),
            threshold,
            ..Chart::default()
        };
        assert_eq!(png(&chart(&[], None), &TimeZone::UTC), None);
        assert_eq!(png(&chart(&[(0, f64::NAN)], Some(1.0)), &TimeZone::UTC), None);
        assert_eq!(png(&chart(&[(1, 1.0), (0, 1.0)], None), &TimeZone::UTC), None);
        for odd in [
            chart(&[(0, 0.0)], None),
            chart(&[(0, 5.0), (1, 5.0)], Some(5.0)),
            chart(&[(0, -1e300), (i64::MAX / 4, 1e300)], Some(f64::INFINITY)),
            chart(&[(0, 1e-300), (1, 2e-300)], None),
            chart(&[(0, 1e15), (1, 1e15 + 1.0)], None),
        ] {
            assert!(png(&odd, &TimeZone::UTC).is_some(), "{odd:?}");
        }
    }

    #[test]
    fn steps_are_round() {
        assert_eq!(steps(88.0, 94.2), [88.0, 90.0, 92.0, 94.0, 96.0]);
        assert_eq!(steps(0.0, 1.0), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(steps(5.0, 5.0), [4.0, 6.0]);
    }
}

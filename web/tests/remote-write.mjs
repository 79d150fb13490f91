// Samples for tests, sent by Prometheus' remote write: the protocol written out, so that what is tested is the real way in.

/** A number as protobuf writes it: seven bits a byte, the lowest first. */
function varint(value) {
  const bytes = []
  for (let rest = BigInt(value); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)])
    bytes.push(Number(rest & 127n) | 128)
  }
}

const field = (number, bytes) => Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes])
const label = ([name, value]) => field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(value))]))

function sample([ms, value]) {
  const double = Buffer.alloc(9)
  double[0] = (1 << 3) | 1
  double.writeDoubleLE(value, 1)
  return field(2, Buffer.concat([double, varint(2 << 3), varint(ms)]))
}

/** Snappy's block format without any compression: literals only. */
function snappy(data) {
  const parts = [varint(data.length)]
  const most = 65_536
  for (let at = 0; at < data.length; at += most) {
    const part = data.subarray(at, at + most)
    parts.push(Buffer.from([61 << 2, (part.length - 1) & 255, (part.length - 1) >> 8]), part)
  }
  return Buffer.concat(parts)
}

/** Sends series, each `{labels: {__name__, …}, samples: [[ms, value], …]}`. */
export async function remoteWrite(url, series) {
  const body = series.map(({ labels, samples }) => field(1, Buffer.concat([...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)).map(label), ...samples.map(sample)])))
  const answer = await fetch(`${url}/api/v1/write`, {
    method: 'POST', body: snappy(Buffer.concat(body)),
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' },
  })
  if (!answer.ok) throw new Error(`remote write: ${answer.status} ${await answer.text()}`)
}

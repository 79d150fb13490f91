/**
 * A fixed window of numbers addressed by absolute bucket number (time divided by step). Moving forward drops the oldest;
 * a bucket that nothing was written to reads as NaN, which stands for "missing" everywhere in the page.
 */
export class Ring {
  readonly #slots: Float64Array
  #newest = -1

  constructor(readonly capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) throw new RangeError(`ring capacity must be a whole number above 0, not ${capacity}`)
    this.#slots = new Float64Array(capacity).fill(Number.NaN)
  }

  /** The newest bucket that was reached, -1 when none was. */
  get newest(): number {
    return this.#newest
  }

  get(bucket: number): number {
    if (bucket > this.#newest || bucket <= this.#newest - this.capacity) return Number.NaN
    return this.#slots[modulo(bucket, this.capacity)] as number
  }

  /** Buckets older than the window are ignored. */
  set(bucket: number, value: number): void {
    if (this.#newest < 0) this.#newest = bucket
    else if (bucket > this.#newest) this.#advance(bucket)
    else if (bucket <= this.#newest - this.capacity) return
    this.#slots[modulo(bucket, this.capacity)] = value
  }

  #advance(bucket: number): void {
    const skipped = Math.min(bucket - this.#newest - 1, this.capacity)
    for (let i = 0; i < skipped; i++) this.#slots[modulo(bucket - 1 - i, this.capacity)] = Number.NaN
    this.#newest = bucket
  }
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor
}

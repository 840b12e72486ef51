/** What a band around the mean of a group says. */
export type BandKind = 'range' | 'interval';

/** Values along an axis; `low` and `high` where each value stands for several. */
export interface ICurve {
  x: Float64Array;
  y: Float64Array;
  low?: Float64Array;
  high?: Float64Array;
}

/** The mean of curves with its band, at even places of the x axis. */
export interface IBand {
  x: Float64Array;
  mean: Float64Array;
  low: Float64Array;
  high: Float64Array;
  /** How many curves there are at each place. */
  counts: Int32Array;
}

/**
 * The mean of several curves at `places` even places: between two points a curve is the straight
 * line, before its first and after its last it has no say.
 *
 * The band is from the least to the greatest of all, or the 95 % confidence interval of the mean
 * (Student's t), which a single curve does not have.
 */
export function band(
  curves: readonly ICurve[],
  kind: BandKind,
  places: number
): IBand {
  const x = evenly(curves, places);
  const resampled = curves.map(curve => ({
    y: along(curve.x, curve.y, x),
    low: curve.low && along(curve.x, curve.low, x),
    high: curve.high && along(curve.x, curve.high, x)
  }));
  const made: IBand = {
    x,
    mean: new Float64Array(x.length),
    low: new Float64Array(x.length),
    high: new Float64Array(x.length),
    counts: new Int32Array(x.length)
  };
  for (let at = 0; at < x.length; at++) {
    const there = resampled.filter(({ y }) => Number.isFinite(y[at]));
    const values = there.map(({ y }) => y[at]);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    made.counts[at] = values.length;
    made.mean[at] = mean;
    if (kind === 'range') {
      made.low[at] = least(there.map(each => (each.low ?? each.y)[at]));
      made.high[at] = greatest(there.map(each => (each.high ?? each.y)[at]));
    } else {
      const half = halfWidth(values, mean);
      made.low[at] = mean - half;
      made.high[at] = mean + half;
    }
  }
  return made;
}

function evenly(curves: readonly ICurve[], places: number): Float64Array {
  const ends = curves.filter(({ x }) => x.length > 0);
  const first = least(ends.map(({ x }) => x[0]));
  const last = greatest(ends.map(({ x }) => x[x.length - 1]));
  const longest = greatest(ends.map(({ x }) => x.length));
  if (!(first <= last)) {
    return new Float64Array(0);
  }
  const count = first === last ? 1 : Math.max(2, Math.min(places, longest));
  return Float64Array.from(
    { length: count },
    (_, at) => first + ((last - first) * at) / Math.max(1, count - 1)
  );
}

/** A curve's values at other places; NaN outside of it. */
export function along(
  x: Float64Array,
  y: Float64Array,
  places: Float64Array
): Float64Array {
  let at = 0;
  return places.map(place => {
    while (at < x.length - 2 && x[at + 1] < place) {
      at++;
    }
    if (!x.length || place < x[0] || place > x[x.length - 1]) {
      return NaN;
    }
    const width = x[at + 1] - x[at];
    const share = width > 0 ? (place - x[at]) / width : 0;
    return share <= 0
      ? y[at]
      : share >= 1
        ? y[at + 1]
        : y[at] + share * (y[at + 1] - y[at]);
  });
}

/** Half of the 95 % confidence interval of a mean; 0 of a single value. */
export function halfWidth(values: readonly number[], mean: number): number {
  const count = values.length;
  if (count < 2) {
    return 0;
  }
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return quantile975(count - 1) * Math.sqrt(squares / (count - 1) / count);
}

/** 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom. */
const T975 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201,
  2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074,
  2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042
];

/** Beyond the table an expansion that is exact to a thousandth. */
function quantile975(freedom: number): number {
  return (
    T975[freedom - 1] ?? 1.959964 + 2.372271 / freedom + 2.822507 / freedom ** 2
  );
}

function least(values: readonly number[]): number {
  return values.reduce((low, value) => (value < low ? value : low), Infinity);
}

function greatest(values: readonly number[]): number {
  return values.reduce(
    (high, value) => (value > high ? value : high),
    -Infinity
  );
}

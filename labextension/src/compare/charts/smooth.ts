/** How lines are smoothed. */
export type Smoothing = 'ema' | 'gaussian';

/** A moving average of the values at ascending places; `strength` is 0 to 1, NaNs stay. */
export function smoothed(
  kind: Smoothing,
  x: Float64Array,
  y: Float64Array,
  strength: number
): Float64Array {
  const range = spanOf(x);
  return !(strength > 0) || !(range > 0)
    ? y
    : kind === 'ema'
      ? averaged(x, y, strength, range)
      : blurred(x, y, strength, range);
}

function spanOf(x: Float64Array): number {
  return x.length ? x[x.length - 1] - x[0] : 0;
}

/** The strength is the weight of what is a hundredth of the axis ago. */
const STEPS = 100;

/**
 * Exponential moving average that forgets with the distance on the x axis, not with the number of
 * points: where points are sparse, each counts more. Corrected at the start, where there is no past.
 */
function averaged(
  x: Float64Array,
  y: Float64Array,
  strength: number,
  range: number
): Float64Array {
  const weight = Math.min(Math.sqrt(strength), 0.999);
  const averages = Float64Array.from(y);
  let sum = 0;
  let norm = 0;
  let previous = NaN;
  let gap = NaN;
  let past = 0;
  for (let at = 0; at < y.length; at++) {
    if (!Number.isFinite(y[at])) {
      continue;
    }
    // Most points are as far from each other as the last two: a power a point is much.
    if (x[at] - previous !== gap) {
      gap = x[at] - previous;
      past = Number.isNaN(gap) ? 0 : weight ** ((gap / range) * STEPS);
    }
    sum = sum * past + y[at];
    norm = norm * past + 1;
    previous = x[at];
    averages[at] = sum / norm;
  }
  return averages;
}

/** Widest bell: its standard deviation as a share of the x axis. */
const WIDEST = 0.1;

/** Mean of the neighbours, weighed by a bell over their distance on the x axis. */
function blurred(
  x: Float64Array,
  y: Float64Array,
  strength: number,
  range: number
): Float64Array {
  const sigma = strength * strength * WIDEST * range;
  let first = 0;
  return y.map((value, at) => {
    if (!Number.isFinite(value)) {
      return value;
    }
    while (x[at] - x[first] > 3 * sigma) {
      first++;
    }
    let [sum, norm] = [0, 0];
    for (let i = first; i < x.length && x[i] - x[at] <= 3 * sigma; i++) {
      if (Number.isFinite(y[i])) {
        const weight = Math.exp(-0.5 * ((x[i] - x[at]) / sigma) ** 2);
        sum += weight * y[i];
        norm += weight;
      }
    }
    return sum / norm;
  });
}

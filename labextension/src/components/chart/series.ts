import { bytesOf } from '../../core/base64';
import type { studio } from '../../wire';

/** A series of GetMetricSeries with its columns as numbers. */
export interface ISeries {
  name: string;
  /** job, system or endpoint. */
  group: string;
  unit: string;
  host?: string;
  statistic?: string;
  /** step, iteration, round or epoch. */
  stepName?: string;
  /** Milliseconds since the epoch. */
  times: Float64Array;
  /** NaN where there is no value. */
  values: Float64Array;
  steps: Float64Array | null;
  /** How many values there are, of which `values` has all or some. */
  total: number;
  minimum?: number;
  maximum?: number;
  last?: number;
}

export function seriesOf(series: studio.MetricSeries): ISeries {
  return {
    name: series.MetricName,
    group: series.Group,
    unit: series.Unit,
    host: series.Host,
    statistic: series.Statistic,
    stepName: series.StepName,
    times: float64s(series.Times),
    values: float64s(series.Values),
    steps: series.Steps ? float64s(series.Steps) : null,
    total: series.Total,
    minimum: series.Minimum,
    maximum: series.Maximum,
    last: series.Last
  };
}

/** Little-endian float64s in base64; so are those of every machine that has a browser. */
export function float64s(base64: string): Float64Array {
  return new Float64Array(bytesOf(base64).buffer);
}

/**
 * Exponential moving average; `weight` (0 to 1) is that of the past. Corrected at the start, where
 * there is little past.
 */
export function smoothed(values: Float64Array, weight: number): Float64Array {
  let sum = 0;
  let norm = 0;
  return values.map(value => {
    if (Number.isNaN(value)) {
      return value;
    }
    sum = weight * sum + (1 - weight) * value;
    norm = weight * norm + (1 - weight);
    return sum / norm;
  });
}

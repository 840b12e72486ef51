import React from 'react';

import { float64s, type ISeries } from '../components/chart/series';
import { useLive, useStudio } from '../components/hooks';
import { COMPONENT } from '../compare/rows';
import type { studio } from '../wire';

const PACE_MS = 500;

/** What metrics of the machine begin with. */
export const SYSTEM = 'system/';

const TITLES: Record<string, string> = {
  cpu: 'CPUUtilization',
  memory: 'MemoryUtilization',
  disk: 'DiskUtilization',
  gpu: 'GPUUtilization',
  gpu_memory: 'GPUMemoryUtilization'
};

/** Series of one component, kept up to date; undefined before the first answer. */
export function useSeries(
  name: string,
  metrics: readonly string[],
  axis: 'Step' | 'Time'
): { series: ISeries[] | undefined; error: unknown; refresh: () => void } {
  const { client } = useStudio();
  const wanted = metrics.join('\n');
  const { value, error, refresh } = useLive(
    signal =>
      metrics.length === 0
        ? Promise.resolve({ Series: [] })
        : client.call(
            'studio',
            'GetTrialComponentSeries',
            {
              TrialComponentNames: [name],
              MetricNames: [...metrics],
              XAxis: axis
            },
            signal
          ),
    event =>
      event.type === 'metrics' &&
      event.Kind === COMPONENT &&
      event.Name === name,
    [client, name, wanted, axis],
    PACE_MS
  );
  // A series that is as it was stays the same object: its chart need not be drawn again.
  const known = React.useRef(
    new Map<string, [studio.TrialComponentSeries, ISeries]>()
  );
  const series = React.useMemo(
    () =>
      value?.Series.map(each => {
        const key = `${axis}\n${each.MetricName}`;
        const before = known.current.get(key);
        if (
          before &&
          before[0].Means === each.Means &&
          before[0].X === each.X
        ) {
          return before[1];
        }
        const made = seriesOf(each);
        known.current.set(key, [each, made]);
        return made;
      }),
    [value, axis]
  );
  return { series, error, refresh };
}

/**
 * A series as charts of jobs draw it: of parts that stand for many values the least and the
 * greatest.
 */
export function seriesOf(found: studio.TrialComponentSeries): ISeries {
  const x = float64s(found.X);
  const low = float64s(found.Minima);
  const high = float64s(found.Maxima);
  const places = found.Complete ? x : twice(x, x);
  const values = found.Complete ? low : twice(low, high);
  const finite = values.filter(Number.isFinite);
  return {
    ...namesOf(found.MetricName),
    unit: 'None',
    stepName: 'step',
    // One of them is what was asked for; charts that look at the other ask anew.
    times: places,
    values,
    steps: places,
    total: found.Total,
    minimum: finite.length ? Math.min(...finite) : undefined,
    maximum: finite.length ? Math.max(...finite) : undefined,
    last: values.at(-1)
  };
}

/** `system/algo-1/cpu`: what the host algo-1 took. */
function namesOf(metric: string): Pick<ISeries, 'name' | 'group' | 'host'> {
  if (!metric.startsWith(SYSTEM)) {
    return { name: metric, group: 'job' };
  }
  const [meter, host] = metric.slice(SYSTEM.length).split('/').reverse();
  return { name: TITLES[meter] ?? meter, group: 'system', host };
}

function twice(first: Float64Array, second: Float64Array): Float64Array {
  return Float64Array.from({ length: 2 * first.length }, (_, at) =>
    at % 2 ? second[at >> 1] : first[at >> 1]
  );
}

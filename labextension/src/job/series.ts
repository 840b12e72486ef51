import React from 'react';

import { type ISeries, seriesOf } from '../components/chart/series';
import { useLive, useStudio } from '../components/hooks';
import type { studio } from '../wire';

/** All series of the job, kept up to date; undefined before the first answer. */
export function useSeries(
  kind: string,
  name: string
): {
  series: ISeries[] | undefined;
  complete: boolean;
} {
  const { client } = useStudio();
  const { value, refresh } = useLive<studio.GetMetricSeriesResponse>(
    signal =>
      client.call(
        'studio',
        'GetMetricSeries',
        { Kind: kind, Name: name },
        signal
      ),
    event =>
      (event.type === 'metrics' || event.type === 'resource') &&
      event.Kind === kind &&
      event.Name === name,
    [client, kind, name]
  );
  React.useEffect(() => {
    if (value && !value.Complete) {
      refresh(); // a long log is read in parts
    }
  }, [value, refresh]);
  // A series that is as it was stays the same object: its chart need not be drawn again.
  const known = React.useRef(new Map<string, [studio.MetricSeries, ISeries]>());
  const series = React.useMemo(
    () =>
      value?.Series.map(each => {
        const key = `${each.MetricName}\n${each.Host}`;
        const before = known.current.get(key);
        if (
          before?.[0].Values === each.Values &&
          before[0].Times === each.Times
        ) {
          return before[1];
        }
        const made = seriesOf(each);
        known.current.set(key, [each, made]);
        return made;
      }),
    [value]
  );
  return { series, complete: value?.Complete ?? true };
}

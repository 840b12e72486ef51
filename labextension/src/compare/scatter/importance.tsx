import React from 'react';

import { Chart } from '../../components/chart/chart';
import { plain } from '../../components/chart/theme';
import { Empty, Problem, Skeleton } from '../../components/empty';
import { number, percent } from '../../components/format';
import { useLive, useStudio } from '../../components/hooks';
import { useView } from '../hooks';
import { concerns } from '../rows';

const PACE_MS = 10_000;
const ROW = 28;

/** How much parameters tell of a metric: the method and how many components it learned from. */
export function Importance(props: { metric: string }): React.JSX.Element {
  const { trans, client } = useStudio();
  const query = useView(state => state.query);
  const names = useView(state => state.names);
  const { value, error, refresh } = useLive(
    signal =>
      client.call(
        'studio',
        'RankParameters',
        {
          Metric: props.metric,
          ...(query && { Query: query }),
          ...(names && { Names: [...names] })
        },
        signal
      ),
    concerns,
    [client, props.metric, query, names],
    PACE_MS
  );
  const figure = React.useMemo(() => {
    const ranked = [...(value?.Parameters ?? [])].reverse();
    const y = ranked.map(({ Name }) => plain(Name));
    return {
      data: [
        {
          type: 'bar',
          orientation: 'h',
          name: trans.__('Importance'),
          x: ranked.map(({ Importance }) => Importance),
          y,
          meta: { color: 0 }
        },
        {
          type: 'bar',
          orientation: 'h',
          name: trans.__('Rank correlation'),
          x: ranked.map(({ Correlation }) => Correlation ?? null),
          y,
          meta: { color: 1 }
        }
      ],
      layout: {
        barmode: 'group',
        xaxis: {
          range: [-1, 1],
          title: { text: trans.__('share; correlation') }
        },
        yaxis: { type: 'category' },
        margin: { t: 30, r: 16, b: 40, l: 90 }
      }
    };
  }, [value, trans]);
  if (error && !value) {
    return <Problem error={error} retry={refresh} />;
  }
  if (!value) {
    return <Skeleton />;
  }
  const ranked = value.Parameters;
  if (!ranked.length) {
    return (
      <Empty
        title={trans.__('Nothing to rank')}
        hint={trans.__(
          'It takes components with this metric, and parameters that differ between them.'
        )}
      />
    );
  }
  const score =
    value.Score === undefined
      ? ''
      : trans.__('; R² on what it had not seen: %1', number(value.Score));
  const left = value.Left
    ? trans.__(
        '; %1 parameters that do not vary or that few have are left out',
        value.Left
      )
    : '';
  return (
    <Chart
      title={trans.__('Importance of parameters for %1', props.metric)}
      summary={ranked
        .map(({ Name, Importance }) => `${Name}: ${percent(Importance)}`)
        .join('; ')}
      data={figure.data}
      layout={figure.layout}
      height={Math.max(200, 90 + ranked.length * ROW)}
      table={{
        columns: [
          trans.__('Parameter'),
          trans.__('Importance'),
          trans.__('Rank correlation')
        ],
        rows: ranked.map(each => [
          each.Name,
          each.Importance,
          each.Correlation ?? null
        ])
      }}
      note={trans.__(
        '%1; learned from %2 of %3 components%4%5',
        value.Method,
        value.Components.toLocaleString(),
        value.Matched.toLocaleString(),
        score,
        left
      )}
    />
  );
}

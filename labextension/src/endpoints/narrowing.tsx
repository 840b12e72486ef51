import React from 'react';

import { Chart } from '../components/chart/chart';
import { plain } from '../components/chart/theme';
import { number } from '../components/format';
import { useStudio } from '../components/hooks';
import type { studio } from '../wire';

/** Where the two are alike. */
const NO_DIFFERENCE = {
  type: 'line',
  xref: 'paper',
  x0: 0,
  x1: 1,
  y0: 0,
  y1: 0,
  line: { color: '#808080', width: 1.5, dash: 'dash' }
};

/** The difference of two variants with its confidence sequence, which narrows as values come. */
export function Narrowing(props: {
  test: studio.DescribeVariantTestResponse;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { Series: points, TreatmentVariant: treatment, Metric } = props.test;
  const title = trans.__('%1 of %2, relative', Metric, treatment);
  const data = React.useMemo(
    () => traces(points, treatment),
    [points, treatment]
  );
  const layout = React.useMemo(
    () => ({
      xaxis: { title: { text: trans.__('values') } },
      yaxis: { title: { text: '%' }, zeroline: true, range: rangeOf(points) },
      hovermode: 'x unified',
      shapes: [NO_DIFFERENCE],
      showlegend: false
    }),
    [points, trans]
  );
  const last = points[points.length - 1];
  const percent = (part: number) => Math.round(1000 * part) / 10;
  return (
    <Chart
      title={title}
      summary={trans.__(
        'Difference to the control in percent, over the number of values. Latest: %1, between %2 and %3',
        number(percent(last.Estimate)),
        number(percent(last.Low)),
        number(percent(last.High))
      )}
      data={data}
      layout={layout}
      height={220}
      table={{
        columns: [
          trans.__('Time'),
          trans.__('Values'),
          trans.__('Difference, %'),
          trans.__('Low'),
          trans.__('High')
        ],
        rows: points.map(each => [
          new Date(1000 * each.Time).toLocaleString(),
          each.Samples,
          percent(each.Estimate),
          percent(each.Low),
          percent(each.High)
        ])
      }}
    />
  );
}

/** The band as one outline, there and back, and the line in it. */
function traces(
  points: studio.VariantTestPoint[],
  treatment: string
): object[] {
  const back = [...points].reverse();
  return [
    {
      type: 'scatter',
      mode: 'lines',
      meta: { color: 0, role: 'band' },
      x: [...points, ...back].map(each => each.Samples),
      y: [
        ...points.map(each => 100 * each.High),
        ...back.map(each => 100 * each.Low)
      ],
      fill: 'toself',
      line: { width: points.length > 1 ? 0 : 2 },
      hoverinfo: 'skip'
    },
    {
      type: 'scatter',
      mode: points.length > 1 ? 'lines' : 'markers',
      meta: { color: 0 },
      name: plain(treatment),
      x: points.map(each => each.Samples),
      y: points.map(each => 100 * each.Estimate),
      customdata: points.map(each => [100 * each.Low, 100 * each.High]),
      hovertemplate:
        '%{y:.3~g} % (%{customdata[0]:.3~g} to %{customdata[1]:.3~g})'
    }
  ];
}

/** The first, widest intervals would flatten all that comes after them. */
function rangeOf(points: studio.VariantTestPoint[]): [number, number] {
  const late = points.slice(Math.floor(points.length / 4));
  const low = Math.min(0, ...late.map(each => 100 * each.Low));
  const high = Math.max(0, ...late.map(each => 100 * each.High));
  const room = 0.05 * (high - low || 1);
  return [low - room, high + room];
}

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { Chart } from '../components/chart/chart';
import { number } from '../components/format';
import { useStudio } from '../components/hooks';
import type { studio } from '../wire';
import { outline } from './loads';

type Test = studio.DescribeLoadTestResponse;
type Second = studio.LoadTestSecond;
const HEIGHT = 220;

/** What a load test measured; with another beside it, dashed. */
export function LoadCharts(props: {
  tests: { label: string; test: Test }[];
}): React.JSX.Element {
  const { trans } = useStudio();
  const { tests } = props;
  const known = tests.some(({ test }) => test.Histogram.length > 0);
  return (
    <div className="jp-StudioFigures">
      {known && (
        <Seconds
          title={trans.__('Latency, from when requests were due')}
          unit={trans.__('milliseconds')}
          tests={tests}
          lines={[
            ['p50', second => second.P50],
            ['p90', second => second.P90],
            ['p99', second => second.P99]
          ]}
        />
      )}
      {known && <Histogram tests={tests} />}
      <Seconds
        title={trans.__('Requests a second')}
        unit={trans.__('requests / s')}
        tests={tests}
        lines={[
          [trans.__('due'), second => second.Requested],
          [trans.__('answered'), second => second.Answered],
          [trans.__('failed'), second => second.Failed]
        ]}
      />
    </div>
  );
}

function Seconds(props: {
  title: string;
  unit: string;
  tests: { label: string; test: Test }[];
  lines: [string, (second: Second) => number | undefined][];
}): React.JSX.Element {
  const { trans } = useStudio();
  const { title, unit, tests, lines } = props;
  const series = tests.flatMap(({ label, test }, at) =>
    lines.map(([name, of], color) => ({
      name: at ? `${name}, ${label}` : name,
      color,
      dash: at ? 'dot' : 'solid',
      first: !at,
      seconds: test.Seconds,
      values: test.Seconds.map(each => of(each) ?? null)
    }))
  );
  const longest = Math.max(
    ...tests.map(({ test }) =>
      test.LoadTestStatus === 'InProgress'
        ? test.DurationInSeconds
        : test.Seconds.length
    ),
    1
  );
  const rows = Array.from(
    { length: Math.max(0, ...tests.map(({ test }) => test.Seconds.length)) },
    (_, second) => [
      second + 1,
      ...series.map(each => each.values[second] ?? null)
    ]
  );
  return (
    <Chart
      title={title}
      summary={trans.__(
        '%1 by the seconds of the test. Latest: %2',
        title,
        series.map(each => `${each.name}: ${latest(each.values)}`).join(', ')
      )}
      data={series.map(each => ({
        type: 'scatter',
        mode: each.values.length > 1 ? 'lines' : 'markers',
        meta: { color: each.color },
        name: each.name,
        // The names of the other would leave no room for its lines.
        showlegend: each.first,
        x: each.seconds.map(second => second.Second),
        y: each.values,
        line: { dash: each.dash, width: 2 },
        hovertemplate: `%{y:.4~g} ${unit}`
      }))}
      layout={{
        xaxis: {
          title: { text: trans.__('second') },
          range: [0.5, longest + 0.5]
        },
        yaxis: { title: { text: unit }, rangemode: 'tozero' },
        hovermode: 'x unified',
        showlegend: true
      }}
      height={HEIGHT}
      table={{
        columns: [trans.__('Second'), ...series.map(each => each.name)],
        rows
      }}
    />
  );
}

function Histogram(props: {
  tests: { label: string; test: Test }[];
}): React.JSX.Element {
  const { trans } = useStudio();
  const { tests } = props;
  const drawn = tests.map(({ label, test }) => ({
    label,
    ...outline(test.Histogram)
  }));
  return (
    <Chart
      title={trans.__('Histogram of latencies')}
      summary={tests
        .map(({ label, test }) => `${label}: ${percentiles(test, trans)}`)
        .join('; ')}
      data={drawn.map((each, color) => ({
        type: 'scatter',
        mode: 'lines',
        meta: { color },
        name: each.label,
        x: each.x,
        y: each.y,
        fill: color ? undefined : 'tozeroy',
        line: { width: 2, dash: color ? 'dot' : 'solid' },
        hovertemplate: '%{y:.3~g} % at %{x:.3~g} ms'
      }))}
      layout={{
        xaxis: { type: 'log', title: { text: trans.__('milliseconds') } },
        yaxis: {
          title: { text: trans.__('% of latencies') },
          rangemode: 'tozero'
        },
        hovermode: 'closest',
        showlegend: tests.length > 1
      }}
      height={HEIGHT}
      table={{
        columns: [
          trans.__('Test'),
          trans.__('Up to, ms'),
          trans.__('% of latencies')
        ],
        rows: drawn.flatMap(each =>
          each.x
            .map((upper, at) => [each.label, upper, each.y[at]])
            .filter((_, at) => at % 2)
        )
      }}
    />
  );
}

/** "p50 1.2 ms, p90 2 ms, p99 9 ms". */
export function percentiles(
  test: { Latency?: studio.LoadTestLatency },
  trans: TranslationBundle
): string {
  const { Latency: latency } = test;
  return latency
    ? trans.__(
        'p50 %1 ms, p90 %2 ms, p99 %3 ms',
        milliseconds(latency.P50),
        milliseconds(latency.P90),
        milliseconds(latency.P99)
      )
    : trans.__('nothing answered');
}

/** Three digits: more are not measured. */
export function milliseconds(value: number): string {
  return number(Number(value.toPrecision(3)));
}

function latest(values: (number | null)[]): string {
  const known = values.filter(value => value !== null);
  return known.length ? milliseconds(known[known.length - 1]) : '–';
}

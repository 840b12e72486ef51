import React from 'react';

import { Chart } from '../components/chart/chart';
import { DASHES, plain } from '../components/chart/theme';
import { Problem } from '../components/empty';
import { number } from '../components/format';
import { useLive, useNow, useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import { ask, figures, RANGES, type IFigures, type ISeries } from './metrics';

/** Requests, latencies and errors of an endpoint, as they come. */
export function Figures(props: {
  endpoint: string;
  variants: string[];
  range: string | undefined;
  onRange: (range: string) => void;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { endpoint, variants } = props;
  const [apart, setApart] = React.useState(false);
  const range = RANGES.find(each => each.id === props.range) ?? RANGES[0];
  const { value, error, refresh } = useLive(
    signal => ask(client, endpoint, variants, range, Date.now(), signal),
    event =>
      event.type === 'metrics' &&
      event.Kind === 'endpoint' &&
      event.Name === endpoint,
    [client, endpoint, variants.join('\n'), range]
  );
  // Without requests there are no events: the window moves on all the same.
  const now = useNow(true, 1000 * Math.max(30, range.period));
  const shown = React.useMemo(() => value && figures(value, now), [value, now]);
  return (
    <Section
      title={trans.__('How it does')}
      actions={
        <span
          className="jp-StudioFigures-ranges"
          role="group"
          aria-label={trans.__('Span of the charts')}
        >
          {variants.length > 1 && (
            <button
              className="jp-StudioButton jp-mod-minimal"
              aria-pressed={apart}
              onClick={() => setApart(!apart)}
            >
              {trans.__('Side by side')}
            </button>
          )}
          {RANGES.map(each => (
            <button
              key={each.id}
              className="jp-StudioButton jp-mod-minimal"
              aria-pressed={each === range}
              onClick={() => props.onRange(each.id)}
            >
              {each.id}
            </button>
          ))}
        </span>
      }
    >
      {shown && apart ? (
        <div className="jp-StudioFigures-apart" style={columns(variants)}>
          {variants.map((variant, index) => (
            <section key={variant} aria-label={variant}>
              <h3>{variant}</h3>
              <Charts figures={of(shown, index)} most={most(shown)} />
            </section>
          ))}
        </div>
      ) : shown ? (
        <Charts figures={shown} />
      ) : error ? (
        <Problem error={error} retry={refresh} />
      ) : null}
    </Section>
  );
}

/** The highest value of each chart: those side by side have one scale. */
interface IMost {
  requests: number;
  latency: number;
  errors: number;
  batches: number;
  waits: number;
}

function columns(variants: string[]): React.CSSProperties {
  return { '--studio-columns': variants.length } as React.CSSProperties;
}

/** The figures of one variant. */
function of(figures: IFigures, index: number): IFigures {
  const one = (all: Record<string, ISeries[]>) =>
    Object.fromEntries(
      Object.entries(all).map(([name, series]) => [
        name,
        series.slice(index, index + 1)
      ])
    );
  return {
    requests: [figures.requests[index]],
    latency: one(figures.latency) as IFigures['latency'],
    errors: one(figures.errors) as IFigures['errors'],
    batches: figures.batches.slice(index, index + 1),
    waits: one(figures.waits) as IFigures['waits']
  };
}

function most(figures: IFigures): IMost {
  const { requests, latency, errors, batches, waits } = figures;
  const highest = (series: ISeries[]) =>
    series.reduce(
      (top, each) =>
        each.value.reduce<number>((a, b) => Math.max(a, b ?? 0), top),
      0
    );
  return {
    requests: highest(requests),
    latency: highest(Object.values(latency).flat()),
    errors: highest(Object.values(errors).flat()),
    batches: highest(batches),
    waits: highest(Object.values(waits).flat())
  };
}

function Charts(props: { figures: IFigures; most?: IMost }): React.JSX.Element {
  const { trans } = useStudio();
  const { requests, latency, errors, batches, waits } = props.figures;
  const named = (name: string, series: ISeries[]) =>
    series.map(each => ({
      ...each,
      label: series.length > 1 ? `${each.variant} ${name}` : name
    }));
  return (
    <div className="jp-StudioFigures">
      <Lines
        title={trans.__('Requests a minute')}
        unit={trans.__('requests / min')}
        most={props.most?.requests}
        series={named(trans.__('requests'), requests)}
      />
      <Lines
        title={trans.__('Latency of the model')}
        unit={trans.__('milliseconds')}
        most={props.most?.latency}
        series={Object.entries(latency).flatMap(([name, each]) =>
          named(name, each)
        )}
      />
      <Lines
        title={trans.__('Errors a minute')}
        unit={trans.__('errors / min')}
        most={props.most?.errors}
        series={Object.entries(errors).flatMap(([name, each]) =>
          named(name, each)
        )}
      />
      {batches.length > 0 && (
        <>
          <Lines
            title={trans.__('Requests predicted together')}
            unit={trans.__('requests')}
            most={props.most?.batches}
            series={named(trans.__('average'), batches)}
          />
          <Lines
            title={trans.__('Wait for the model')}
            unit={trans.__('milliseconds')}
            most={props.most?.waits}
            series={Object.entries(waits).flatMap(([name, each]) =>
              named(name, each)
            )}
          />
        </>
      )}
    </div>
  );
}

function Lines(props: {
  title: string;
  unit: string;
  most?: number;
  series: (ISeries & { label: string })[];
}): React.JSX.Element {
  const { trans } = useStudio();
  const { series, unit, most } = props;
  const data = React.useMemo(
    () =>
      series.map((each, index) => ({
        type: 'scatter',
        mode: isolated(each.value) ? 'lines+markers' : 'lines',
        marker: { size: 5 },
        name: plain(each.label),
        x: each.at.map(local),
        y: each.value,
        line: { dash: DASHES[index % DASHES.length], width: 2 },
        hovertemplate: `%{y:.4~g} ${unit}`
      })),
    [series, unit]
  );
  const at = series[0]?.at ?? [];
  const [first, last] = [at[0] ?? 0, at[at.length - 1] ?? 0];
  const layout = React.useMemo(
    () => ({
      xaxis: { type: 'date', range: [local(first), local(last)] },
      yaxis: {
        title: { text: unit },
        rangemode: 'tozero',
        ...(most ? { range: [0, 1.05 * most] } : {})
      },
      hovermode: 'x unified',
      showlegend: series.length > 1
    }),
    [unit, series.length, first, last, most]
  );
  const latest = series.map(each => {
    const known = each.value.filter(value => value !== null);
    return `${each.label}: ${known.length ? number(known[known.length - 1]) : '–'}`;
  });
  return (
    <Chart
      title={props.title}
      summary={trans.__(
        '%1 over time. Latest: %2',
        props.title,
        latest.join(', ')
      )}
      data={data}
      layout={layout}
      height={220}
      table={{
        columns: [trans.__('Time'), ...series.map(each => each.label)],
        rows: at.map((time, index) => [
          new Date(time).toLocaleString(),
          ...series.map(each => each.value[index])
        ])
      }}
    />
  );
}

/** A time as plotly.js takes it: it knows no zones, so the text is that of the local clock. */
export function local(at: number): string {
  const offset = 60_000 * new Date(at).getTimezoneOffset();
  return new Date(at - offset).toISOString().slice(0, -1);
}

/** Whether a value stands alone between gaps: a line would not show it. */
function isolated(values: (number | null)[]): boolean {
  return values.some(
    (value, index) =>
      value !== null &&
      (values[index - 1] ?? null) === null &&
      (values[index + 1] ?? null) === null
  );
}

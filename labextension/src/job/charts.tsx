import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { Chart, type ITable, type Zoom } from '../components/chart/chart';
import { type ISeries, smoothed } from '../components/chart/series';
import { DASHES, plain, SYMBOLS } from '../components/chart/theme';
import { number } from '../components/format';
import { useStudio } from '../components/hooks';
import { families, type IFamily, type ILine } from './families';

/** How the charts are drawn: a part of the page's arguments. */
export interface IChartState {
  /** Weight of the past in the moving average, 0 to 0.99. */
  smooth?: number;
  /** Against time even where there are steps. */
  byTime?: boolean;
  log?: boolean;
  filter?: string;
  /** Where charts are zoomed in, by their titles. */
  zoom?: Record<string, Zoom>;
}

const FEW = 24;
const TRAFFIC = /^(disk|machine_network)_/;
const MARKED = 40;

/** Small multiples of what the program printed, one for each thing that it measures. */
export function MetricCharts(props: {
  series: ReadonlyArray<ISeries>;
  /** Milliseconds since the epoch at which training began. */
  start: number;
  state: IChartState;
  onState: (changes: IChartState) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { series, state, onState } = props;
  const [more, setMore] = React.useState(false);
  const latest = React.useRef(props);
  latest.current = props;
  const onZoom = React.useCallback((title: string, zoom: Zoom) => {
    const { zoom: before } = latest.current.state;
    latest.current.onState({ zoom: { ...before, [title]: zoom } });
  }, []);
  const curves = React.useMemo(
    () => families(series.filter(each => each.total > 1)),
    [series]
  );
  const single = new Set(
    series.filter(each => each.total === 1).map(each => each.name)
  ).size;
  const wanted = (state.filter ?? '').toLowerCase();
  const found = curves.filter(family =>
    family.lines.some(line => line.series.name.toLowerCase().includes(wanted))
  );
  const shown = more ? found : found.slice(0, FEW);
  return (
    <>
      <div className="jp-StudioJob-controls">
        {curves.length > 8 && (
          <input
            type="search"
            aria-label={trans.__('Filter metrics')}
            placeholder={trans.__('Filter metrics')}
            value={state.filter ?? ''}
            onChange={event => onState({ filter: event.target.value })}
          />
        )}
        <label>
          {trans.__('Smoothing')}
          <input
            type="range"
            min={0}
            max={0.99}
            step={0.01}
            value={state.smooth ?? 0}
            onChange={event => onState({ smooth: Number(event.target.value) })}
          />
          <output>{(state.smooth ?? 0).toFixed(2)}</output>
        </label>
        {series.some(each => each.steps) && (
          <label>
            {trans.__('Against')}
            <select
              value={state.byTime ? 'time' : 'step'}
              onChange={event =>
                onState({ byTime: event.target.value === 'time' })
              }
            >
              <option value="step">{trans.__('Step')}</option>
              <option value="time">{trans.__('Time')}</option>
            </select>
          </label>
        )}
        <label>
          <input
            type="checkbox"
            checked={!!state.log}
            onChange={event => onState({ log: event.target.checked })}
          />
          {trans.__('Logarithmic')}
        </label>
      </div>
      <div className="jp-StudioJob-charts">
        {shown.map(family => (
          <FamilyChart
            key={family.title}
            family={family}
            start={props.start}
            smooth={state.smooth ?? 0}
            byTime={!!state.byTime}
            log={!!state.log}
            zoom={state.zoom?.[family.title]}
            onZoom={onZoom}
          />
        ))}
      </div>
      {single > 0 && (
        <p className="jp-StudioJob-none">
          {trans._n(
            '%1 metric has a single value: it is among the last values.',
            '%1 metrics have a single value: they are among the last values.',
            single
          )}
        </p>
      )}
      {shown.length < found.length && (
        <button className="jp-StudioButton" onClick={() => setMore(true)}>
          {trans.__(
            'Show all charts (%1 of %2 are shown)',
            shown.length,
            found.length
          )}
        </button>
      )}
    </>
  );
}

/** What the hosts of a job use. */
export function SystemCharts(props: {
  series: ReadonlyArray<ISeries>;
  start: number;
}): React.JSX.Element {
  const { trans } = useStudio();
  const titles: Record<string, string> = {
    CPUUtilization: trans.__('CPU (100 % is one CPU)'),
    MemoryUtilization: trans.__('Memory (of its limit)'),
    DiskUtilization: trans.__('Disk (of all of it)'),
    GPUUtilization: trans.__('GPU (100 % is one GPU)'),
    GPUMemoryUtilization: trans.__('GPU memory'),
    disk_read: trans.__('Read from disks'),
    disk_write: trans.__('Written to disks'),
    machine_network_in: trans.__('Received by the machine'),
    machine_network_out: trans.__('Sent by the machine')
  };
  const all = React.useMemo(() => families(props.series), [props.series]);
  return (
    <div className="jp-StudioJob-charts">
      {all.map(family => (
        <FamilyChart
          key={family.title}
          family={{ ...family, title: titles[family.title] ?? family.title }}
          start={props.start}
          smooth={0}
          byTime
          log={false}
          unit={TRAFFIC.test(family.title) ? 'B/s' : '%'}
        />
      ))}
    </div>
  );
}

interface IFamilyChartProps {
  family: IFamily;
  start: number;
  smooth: number;
  byTime: boolean;
  log: boolean;
  unit?: string;
  zoom?: Zoom;
  onZoom?: (title: string, zoom: Zoom) => void;
}

const FamilyChart = React.memo(FamilyChart_, (before, after) => {
  const same = (one: IFamily, other: IFamily) =>
    one.title === other.title &&
    one.lines.length === other.lines.length &&
    one.lines.every((line, at) => line.series === other.lines[at].series);
  return (
    same(before.family, after.family) &&
    before.start === after.start &&
    before.smooth === after.smooth &&
    before.byTime === after.byTime &&
    before.log === after.log
  );
});

function FamilyChart_(props: IFamilyChartProps): React.JSX.Element {
  const { trans } = useStudio();
  const { family } = props;
  const { onZoom } = props;
  const { title } = family;
  const noteZoom = React.useCallback(
    (zoom: Zoom) => onZoom?.(title, zoom),
    [onZoom, title]
  );
  const x = axisOf(family, props, trans);
  const several = family.lines.length > 1;
  const data = family.lines.flatMap((line, index) =>
    traces(line, index, x.values(line.series), props.smooth)
  );
  const layout = {
    xaxis: { title: { text: x.title } },
    yaxis: {
      title: { text: props.unit ?? '' },
      type: props.log ? 'log' : 'linear',
      ...(props.unit === '%' && { rangemode: 'tozero' })
    },
    hovermode: 'x unified',
    showlegend: several
  };
  const points = family.lines.reduce((sum, it) => sum + it.series.total, 0);
  const shown = family.lines.reduce(
    (sum, it) => sum + it.series.values.length,
    0
  );
  return (
    <Chart
      title={family.title}
      summary={summary(family, x.title, trans)}
      data={data}
      layout={layout}
      table={table(family, x, trans)}
      height={220}
      zoom={props.zoom}
      onZoom={noteZoom}
      note={
        shown < points
          ? trans.__(
              '%1 of %2 points: the least and the greatest of equal parts',
              shown.toLocaleString(),
              points.toLocaleString()
            )
          : undefined
      }
    />
  );
}

interface IAxis {
  title: string;
  values: (series: ISeries) => Float64Array;
}

/**
 * Steps where all lines have them, else the time since the start in a fitting unit; of values that
 * came in a few moments the number.
 */
function axisOf(
  family: IFamily,
  props: IFamilyChartProps,
  trans: TranslationBundle
): IAxis {
  const names = new Set(family.lines.map(line => line.series.stepName));
  const [name] = names;
  if (!props.byTime && name && names.size === 1) {
    const titles: Record<string, string> = {
      step: trans.__('Step'),
      iteration: trans.__('Iteration'),
      round: trans.__('Round'),
      epoch: trans.__('Epoch')
    };
    return { title: titles[name] ?? name, values: series => series.steps! };
  }
  if (!props.byTime && family.lines.every(line => hasty(line.series))) {
    return {
      title: trans.__('Number of the value'),
      values: series => series.values.map((_, index) => index + 1)
    };
  }
  const latest = Math.max(
    ...family.lines.map(line => line.series.times.at(-1) ?? props.start)
  );
  const seconds = (latest - props.start) / 1000;
  const [unit, length]: [string, number] =
    seconds < 120 ? ['s', 1] : seconds < 7200 ? ['min', 60] : ['h', 3600];
  return {
    title: trans.__('Time since the start (%1)', unit),
    values: series => series.times.map(at => (at - props.start) / 1000 / length)
  };
}

/** So many values came at the same time that time tells little. */
function hasty(series: ISeries): boolean {
  return (
    series.total === series.values.length &&
    new Set(series.times).size < series.values.length / 3
  );
}

function traces(
  line: ILine,
  index: number,
  x: Float64Array,
  smooth: number
): object[] {
  const { values } = line.series;
  const few = values.length <= MARKED;
  const style = {
    type: 'scatter',
    x,
    name: plain(line.label),
    meta: {
      color: index,
      dash: DASHES[index % DASHES.length],
      symbol: SYMBOLS[index % SYMBOLS.length]
    },
    legendgroup: String(index)
  };
  const drawn = {
    ...style,
    y: smooth ? smoothed(values, smooth) : values,
    mode: few ? 'lines+markers' : 'lines',
    line: { width: 2 },
    marker: { size: 6 }
  };
  const faint = {
    ...style,
    y: values,
    mode: 'lines',
    line: { width: 1, dash: 'solid' },
    opacity: 0.35,
    hoverinfo: 'skip',
    showlegend: false
  };
  return smooth ? [faint, drawn] : [drawn];
}

function summary(family: IFamily, x: string, trans: TranslationBundle): string {
  const told = family.lines.map(({ label, series }) =>
    series.values.length
      ? trans.__(
          '%1: %2 values, the last %3, the least %4, the greatest %5',
          label,
          series.total.toLocaleString(),
          number(series.last ?? NaN),
          number(series.minimum ?? NaN),
          number(series.maximum ?? NaN)
        )
      : trans.__('%1: no values', label)
  );
  return `${family.title}, ${x}. ${told.join('; ')}.`;
}

function table(family: IFamily, x: IAxis, trans: TranslationBundle): ITable {
  const rows = family.lines.flatMap(({ label, series }) => {
    const places = x.values(series);
    return Array.from(series.values, (value, at) => [label, places[at], value]);
  });
  return { columns: [trans.__('Series'), x.title, trans.__('Value')], rows };
}

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { Cursor } from '../../components/chart/cursor';
import type { ILine } from '../../components/chart/drawing';
import { ChartFrame, type ITable } from '../../components/chart/frame';
import {
  type IAxis,
  type IPlotHandle,
  LinePlot
} from '../../components/chart/lineplot';
import type { ScaleKind } from '../../components/chart/scale';
import { number } from '../../components/format';
import { useStudio } from '../../components/hooks';
import type { MenuAction } from '../../core/menu';
import { domainX, domainY, type IStyle, linesOf } from './lines';
import type { SeriesLoader } from './loader';
import type { IPanel } from './panels';
import type { IChartsSettings } from './settings';

export interface IPanelProps {
  panel: IPanel;
  looks: readonly IStyle[];
  loader: SeriesLoader;
  settings: Partial<IChartsSettings>;
  cursor: Cursor;
  menu: (panel: IPanel) => MenuAction[];
  onZoom: (
    panel: IPanel,
    x: [number, number] | null,
    y: [number, number] | null
  ) => void;
  handle?: React.HTMLAttributes<HTMLElement>;
  height: number;
  /** It is among the first, which are waited for. */
  first: boolean;
}

/** The chart of a panel; it asks for its series while it is in view. */
export const PanelChart = React.memo(function PanelChart(
  props: IPanelProps
): React.JSX.Element {
  const { trans } = useStudio();
  const { panel, looks, loader, settings, cursor, onZoom } = props;
  const place = React.useRef<HTMLDivElement>(null);
  const plot = React.useRef<IPlotHandle>(null);
  const seen = useSeen(place, props.first);
  const version = useSeries(loader, panel.metrics, seen);
  const lines = React.useMemo(
    () => linesOf(panel, looks, metric => loader.series(metric), settings),
    // `version` counts what the loader brought.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [panel, looks, loader, settings, version]
  );
  const loaded = panel.metrics.every(metric => loader.series(metric));
  const { x, y, outside, all } = React.useMemo(
    () => axesOf(panel, lines, settings, loader, trans),
    [panel, lines, settings, loader, trans]
  );
  const zoom = React.useCallback(
    (inX: [number, number] | null, inY: [number, number] | null) =>
      onZoom(panel, inX, inY),
    [panel, onZoom]
  );
  const zoomed = settings.zoom ?? settings.heights?.[panel.id];
  const notes = [
    cutNote(panel, loader, settings, trans),
    oddNote(lines, trans),
    outside > 0 &&
      trans.__(
        '%1 of %2 points lie outside',
        outside.toLocaleString(),
        all.toLocaleString()
      )
  ].filter(Boolean);
  return (
    <div ref={place} className="jp-StudioCharts-panel" data-panel={panel.title}>
      <ChartFrame
        title={panel.title}
        table={() => tableOf(lines, x.title, trans)}
        picture={(format, title) =>
          plot.current?.picture(format, title) ?? Promise.resolve(null)
        }
        onUnzoom={zoomed ? () => zoom(null, null) : undefined}
        menu={props.menu(panel)}
        handle={props.handle}
        note={notes.join('; ')}
      >
        {!loaded && lines.length === 0 ? (
          <div style={{ height: props.height }} aria-busy={seen} />
        ) : lines.length === 0 ? (
          <p className="jp-StudioCharts-none" style={{ height: props.height }}>
            {settings.zoom
              ? trans.__('No values in this part of the axis.')
              : trans.__('None of these components has values of it.')}
          </p>
        ) : (
          <LinePlot
            ref={plot}
            lines={lines}
            x={x}
            y={y}
            summary={summaryOf(panel.title, x.title, lines, trans)}
            height={props.height}
            cursor={cursor}
            onZoom={zoom}
          />
        )}
      </ChartFrame>
    </div>
  );
});

/** What is so many pixels below the screen counts as in view. */
const NEAR = 200;

/**
 * Whether an element is in view, or nearly; before an observer tells, a frame or two later, `first`.
 * To measure it would make the browser lay out the whole pane before anything is asked for.
 */
function useSeen(place: React.RefObject<HTMLElement>, first: boolean): boolean {
  const [seen, setSeen] = React.useState(first);
  React.useEffect(() => {
    const node = place.current!;
    const observer = new IntersectionObserver(
      entries => setSeen(entries.at(-1)!.isIntersecting),
      { rootMargin: `${NEAR}px` }
    );
    observer.observe(node);
    return () => observer.disconnect();
  }, [place]);
  return seen;
}

/** Another number whenever there is something new of these metrics. */
function useSeries(
  loader: SeriesLoader,
  metrics: readonly string[],
  seen: boolean
): number {
  const [version, again] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const slot = (_: SeriesLoader, changed: ReadonlySet<string>) => {
      if (metrics.some(metric => changed.has(metric))) {
        again();
      }
    };
    loader.changed.connect(slot);
    again();
    return () => {
      loader.changed.disconnect(slot);
    };
  }, [loader, metrics]);
  React.useLayoutEffect(() => {
    const over = seen ? metrics.map(metric => loader.want(metric)) : [];
    return () => over.forEach(each => each());
  }, [loader, metrics, seen]);
  return version;
}

function axesOf(
  panel: IPanel,
  lines: readonly ILine[],
  settings: Partial<IChartsSettings>,
  loader: SeriesLoader,
  trans: TranslationBundle
): { x: IAxis; y: IAxis; outside: number; all: number } {
  // What is drawn says what the axis is: the next may still be on its way.
  const spec = loader.series(panel.metrics[0])?.spec;
  const [title, kind] = axisOf(spec?.axis ?? 'Step', spec?.metric, trans);
  const xKind = settings.logX && kind === 'linear' ? 'log' : kind;
  const yKind = settings.logY ? 'log' : 'linear';
  const zoom = settings.zoom ?? null;
  const { domain, outside, all } = domainY(
    lines,
    yKind,
    settings.clip ?? 0,
    zoom
  );
  return {
    x: { title, kind: xKind, domain: zoom ?? domainX(lines, xKind) },
    y: {
      title: '',
      kind: yKind,
      domain: settings.heights?.[panel.id] ?? domain
    },
    outside,
    all
  };
}

function axisOf(
  axis: string,
  metric: string | undefined,
  trans: TranslationBundle
): [string, ScaleKind] {
  switch (axis) {
    case 'Time':
      return [trans.__('Time'), 'time'];
    case 'RelativeTime':
      return [trans.__('Time since the start'), 'duration'];
    case 'Metric':
      return [metric ?? '', 'linear'];
    default:
      return [trans.__('Step'), 'linear'];
  }
}

/** Says where a point of a line stands for several values. */
function cutNote(
  panel: IPanel,
  loader: SeriesLoader,
  settings: Partial<IChartsSettings>,
  trans: TranslationBundle
): string {
  let [points, total] = [0, 0];
  for (const metric of panel.metrics) {
    for (const part of loader.series(metric)?.parts.values() ?? []) {
      points += part.x.length;
      total += part.total;
    }
  }
  return points < total
    ? trans.__(
        '%1 parts of %2 values: mean, least and greatest%3',
        points.toLocaleString(),
        total.toLocaleString(),
        settings.zoom ? '' : trans.__('; zoom in for more')
      )
    : '';
}

/** Says what marks at the edges of a chart mean. */
function oddNote(lines: readonly ILine[], trans: TranslationBundle): string {
  const odd = lines.reduce(
    (sum, { y, spread }) =>
      spread === 'area'
        ? sum
        : sum +
          y.reduce((count, it) => count + Number(!Number.isFinite(it)), 0),
    0
  );
  return odd
    ? trans._n(
        '%1 point is not finite (▲\u00a0∞, ▼\u00a0−∞, ×\u00a0NaN)',
        '%1 points are not finite (▲\u00a0∞, ▼\u00a0−∞, ×\u00a0NaN)',
        odd
      )
    : '';
}

const FEW = 5;

function summaryOf(
  title: string,
  x: string,
  lines: readonly ILine[],
  trans: TranslationBundle
): string {
  const told = lines
    .slice(0, FEW)
    .map(({ label, y }) =>
      trans.__('%1: the last %2', label, number(y[y.length - 1] ?? NaN))
    );
  const more =
    lines.length > FEW ? trans.__('; %1 of %2 lines', FEW, lines.length) : '';
  return trans.__(
    '%1 against %2. %3%4. Arrows move the crosshair, plus and minus zoom, 0 shows all.',
    title,
    x,
    told.join('; '),
    more
  );
}

function tableOf(
  lines: readonly ILine[],
  x: string,
  trans: TranslationBundle
): ITable {
  return {
    columns: [
      trans.__('Line'),
      x,
      trans.__('Value'),
      trans.__('Least'),
      trans.__('Greatest')
    ],
    rows: lines.flatMap(line =>
      Array.from(line.x, (place, at) => [
        line.label,
        place,
        line.y[at],
        (line.low ?? line.y)[at],
        (line.high ?? line.y)[at]
      ])
    )
  };
}

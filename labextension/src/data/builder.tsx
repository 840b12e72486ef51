import React from 'react';

import { Empty } from '../components/empty';
import { useStudio } from '../components/hooks';
import { changed, type IHistory, redone, undone } from '../core/history';
import { usePage } from './context';
import { FieldList } from './fields';
import { Figure } from './figure';
import { Filters } from './filters';
import {
  chartOf,
  kindLabel,
  KINDS,
  lacking,
  placed,
  shelfLabel,
  trimmed
} from './kinds';
import { KindPicker, Options, Shelves } from './shelves';
import type { ChartSpec, Kind } from '../core/protocol';
import type { IChart } from './state';

/** Pixels of a chart's title, note and border. */
const AROUND_CHART = 88;
const LEAST_ROOM = 260;

interface ICharts {
  charts: IChart[];
  chart: number;
}

/** Charts made of columns: a strip of them, the shelves of one, its preview. */
export function Builder(): React.JSX.Element {
  const { trans } = useStudio();
  const { profile } = usePage();
  const { state, spec, edit, select, zoom, undo, redo } = useCharts();
  const onKeyDown = (event: React.KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (
      !(event.ctrlKey || event.metaKey) ||
      /^(INPUT|TEXTAREA)$/.test(target.tagName)
    ) {
      return;
    }
    const key = event.key.toLowerCase();
    const act =
      key === 'y' || (key === 'z' && event.shiftKey)
        ? redo
        : key === 'z'
          ? undo
          : null;
    if (act) {
      event.preventDefault();
      event.stopPropagation();
      act();
    }
  };
  const change = (next: ChartSpec) =>
    edit({
      ...state,
      charts: state.charts.map((each, at) =>
        at === state.chart ? { spec: trimmed(next) } : each
      )
    });
  const preview = React.useRef<HTMLDivElement>(null);
  const height = useRoom(preview);
  const lacks = lacking(spec);
  return (
    <div className="jp-StudioData-builder" onKeyDown={onKeyDown}>
      <Strip
        state={state}
        edit={edit}
        select={select}
        undo={undo}
        redo={redo}
      />
      <div className="jp-StudioData-shelves">
        <KindPicker
          kind={spec.kind}
          onChange={(kind: Kind) => change({ ...spec, kind })}
        />
        <Shelves spec={spec} onChange={change} />
        <Options spec={spec} onChange={change} />
        <Filters
          filters={spec.filters ?? []}
          onChange={filters => change({ ...spec, filters })}
        />
      </div>
      <FieldList
        columns={profile.columns}
        onPick={column => change(placed(spec, column))}
      />
      <div className="jp-StudioData-preview" ref={preview}>
        {lacks ? (
          <Empty
            title={
              lacks === 'columns'
                ? trans.__('Choose more columns.')
                : trans.__('Choose a column for: %1', shelfLabel(lacks, trans))
            }
            hint={trans.__(
              'Drag a column from the list to its place, press it, or choose it in the place itself.'
            )}
          />
        ) : (
          <Figure
            spec={spec}
            height={height}
            zoom={state.charts[state.chart].zoom}
            onZoom={zoom}
          />
        )}
      </div>
    </div>
  );
}

/** The pixels that a chart may take in `place`; undefined where they are few. */
function useRoom(place: React.RefObject<HTMLElement>): number | undefined {
  const [room, setRoom] = React.useState<number>();
  React.useEffect(() => {
    const observer = new ResizeObserver(() => {
      const free = (place.current?.clientHeight ?? 0) - AROUND_CHART;
      setRoom(free > LEAST_ROOM ? free : undefined);
    });
    observer.observe(place.current!);
    return () => observer.disconnect();
  }, [place]);
  return room;
}

interface IEditor {
  state: ICharts;
  spec: ChartSpec;
  edit: (next: ICharts) => void;
  select: (at: number) => void;
  zoom: (zoom: NonNullable<IChart['zoom']>) => void;
  undo: (() => void) | null;
  redo: (() => void) | null;
}

/** The charts of the page's arguments, with undo and redo. */
function useCharts(): IEditor {
  const { args, set, profile } = usePage();
  const [history, setHistory] = React.useState<IHistory<ICharts>>({
    past: [],
    future: []
  });
  const [first] = profile.columns;
  const charts = args.charts?.length
    ? args.charts
    : [{ spec: first ? chartOf(first) : { kind: 'histogram' as const } }];
  const state = { charts, chart: Math.min(args.chart ?? 0, charts.length - 1) };
  const step = (move: typeof undone<ICharts>) => {
    const moved = move(history, state);
    return (
      moved &&
      (() => {
        set(moved[0]);
        setHistory(moved[1]);
      })
    );
  };
  return {
    state,
    spec: charts[state.chart].spec,
    edit: next => {
      setHistory(changed(history, state));
      set(next);
    },
    select: chart => set({ charts, chart }),
    zoom: zoom =>
      set({
        charts: charts.map((each, at) =>
          at === state.chart
            ? { ...each, zoom: Object.keys(zoom).length ? zoom : undefined }
            : each
        )
      }),
    undo: step(undone),
    redo: step(redone)
  };
}

function Strip(props: {
  state: ICharts;
  edit: (next: ICharts) => void;
  select: (at: number) => void;
  undo: (() => void) | null;
  redo: (() => void) | null;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { state, edit } = props;
  const { charts, chart } = state;
  const add = (spec: ChartSpec) =>
    edit({ charts: [...charts, { spec }], chart: charts.length });
  const minimal = 'jp-StudioButton jp-mod-minimal';
  return (
    <div className="jp-StudioData-strip">
      <ol aria-label={trans.__('Charts')}>
        {charts.map(({ spec }, at) => (
          <li key={at}>
            <button
              className="jp-StudioButton"
              aria-pressed={at === chart}
              title={titleOf(spec, trans)}
              onClick={() => props.select(at)}
            >
              {titleOf(spec, trans)}
            </button>
          </li>
        ))}
      </ol>
      <span
        className="jp-StudioData-right"
        role="toolbar"
        aria-label={trans.__('Charts')}
      >
        <button
          className={minimal}
          onClick={() => add({ kind: charts[chart].spec.kind })}
        >
          {trans.__('New')}
        </button>
        <button className={minimal} onClick={() => add(charts[chart].spec)}>
          {trans.__('Duplicate')}
        </button>
        <button
          className={minimal}
          disabled={charts.length < 2}
          onClick={() =>
            edit({
              charts: charts.filter((_, at) => at !== chart),
              chart: Math.max(0, chart - 1)
            })
          }
        >
          {trans.__('Remove')}
        </button>
        <button
          className={minimal}
          disabled={!props.undo}
          onClick={() => props.undo?.()}
        >
          {trans.__('Undo')}
        </button>
        <button
          className={minimal}
          disabled={!props.redo}
          onClick={() => props.redo?.()}
        >
          {trans.__('Redo')}
        </button>
      </span>
    </div>
  );
}

/** "Scatter: age, salary". */
function titleOf(
  spec: ChartSpec,
  trans: ReturnType<typeof useStudio>['trans']
): string {
  const kind = KINDS[spec.kind];
  const names = kind.columns
    ? (spec.columns ?? [])
    : kind.needs.concat(kind.takes).map(shelf => spec[shelf]);
  const placed = names.filter(Boolean).join(', ');
  const label = kindLabel(spec.kind, trans);
  return placed ? `${label}: ${placed}` : label;
}

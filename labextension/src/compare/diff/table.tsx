import React from 'react';

import { number } from '../../components/format';
import { Grid, type IColumn } from '../../components/grid';
import { useStudio } from '../../components/hooks';
import { CommandIDs } from '../../tokens';
import type { studio } from '../../wire';
import { useViewStore } from '../hooks';
import { based, chosen } from '../state';
import type { IDiffSettings } from '.';
import {
  diffRows,
  differs,
  extremes,
  type IDiffRow,
  nextDifference,
  visibleRows
} from './model';

type Detail = studio.TrialComponentDetail;

export interface IDiffProps {
  /** The base first. */
  details: Detail[];
  settings: IDiffSettings;
  set: (changes: IDiffSettings, merge?: string) => void;
  /** Stands at the beginning of the bar. */
  lead: React.ReactNode;
}

/** All values as lines with the components as columns, or the other way round. */
export function DiffTable(props: IDiffProps): React.JSX.Element {
  const { trans } = useStudio();
  const { details, settings, set } = props;
  const all = React.useMemo(() => diffRows(details, trans), [details, trans]);
  const hideSame = !settings.same && details.length > 1;
  const rows = React.useMemo(
    () =>
      visibleRows(all, {
        hideSame,
        closed: new Set(settings.transposed ? [] : settings.closed),
        find: settings.find ?? ''
      }),
    [all, hideSame, settings.closed, settings.find, settings.transposed]
  );
  const values = all.filter(row => !row.counts);
  const differing = values.filter(row => !row.same).length;
  const shown = rows.filter(row => !row.counts).length;
  const { target, step } = useSteps(rows);
  const onKeyDown = (event: React.KeyboardEvent) => {
    const typing = (event.target as HTMLElement).tagName === 'INPUT';
    if (!typing && (event.key === '[' || event.key === ']')) {
      event.preventDefault();
      step(event.key === ']');
    }
  };
  return (
    <div className="jp-StudioDiff-part" onKeyDown={onKeyDown}>
      <div className="jp-StudioDiff-bar">
        {props.lead}
        <label>
          <input
            type="checkbox"
            checked={hideSame}
            disabled={details.length < 2}
            onChange={event => set({ same: !event.target.checked })}
          />{' '}
          {trans.__('Only differences')}
        </label>
        <label>
          <input
            type="checkbox"
            checked={!!settings.transposed}
            onChange={event => set({ transposed: event.target.checked })}
          />{' '}
          {trans.__('Components as rows')}
        </label>
        <button
          className="jp-StudioButton"
          title={trans.__('Previous difference ([)')}
          disabled={!differing || settings.transposed}
          onClick={() => step(false)}
        >
          {trans.__('Previous')}
        </button>
        <button
          className="jp-StudioButton"
          title={trans.__('Next difference (])')}
          disabled={!differing || settings.transposed}
          onClick={() => step(true)}
        >
          {trans.__('Next')}
        </button>
        <input
          type="search"
          placeholder={trans.__('Find')}
          aria-label={trans.__('Find in the differences')}
          value={settings.find ?? ''}
          onChange={event =>
            set({ find: event.target.value || undefined }, 'find')
          }
        />
        <span role="status">
          {trans.__(
            '%1 of %2 differ',
            differing.toLocaleString(),
            values.length.toLocaleString()
          )}
          {shown < values.length &&
            ` · ${trans.__('%1 shown', shown.toLocaleString())}`}
        </span>
      </div>
      {settings.transposed ? (
        <Transposed {...props} rows={rows} />
      ) : (
        <Lines {...props} rows={rows} target={target} />
      )}
    </div>
  );
}

function Lines(
  props: IDiffProps & { rows: IDiffRow[]; target: { index: number } | null }
): React.JSX.Element {
  const { commands, trans } = useStudio();
  const store = useViewStore();
  const { details, rows, settings, set } = props;
  const columns = React.useMemo<IColumn<IDiffRow>[]>(
    () => [
      {
        id: '',
        title: trans.__('Field'),
        width: 220,
        pinned: true,
        cell: row =>
          row.counts ? (
            <strong>
              {row.label}{' '}
              <small>
                {trans.__(
                  '%1 of %2 differ',
                  row.counts.differing,
                  row.counts.total
                )}
              </small>
            </strong>
          ) : (
            <span title={row.label}>{row.label}</span>
          )
      },
      ...details.map((detail, at) => ({
        id: detail.Name,
        title: detail.DisplayName || detail.Name,
        caption: at ? detail.Status : trans.__('Base · %1', detail.Status),
        hint: trans.__(
          '%1: drag it to the front to make it the base',
          detail.Name
        ),
        width: 190,
        cell: (row: IDiffRow) => <Value row={row} at={at} />,
        shade: (row: IDiffRow) => shade(row, at)
      }))
    ],
    [details, trans]
  );
  const toggle = (row: IDiffRow) => {
    const closed = new Set(settings.closed);
    if (!closed.delete(row.section)) {
      closed.add(row.section);
    }
    set({ closed: [...closed] });
  };
  const move = (id: string, to: string | 1 | -1) => {
    const order = details.map(each => each.Name);
    const from = order.indexOf(id);
    const place = typeof to === 'string' ? order.indexOf(to) : from + to;
    if (from >= 0) {
      order.splice(from, 1);
      order.splice(Math.max(0, place), 0, id);
      store.change(state => based(order[0])(chosen(order)(state)));
    }
  };
  return (
    <Grid<IDiffRow>
      label={trans.__('Differences')}
      columns={columns}
      count={rows.length}
      row={index => rows[index]}
      keyOf={row => row.id}
      branch={row =>
        row.counts
          ? { level: 1, expanded: !settings.closed?.includes(row.section) }
          : { level: 2 }
      }
      onToggle={toggle}
      classOf={row => (row.counts ? 'jp-StudioDiff-head' : undefined)}
      onMove={move}
      widths={settings.widths}
      onWidths={widths => set({ widths }, 'widths')}
      target={props.target}
      onHeadMenu={(column, event) => {
        if (column.id) {
          event.preventDefault();
          store.change(based(column.id));
        }
      }}
      onOpen={row => row.counts && toggle(row)}
      empty={
        <p className="jp-StudioDiff-none" role="status">
          {settings.find
            ? trans.__('Nothing that differs is like that.')
            : trans.__('They differ in nothing that was recorded.')}{' '}
          <button
            className="jp-StudioLink"
            onClick={() => set({ same: true, find: undefined })}
          >
            {trans.__('Show all')}
          </button>{' '}
          <button
            className="jp-StudioLink"
            onClick={() =>
              void commands.execute(CommandIDs.openComponent, {
                name: details[0].Name
              })
            }
          >
            {trans.__('Open %1', details[0].DisplayName)}
          </button>
        </p>
      }
    />
  );
}

function Transposed(
  props: IDiffProps & { rows: IDiffRow[] }
): React.JSX.Element {
  const { commands, trans } = useStudio();
  const { details, rows, settings, set } = props;
  const columns = React.useMemo<IColumn<Detail>[]>(() => {
    const place = new Map(details.map((detail, at) => [detail.Name, at]));
    const heads = new Map(
      rows.filter(row => row.counts).map(row => [row.section, row.label])
    );
    const at = (detail: Detail) => place.get(detail.Name)!;
    return [
      {
        id: '',
        title: trans.__('Component'),
        caption: ' ',
        width: 200,
        pinned: true,
        cell: detail => (
          <span title={detail.Name}>
            {at(detail) ? '' : '★ '}
            {detail.DisplayName || detail.Name}
          </span>
        )
      },
      ...rows
        .filter(row => !row.counts)
        .map(row => ({
          id: row.id,
          title: row.label,
          caption: heads.get(row.section),
          width: 150,
          cell: (detail: Detail) => <Value row={row} at={at(detail)} />,
          shade: (detail: Detail) => shade(row, at(detail))
        }))
    ];
  }, [details, rows, trans]);
  return (
    <Grid<Detail>
      label={trans.__('Differences, a component a row')}
      columns={columns}
      count={details.length}
      row={index => details[index]}
      keyOf={detail => detail.Name}
      widths={settings.widths}
      onWidths={widths => set({ widths }, 'widths')}
      onOpen={({ Name }) =>
        void commands.execute(CommandIDs.openComponent, { name: Name })
      }
    />
  );
}

/** A value; bold where it is not that of the base, with how much more or less a metric is. */
function Value(props: { row: IDiffRow; at: number }): React.JSX.Element | null {
  const { trans } = useStudio();
  const { row, at } = props;
  if (row.counts) {
    return null;
  }
  const cell = row.cells[at];
  const ends = extremes(row);
  const mark =
    ends?.greatest === at
      ? [' ▲', trans.__('the greatest')]
      : ends?.least === at
        ? [' ▼', trans.__('the least')]
        : null;
  const other = differs(row, at);
  const text = cell?.text ?? trans.__('none');
  const base = row.cells[0]?.number;
  const more =
    other &&
    row.section === 'metrics' &&
    base !== undefined &&
    cell?.number !== undefined
      ? cell.number - base
      : undefined;
  return (
    <span title={[text, mark?.[1]].filter(Boolean).join(' · ')}>
      {other ? (
        <strong className={cell ? undefined : 'jp-mod-none'}>{text}</strong>
      ) : (
        <span className={cell ? undefined : 'jp-mod-none'}>{text}</span>
      )}
      {more !== undefined && (
        <small>
          {' '}
          {more > 0 ? '+' : ''}
          {number(more)}
        </small>
      )}
      {mark?.[0]}
    </span>
  );
}

const TINT: React.CSSProperties = {
  background: 'var(--jp-layout-color2)'
};

function shade(row: IDiffRow, at: number): React.CSSProperties | undefined {
  return !row.counts && differs(row, at) ? TINT : undefined;
}

/** Steps from one difference to the next, and where the last step led. */
function useSteps(rows: IDiffRow[]): {
  target: { index: number } | null;
  step: (forward: boolean) => void;
} {
  const [target, setTarget] = React.useState<{ index: number } | null>(null);
  const at = React.useRef(-1);
  const step = (forward: boolean) => {
    const index = nextDifference(rows, at.current, forward);
    if (index >= 0) {
      at.current = index;
      setTarget({ index });
    }
  };
  return { target, step };
}

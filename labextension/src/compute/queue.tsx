import React from 'react';

import { CommandButton } from '../components/actions';
import { Empty } from '../components/empty';
import type { IColumn } from '../components/grid';
import { useNow, useStudio } from '../components/hooks';
import { openActions } from '../core/menu';
import { JOB_KINDS } from '../jobs/kinds';
import { CommandIDs } from '../tokens';
import type { studio } from '../wire';
import { releaseLeases } from './lease';
import { first, prioritize } from './priority';
import { since, Table } from './table';
import { amount, kindName, Thing } from './thing';

type Row = studio.WaitingRun;

/** Those who wait, in the order of their turns; `+` and `-` change the priority of the chosen. */
export function Queue(props: {
  rows: Row[];
  /** How many wait in all. */
  total: number;
  widths?: Record<string, number>;
  onWidths: (widths: Record<string, number>) => void;
}): React.JSX.Element {
  const app = useStudio();
  const { commands, trans } = app;
  const { rows } = props;
  const [selected, setSelected] = React.useState<ReadonlySet<string>>(
    new Set()
  );
  const now = useNow(rows.length > 0);
  const chosen = rows.filter(row => selected.has(row.Arn));
  const change = React.useCallback(
    (of: Row[], by: number) =>
      void prioritize(app, of, row => (row.Priority ?? 0) + by),
    [app]
  );
  const columns = useColumns(now, change);
  const stop = (of: Row[]) => {
    for (const kind of JOB_KINDS) {
      const names = of
        .filter(row => row.Kind === kind.kind)
        .map(row => row.Name);
      if (names.length) {
        void commands.execute(CommandIDs.stopJobs, { kind: kind.kind, names });
      }
    }
    const leases = of.filter(row => row.Kind === 'lease');
    if (leases.length) {
      void releaseLeases(
        app,
        leases.map(row => row.Name)
      );
    }
  };
  const menu = (row: Row, event: React.MouseEvent) => {
    const of = selected.has(row.Arn) ? chosen : [row];
    openActions(
      [
        {
          label: trans.__('Put first'),
          run: () => void prioritize(app, of, () => first(of, rows))
        },
        { label: trans.__('Raise priority (+)'), run: () => change(of, 1) },
        { label: trans.__('Lower priority (-)'), run: () => change(of, -1) },
        {
          label: trans.__('Priority 0'),
          run: () => void prioritize(app, of, () => 0)
        },
        null,
        { label: trans.__('Stop…'), run: () => stop(of) }
      ],
      event
    );
  };
  const onKey = (row: Row | undefined, event: React.KeyboardEvent) => {
    const by = { '+': 1, '=': 1, '-': -1 }[event.key];
    const of = chosen.length ? chosen : row ? [row] : [];
    if (by && of.length) {
      event.preventDefault();
      change(of, by);
    }
  };
  if (!rows.length && !props.total) {
    return (
      <Empty
        title={trans.__('Nobody waits')}
        hint={trans.__(
          'A job starts at once while there is room for it. When there is none it waits here, with its place and the reason.'
        )}
      >
        <CommandButton command={CommandIDs.newJob}>
          {trans.__('New training job…')}
        </CommandButton>
      </Empty>
    );
  }
  return (
    <>
      <Table<Row>
        label={trans.__('Queue')}
        columns={columns}
        rows={rows}
        widths={props.widths}
        onWidths={props.onWidths}
        selected={selected}
        onSelect={setSelected}
        onDelete={() => stop(chosen)}
        onKey={onKey}
        onContextMenu={menu}
      />
      <p className="jp-StudioJob-none">
        {rows.length < props.total &&
          trans.__(
            'Shown are %1 of %2: the first, and those that you may see. ',
            rows.length.toLocaleString(),
            props.total.toLocaleString()
          )}
        {trans.__(
          'A higher priority goes first; of one priority, who came first. The keys + and - change it.'
        )}
      </p>
    </>
  );
}

function useColumns(
  now: number,
  change: (of: Row[], by: number) => void
): IColumn<Row>[] {
  const { trans } = useStudio();
  return React.useMemo(
    () => [
      {
        id: 'position',
        title: '#',
        hint: trans.__(
          'The place among those who wait for the same: GPU jobs and others wait in lines of their own'
        ),
        width: 40,
        numeric: true,
        cell: row => String(row.Position ?? '–')
      },
      {
        id: 'name',
        title: trans.__('Name'),
        width: 180,
        cell: row => <Thing kind={row.Kind} name={row.Name} />
      },
      {
        id: 'priority',
        title: trans.__('Priority'),
        width: 105,
        cell: row => <Priority row={row} change={by => change([row], by)} />
      },
      {
        id: 'reason',
        title: trans.__('Because'),
        width: 300,
        cell: row => <span title={row.Reason}>{row.Reason}</span>
      },
      {
        id: 'wants',
        title: trans.__('Wants'),
        width: 120,
        cell: row => amount(row, trans)
      },
      since(trans.__('Waits for'), now),
      {
        id: 'kind',
        title: trans.__('Kind'),
        width: 90,
        cell: row => kindName(row.Kind, trans)
      }
    ],
    [trans, now, change]
  );
}

/** A priority with buttons that change it; keys do the same for the row. */
function Priority(props: {
  row: Row;
  change: (by: number) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { row, change } = props;
  const button = (by: number, text: string, label: string) => (
    <button
      className="jp-StudioButton jp-mod-minimal"
      tabIndex={-1}
      aria-label={label}
      title={label}
      onClick={event => {
        event.stopPropagation();
        change(by);
      }}
    >
      {text}
    </button>
  );
  return (
    <span className="jp-StudioCompute-priority">
      {button(-1, '−', trans.__('Lower the priority of %1', row.Name))}
      <output>{row.Priority ?? 0}</output>
      {button(1, '+', trans.__('Raise the priority of %1', row.Name))}
    </span>
  );
}

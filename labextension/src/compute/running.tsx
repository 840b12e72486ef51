import React from 'react';

import { Empty } from '../components/empty';
import type { IColumn } from '../components/grid';
import { useNow, useStudio } from '../components/hooks';
import { confirmed } from '../core/confirm';
import { notifyError } from '../core/errors';
import { type MenuAction, openActions } from '../core/menu';
import { jobKind } from '../jobs/kinds';
import { CommandIDs, type IStudio } from '../tokens';
import type { studio } from '../wire';
import { releaseLeases } from './lease';
import { since, Table } from './table';
import { amount, kindName, pageOf, Thing } from './thing';

type Row = studio.RunningJob;

/** Those who hold some of the machine, longest first. */
export function Running(props: {
  rows: Row[];
  widths?: Record<string, number>;
  onWidths: (widths: Record<string, number>) => void;
}): React.JSX.Element {
  const app = useStudio();
  const { commands, trans } = app;
  const { rows } = props;
  const now = useNow(rows.length > 0);
  const columns = useColumns(now);
  if (!rows.length) {
    return (
      <Empty
        title={trans.__('Nothing runs')}
        hint={trans.__('All of the machine is free.')}
      />
    );
  }
  const menu = (row: Row, event: React.MouseEvent) => {
    const kind = jobKind(row.Kind);
    const page = pageOf(row.Kind);
    const actions: MenuAction[] = [];
    if (page) {
      actions.push({
        label: trans.__('Open'),
        run: () => void commands.execute(page, { name: row.Name })
      });
    }
    if (kind) {
      actions.push({
        label: trans.__('Stop…'),
        run: () =>
          void commands.execute(CommandIDs.stopJobs, {
            kind: kind.kind,
            names: [row.Name]
          })
      });
    }
    if (row.Kind === 'lease') {
      actions.push({
        label: trans.__('Release…'),
        run: () => void releaseLeases(app, [row.Name])
      });
    }
    if (row.Preemptible) {
      actions.push(null, {
        label: trans.__('Interrupt, as spot training may be…'),
        disabled: row.Interrupting,
        run: () => void interrupt(app, row)
      });
    }
    openActions(actions, event);
  };
  return (
    <Table<Row>
      label={trans.__('Running')}
      columns={columns}
      rows={rows}
      widths={props.widths}
      onWidths={props.onWidths}
      onContextMenu={menu}
    />
  );
}

/** Ask, then interrupt a job of managed spot training. */
async function interrupt(app: IStudio, row: Row): Promise<void> {
  const { client, trans } = app;
  const sure = await confirmed(
    trans.__('Interrupt this job?'),
    trans.__(
      'It is told to end, and goes on from its checkpoints when it is its turn again: as AWS does when it needs the capacity.'
    ),
    trans.__('Interrupt'),
    [row.Name]
  );
  if (sure) {
    try {
      await client.call('studio', 'InterruptJob', { Arn: row.Arn });
    } catch (error) {
      notifyError(trans.__('%1 was not interrupted', row.Name), error);
    }
  }
}

function useColumns(now: number): IColumn<Row>[] {
  const { trans } = useStudio();
  return React.useMemo(
    () => [
      {
        id: 'name',
        title: trans.__('Name'),
        width: 190,
        cell: row => <Thing kind={row.Kind} name={row.Name} />
      },
      {
        id: 'kind',
        title: trans.__('Kind'),
        width: 85,
        cell: row => kindName(row.Kind, trans)
      },
      {
        id: 'holds',
        title: trans.__('Holds'),
        width: 185,
        cell: row => amount(row, trans)
      },
      {
        id: 'gpus',
        title: trans.__('GPUs'),
        width: 110,
        cell: row => (
          <span title={row.GpuIds.join('\n')}>
            {row.GpuIds.map(shortened).join(', ') || '–'}
          </span>
        )
      },
      since(trans.__('For'), now),
      {
        id: 'priority',
        title: trans.__('Priority'),
        width: 70,
        numeric: true,
        cell: row => String(row.Priority)
      },
      {
        id: 'note',
        title: trans.__('Note'),
        width: 220,
        cell: row =>
          row.Interrupting
            ? trans.__('is being interrupted')
            : row.Preemptible
              ? trans.__('spot: may be interrupted')
              : ''
      }
    ],
    [trans, now]
  );
}

/** "GPU-1f2e3d4c-…" -> "GPU-1f2e3d4c"; the rest is on hover. */
function shortened(id: string): string {
  return id.slice(0, 12);
}

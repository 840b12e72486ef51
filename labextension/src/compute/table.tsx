import React from 'react';

import { duration } from '../components/format';
import { Grid, type IColumn, type IGridProps } from '../components/grid';
import { useStudio } from '../components/hooks';
import { pageOf } from './thing';

/** Something that holds some of the machine, or waits for it. */
interface IRow {
  Kind: string;
  Name: string;
  Arn: string;
  /** Seconds since the epoch. */
  Since: number;
}

const ROW = 28;
// The header, and a scrollbar below the rows.
const HEAD = 48;
const MOST_SHOWN = 14;

/** A table that is as high as its rows, if they are not too many; a row opens its job's page. */
export function Table<R extends IRow>(
  props: Omit<IGridProps<R>, 'count' | 'row' | 'keyOf' | 'onOpen'> & {
    rows: R[];
  }
): React.JSX.Element {
  const { commands } = useStudio();
  const { rows, ...given } = props;
  return (
    <div
      className="jp-StudioCompute-grid"
      style={{ height: Math.min(rows.length, MOST_SHOWN) * ROW + HEAD }}
    >
      <Grid<R>
        {...given}
        count={rows.length}
        row={index => rows[index]}
        keyOf={row => row.Arn}
        onOpen={row => {
          const page = pageOf(row.Kind);
          if (page) {
            void commands.execute(page, { name: row.Name });
          }
        }}
      />
    </div>
  );
}

/** The column of how long something holds or waits by now, in milliseconds. */
export function since<R extends IRow>(title: string, now: number): IColumn<R> {
  return {
    id: 'since',
    title,
    width: 105,
    numeric: true,
    cell: row => duration(Math.max(0, Math.round(now / 1000 - row.Since)))
  };
}

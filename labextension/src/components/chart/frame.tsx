import { Clipboard } from '@jupyterlab/apputils';
import React from 'react';

import { number } from '../format';
import { type MenuAction, openActions } from '../../core/menu';
import { useStudio } from '../hooks';

/** The values of a chart as a table. */
export interface ITable {
  columns: string[];
  rows: (string | number | null)[][];
  /** Rows in all, where the table is cut. */
  total?: number;
}

/** What a picture of a chart is made as. */
export type PictureFormat = 'png' | 'svg';

export interface IFrameProps {
  title: string;
  /** The chart's values, or what makes them when they are wanted. */
  table: ITable | (() => ITable);
  /** The URL of a picture of the chart; null where there is none yet. */
  picture: (format: PictureFormat, title: string) => Promise<string | null>;
  /** Goes back to the whole; given while the chart is zoomed. */
  onUnzoom?: () => void;
  /** Said below the chart: "1,000 of 20,000 points". */
  note?: string;
  /** Code that makes the same chart; offered to copy and, with `onInsert`, to insert. */
  code?: string;
  onInsert?: (code: string) => void;
  actions?: React.ReactNode;
  /** All is in one menu, with these: for charts that stand side by side. */
  menu?: MenuAction[];
  /** Attributes of the title: what makes it draggable. */
  handle?: React.HTMLAttributes<HTMLElement>;
}

/** The title of a chart with its actions, its exports and its table twin. */
export function ChartFrame(
  props: React.PropsWithChildren<IFrameProps>
): React.JSX.Element {
  const { trans } = useStudio();
  const { title, code, onInsert, onUnzoom } = props;
  const [asTable, setAsTable] = React.useState(false);
  const save = async (format: PictureFormat) => {
    const url = await props.picture(format, title);
    if (url) {
      downloaded(url, title, format);
    }
  };
  const exports = [
    {
      label: trans.__('Table'),
      on: asTable,
      run: () => setAsTable(!asTable)
    },
    { label: trans.__('PNG'), run: () => void save('png'), disabled: asTable },
    { label: trans.__('SVG'), run: () => void save('svg'), disabled: asTable },
    {
      label: trans.__('CSV'),
      run: () => saveTable(tableOf(props.table), title)
    }
  ];
  return (
    <figure className="jp-StudioChart" aria-label={title}>
      <figcaption>
        <span className="jp-StudioChart-title" title={title} {...props.handle}>
          {title}
        </span>
        <span className="jp-StudioChart-actions">
          {props.actions}
          {onUnzoom && !asTable && (
            <Action onClick={onUnzoom}>{trans.__('Reset zoom')}</Action>
          )}
          {props.menu ? (
            <button
              className="jp-StudioButton jp-mod-minimal"
              aria-haspopup="menu"
              aria-label={trans.__('Actions of the chart %1', title)}
              title={trans.__('Actions of the chart')}
              onClick={event =>
                openActions([...exports, null, ...props.menu!], event)
              }
            >
              ⋯
            </button>
          ) : (
            exports.map(each => (
              <Action
                key={each.label}
                onClick={each.run}
                pressed={each.on}
                disabled={each.disabled}
              >
                {each.label}
              </Action>
            ))
          )}
          {code !== undefined && (
            <Action onClick={() => Clipboard.copyToSystem(code)}>
              {trans.__('Copy code')}
            </Action>
          )}
          {code !== undefined && onInsert && (
            <Action onClick={() => onInsert(code)}>
              {trans.__('Insert as notebook cell')}
            </Action>
          )}
        </span>
      </figcaption>
      {asTable ? (
        <TableTwin table={tableOf(props.table)} label={title} />
      ) : (
        props.children
      )}
      {props.note && <p className="jp-StudioChart-note">{props.note}</p>}
    </figure>
  );
}

function Action(
  props: React.PropsWithChildren<{
    onClick: () => void;
    pressed?: boolean;
    disabled?: boolean;
  }>
): React.JSX.Element {
  return (
    <button
      className="jp-StudioButton jp-mod-minimal"
      aria-pressed={props.pressed}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}

const MOST_ROWS = 500;

function TableTwin(props: { table: ITable; label: string }): React.JSX.Element {
  const { trans } = useStudio();
  const { columns, rows, total } = props.table;
  const shown = rows.slice(0, MOST_ROWS);
  const all = total ?? rows.length;
  return (
    <div
      className="jp-StudioChart-table"
      tabIndex={0}
      role="region"
      aria-label={props.label}
    >
      <table>
        <thead>
          <tr>
            {columns.map(column => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, index) => (
            <tr key={index}>
              {row.map((value, at) => (
                <td key={at}>
                  {typeof value === 'number' ? number(value) : (value ?? '–')}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < all && (
        <p>{trans.__('%1 of %2 rows', shown.length, all.toLocaleString())}</p>
      )}
    </div>
  );
}

function tableOf(table: IFrameProps['table']): ITable {
  return typeof table === 'function' ? table() : table;
}

/** A table as CSV; numbers with all their digits. */
export function csv(table: ITable): string {
  const cell = (value: string | number | null) => {
    const text = value === null ? '' : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  return [table.columns, ...table.rows]
    .map(row => row.map(cell).join(',') + '\r\n')
    .join('');
}

/** Let the browser keep a table as a file. */
export function saveTable(table: ITable, title: string): void {
  const blob = new Blob([csv(table)], { type: 'text/csv' });
  const url = URL.createObjectURL(blob);
  downloaded(url, title, 'csv');
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Let the browser keep what is at a URL, in a file that is called after `title`. */
export function downloaded(url: string, title: string, ending: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = `${title.replace(/[^\w.-]+/g, '-').slice(0, 100) || 'chart'}.${ending}`;
  link.click();
}

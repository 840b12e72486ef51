import { InputDialog, Notification } from '@jupyterlab/apputils';
import React from 'react';

import { number, percent } from '../../components/format';
import { useStudio } from '../../components/hooks';
import { Popover } from '../../components/popover';
import { notifyError } from '../../core/errors';
import { openActions } from '../../core/menu';
import { useView, useViewStore } from '../hooks';
import { grouped, hidden, type IColumnState, paned } from '../state';
import { openInNotebook } from './actions';
import { Chooser } from './chooser';
import type { Measure } from './columns';
import { csv, exported, exportedParquet, saved } from './export';
import { headed, parsed } from './fields';
import { questionOf } from './question';

const ATTRIBUTES = [
  'status',
  'experiment',
  'trial',
  'source_kind',
  'starred',
  'owner'
];

/** What is above the table: its columns, its groups, what is new, exports. */
export function Bar(props: {
  columns: readonly IColumnState[];
  measure: Measure;
  news: React.ReactNode;
}): React.JSX.Element {
  const { columns } = props;
  const groups = useView(state => state.groups);
  return (
    <div className="jp-StudioTable-bar">
      <Chooser columns={columns} />
      <Groups columns={columns} />
      {groups.length > 0 && <Measures measure={props.measure} />}
      <Hidden />
      <span role="status" className="jp-StudioTable-news">
        {props.news}
      </span>
      <Export columns={columns} />
    </div>
  );
}

function Groups(props: {
  columns: readonly IColumnState[];
}): React.JSX.Element {
  const { trans } = useStudio();
  const store = useViewStore();
  const groups = useView(state => state.groups);
  const set = (next: readonly string[]) => store.change(grouped(next));
  const offered = [
    ...ATTRIBUTES,
    ...props.columns.map(each => each.field).filter(isGroupable)
  ].filter((field, at, all) => all.indexOf(field) === at);
  return (
    <Popover
      button={
        groups.length
          ? trans.__('Grouped by %1', groups.map(title).join(', '))
          : trans.__('Group')
      }
      label={trans.__('Groups')}
    >
      <ol className="jp-StudioTable-groups">
        {groups.map((field, at) => (
          <li key={field}>
            <span>{title(field)}</span>
            <button
              aria-label={trans.__('Move %1 outwards', title(field))}
              disabled={!at}
              onClick={() => set(swapped(groups, at))}
            >
              ↑
            </button>
            <button
              aria-label={trans.__('Do not group by %1', title(field))}
              onClick={() => set(groups.filter(each => each !== field))}
            >
              ×
            </button>
          </li>
        ))}
      </ol>
      <select
        aria-label={trans.__('Group by')}
        value=""
        onChange={event => set([...groups, event.target.value])}
      >
        <option value="" disabled>
          {groups.length
            ? trans.__('… and within these by')
            : trans.__('Group by …')}
        </option>
        {offered
          .filter(field => !groups.includes(field))
          .map(field => (
            <option key={field} value={field}>
              {title(field)}
            </option>
          ))}
      </select>
    </Popover>
  );

  function title(field: string): string {
    return headed(field, trans).title;
  }
}

function Measures(props: { measure: Measure }): React.JSX.Element {
  const { trans } = useStudio();
  const store = useViewStore();
  return (
    <select
      aria-label={trans.__('What groups tell')}
      value={props.measure}
      onChange={event =>
        store.change(paned('table', { measure: event.target.value }))
      }
    >
      <option value="interval">{trans.__('mean ± 95 % interval')}</option>
      <option value="deviation">{trans.__('mean ± standard deviation')}</option>
      <option value="range">{trans.__('least – greatest')}</option>
    </select>
  );
}

function Hidden(): React.JSX.Element | null {
  const { trans } = useStudio();
  const store = useViewStore();
  const names = useView(state => state.hidden);
  return names.length ? (
    <button
      className="jp-StudioButton jp-mod-minimal"
      title={trans.__('Show them in charts again')}
      onClick={() => store.change(hidden(names, false))}
    >
      {trans.__('%1 hidden in charts', number(names.length))} ×
    </button>
  ) : null;
}

function Export(props: {
  columns: readonly IColumnState[];
}): React.JSX.Element {
  const studio = useStudio();
  const { client, trans } = studio;
  const store = useViewStore();
  const [progress, setProgress] = React.useState('');
  const fields = ['display_name', ...props.columns.map(each => each.field)];
  const saveParquet = async () => {
    const { value } = await InputDialog.getText({
      title: trans.__('Export as Parquet'),
      label: trans.__('File, from the top of the file browser'),
      text: 'components.parquet',
      okLabel: trans.__('Export')
    });
    const to = value?.trim();
    if (!to) {
      return;
    }
    const { query, names } = store.state;
    const told = (share: number) => setProgress(percent(share));
    setProgress(percent(0));
    try {
      const rows = await exportedParquet(
        client,
        { query, names: names && [...names], fields, to },
        told
      );
      Notification.success(
        trans._n(
          '%2 component in %3',
          '%2 components in %3',
          rows,
          number(rows),
          to
        ),
        { autoClose: 4000 }
      );
    } catch (error) {
      notifyError(trans.__('Not exported'), error);
    }
    setProgress('');
  };
  const saveCsv = async () => {
    const parts: string[] = [];
    const question = questionOf(store.state);
    const told = (done: number, all: number) =>
      setProgress(trans.__('%1 of %2', number(done), number(all)));
    try {
      let rows = -1;
      for await (const part of exported(client, question, fields, told)) {
        parts.push(csv(part));
        rows += part.length;
      }
      saved(parts, 'components.csv', 'text/csv');
      Notification.success(
        trans._n(
          '%2 component saved',
          '%2 components saved',
          rows,
          number(rows)
        ),
        { autoClose: 4000 }
      );
    } catch (error) {
      notifyError(trans.__('Not exported'), error);
    }
    setProgress('');
  };
  const open = (event: React.MouseEvent) =>
    openActions(
      [
        { label: trans.__('All that match as CSV'), run: () => void saveCsv() },
        {
          label: trans.__('All that match as Parquet…'),
          run: () => void saveParquet()
        },
        {
          label: trans.__('Open as DataFrame in a notebook'),
          run: () => openInNotebook(studio, store.state, fields)
        }
      ],
      event
    );
  return (
    <button
      className="jp-StudioButton"
      aria-haspopup="menu"
      disabled={progress !== ''}
      onClick={open}
    >
      {progress || trans.__('Export')} ▾
    </button>
  );
}

function isGroupable(field: string): boolean {
  const kind = parsed(field)?.kind;
  return kind === 'param' || kind === 'tag';
}

function swapped(list: readonly string[], at: number): string[] {
  const next = [...list];
  [next[at - 1], next[at]] = [next[at], next[at - 1]];
  return next;
}

import { Notification } from '@jupyterlab/apputils';
import React from 'react';

import { asked } from '../components/ask';
import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import { confirmed } from '../core/confirm';
import { notifyError, told } from '../core/errors';
import type { IStudio } from '../tokens';
import type { studio } from '../wire';

type Table = studio.ListImageRowsResponse;
type Row = studio.KeptImageRow;

interface IDraft extends Row {
  /** What was wrong with it when it was sent. */
  error: string;
  /** Targets that there are. */
  targets: string[];
}

/** The notification that offers to undo the last change. */
let undoable = '';

/** Ask for a row, and put it behind the others of this home. */
export function addRow(
  app: IStudio,
  table: Table,
  refresh: () => void
): Promise<void> {
  const { trans } = app;
  return askAndPut(app, table, refresh, {
    title: trans.__('Add a row'),
    accept: trans.__('Add'),
    done: trans.__('The row was added.'),
    first: { Pattern: '', Target: '' },
    rows: row => [...own(table), row]
  });
}

/** Ask how a row shall be. */
export function editRow(
  app: IStudio,
  table: Table,
  refresh: () => void,
  pattern: string
): Promise<void> {
  const { trans } = app;
  return askAndPut(app, table, refresh, {
    title: trans.__('Edit the row'),
    accept: trans.__('Save'),
    done: trans.__('The row was changed.'),
    first: own(table).find(each => each.Pattern === pattern)!,
    rows: row => own(table).map(each => (each.Pattern === pattern ? row : each))
  });
}

/** Let a row be asked before the one above it. */
export async function riseRow(
  app: IStudio,
  table: Table,
  refresh: () => void,
  pattern: string
): Promise<void> {
  const rows = own(table);
  const at = rows.findIndex(each => each.Pattern === pattern);
  rows.splice(at - 1, 0, ...rows.splice(at, 1));
  await put(app, table, refresh, rows, app.trans.__('The row was moved.'));
}

/** Ask, then remove a row. */
export async function removeRow(
  app: IStudio,
  table: Table,
  refresh: () => void,
  pattern: string
): Promise<void> {
  const { trans } = app;
  const sure = await confirmed(
    trans.__('Remove this row?'),
    trans.__(
      'Jobs that start after that, and servers that are started anew, go by the rows below it.'
    ),
    trans.__('Remove'),
    [pattern]
  );
  if (sure) {
    const left = own(table).filter(each => each.Pattern !== pattern);
    await put(app, table, refresh, left, trans.__('The row was removed.'));
  }
}

/** The rows of this home, without what only the table knows of them. */
function own(table: Table): Row[] {
  return table.Rows.filter(each => each.Editable).map(
    ({ Pattern, Target }) => ({ Pattern, Target })
  );
}

/** Ask until what was said is taken, or nothing is wanted any more. */
async function askAndPut(
  app: IStudio,
  table: Table,
  refresh: () => void,
  how: {
    title: string;
    accept: string;
    done: string;
    first: Row;
    rows: (row: Row) => Row[];
  }
): Promise<void> {
  const targets = [...new Set(table.Rows.map(each => each.Target))].sort();
  let row = how.first;
  let error = '';
  for (;;) {
    const said = await asked<IDraft>(app, {
      title: how.title,
      accept: how.accept,
      first: { ...row, error, targets },
      fields: Fields
    });
    if (!said) {
      return;
    }
    row = { Pattern: said.Pattern.trim(), Target: said.Target.trim() };
    try {
      await send(app, table, refresh, how.rows(row), how.done);
      return;
    } catch (refusal) {
      error = told(refusal);
      refresh();
    }
  }
}

async function put(
  app: IStudio,
  table: Table,
  refresh: () => void,
  rows: Row[],
  done: string
): Promise<void> {
  try {
    await send(app, table, refresh, rows, done);
  } catch (error) {
    notifyError(app.trans.__('The rows are as they were'), error);
    refresh();
  }
}

/** Replace the rows of this home, and offer to have the ones before back. */
async function send(
  app: IStudio,
  table: Table,
  refresh: () => void,
  rows: Row[],
  done: string
): Promise<void> {
  const { client, trans } = app;
  const after = await client.call('studio', 'UpdateImageRows', {
    Rows: rows,
    Revision: table.Revision
  });
  refresh();
  // Only the last change can be undone as it was.
  if (undoable) {
    Notification.dismiss(undoable);
  }
  undoable = Notification.success(done, {
    autoClose: 20_000,
    actions: [
      {
        label: trans.__('Undo'),
        callback: () =>
          void put(app, after, refresh, own(table), trans.__('Undone.'))
      }
    ]
  });
}

function Fields(props: {
  value: IDraft;
  onChange: (value: IDraft) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { value, onChange } = props;
  const list = React.useId();
  return (
    <>
      <Field
        label={trans.__('Pattern')}
        help={trans.__(
          'Of a whole URI, or of a repository with or without its tag. * stands for anything: my-team/*'
        )}
        required
      >
        {ids => (
          <input
            {...ids}
            type="text"
            value={value.Pattern}
            onChange={event =>
              onChange({ ...value, Pattern: event.target.value })
            }
          />
        )}
      </Field>
      <Field
        label={trans.__('Runs')}
        help={trans.__(
          'Scripts of a framework (script:sklearn), an algorithm (algorithm:xgboost), or the image of a container.'
        )}
        required
      >
        {ids => (
          <input
            {...ids}
            type="text"
            list={list}
            value={value.Target}
            onChange={event =>
              onChange({ ...value, Target: event.target.value })
            }
          />
        )}
      </Field>
      {value.error && (
        <p className="jp-StudioImages-error" role="alert">
          {value.error}
        </p>
      )}
      <datalist id={list}>
        {value.targets.map(each => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </>
  );
}

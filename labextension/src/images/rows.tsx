import React from 'react';

import { Empty } from '../components/empty';
import { useStudio } from '../components/hooks';
import { Scroll } from '../components/scroll';
import type { studio } from '../wire';
import { editRow, removeRow, riseRow } from './edit';

interface IProps {
  table: studio.ListImageRowsResponse;
  shown: (row: studio.ImageRow) => boolean;
  refresh: () => void;
}

/** The rows of the table, in the order in which they are asked. */
export function Rows(props: IProps): React.JSX.Element {
  const { trans } = useStudio();
  const rows = props.table.Rows.filter(props.shown);
  if (!rows.length) {
    return <Empty title={trans.__('Nothing matches the filter')} />;
  }
  return (
    <>
      <p className="jp-StudioJob-none">
        {trans.__(
          'The first pattern that matches holds. What matches none runs in a container of its own. Rows of the setting come first, then those of this home, then those of Studio.'
        )}
      </p>
      <Scroll label={trans.__('What image URIs run as')}>
        <table className="jp-StudioImages-table">
          <thead>
            <tr>
              <th scope="col">{trans.__('Pattern')}</th>
              <th scope="col">{trans.__('Runs')}</th>
              <th scope="col">{trans.__('With a script')}</th>
              <th scope="col">{trans.__('As')}</th>
              <th scope="col">{trans.__('From')}</th>
              <th scope="col">
                <span className="jp-StudioStatus-hidden">
                  {trans.__('Actions')}
                </span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((each, index) => (
              <tr key={index}>
                <th scope="row">
                  <code>{each.Pattern}</code>
                </th>
                <td>
                  <code>{each.Target}</code>
                </td>
                <td>
                  {each.ScriptTarget ? <code>{each.ScriptTarget}</code> : '–'}
                </td>
                <td>
                  {isContainer(each.Target)
                    ? trans.__('container')
                    : trans.__('process')}
                </td>
                <td>
                  {each.Editable
                    ? trans.__('this home')
                    : each.Own
                      ? trans.__('the setting')
                      : trans.__('Studio')}
                </td>
                <td>{each.Editable && <Actions {...props} row={each} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}

function Actions(props: IProps & { row: studio.ImageRow }): React.JSX.Element {
  const app = useStudio();
  const { trans } = app;
  const { row, table, refresh } = props;
  const first = table.Rows.find(each => each.Editable) === row;
  const actions: [string, string, typeof editRow, boolean?][] = [
    [trans.__('Edit'), trans.__('Edit the row %1', row.Pattern), editRow],
    [trans.__('Up'), trans.__('Ask %1 earlier', row.Pattern), riseRow, first],
    [trans.__('Remove'), trans.__('Remove the row %1', row.Pattern), removeRow]
  ];
  return (
    <span className="jp-StudioImages-actions">
      {actions.map(([label, title, act, disabled]) => (
        <button
          key={label}
          className="jp-StudioButton jp-mod-minimal"
          aria-label={title}
          title={title}
          disabled={disabled}
          onClick={() => void act(app, table, refresh, row.Pattern)}
        >
          {label}
        </button>
      ))}
    </span>
  );
}

/** Targets that are neither an algorithm nor scripts are images. */
function isContainer(target: string): boolean {
  return !/^(algorithm|script):/.test(target);
}

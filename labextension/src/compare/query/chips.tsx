import React from 'react';

import { useStudio } from '../../components/hooks';
import { useView, useViewStore } from '../hooks';
import { asked } from '../state';
import { clauses, withClause, withoutClause } from './tokens';

/** The conditions of the query one by one, to be taken away; and those that are often wanted. */
export function Chips(): React.JSX.Element {
  const { trans } = useStudio();
  const store = useViewStore();
  const query = useView(state => state.query);
  const names = useView(state => state.names);
  const parts = clauses(query);
  const quick: [string, string][] = [
    [trans.__('Completed'), 'status == "Completed"'],
    [trans.__('In progress'), 'status == "InProgress"'],
    [trans.__('Failed'), 'status == "Failed"'],
    [trans.__('Starred'), 'starred'],
    [trans.__('Last day'), 'created_at > ago("1d")']
  ];
  const own = parts.filter(
    part => !quick.some(([, clause]) => clause === part)
  );
  const set = (next: string) => store.change(asked(next));
  return (
    <div
      className="jp-StudioQuery-chips"
      role="group"
      aria-label={trans.__('Filters')}
    >
      {names && (
        <button
          className="jp-StudioChip jp-mod-on"
          title={trans.__('Show all components again')}
          onClick={() => store.change(state => ({ ...state, names: null }))}
        >
          {trans._n('This component', 'These %1 components', names.length)}{' '}
          <span aria-hidden="true">×</span>
        </button>
      )}
      {own.map(part => (
        <button
          key={part}
          className="jp-StudioChip jp-mod-on"
          title={trans.__('Take this condition away')}
          onClick={() => set(withoutClause(query, part))}
        >
          <code>{part}</code> <span aria-hidden="true">×</span>
        </button>
      ))}
      {quick.map(([label, clause]) => {
        const on = parts.includes(clause);
        return (
          <button
            key={clause}
            className={`jp-StudioChip ${on ? 'jp-mod-on' : ''}`}
            aria-pressed={on}
            title={clause}
            onClick={() =>
              set(on ? withoutClause(query, clause) : withClause(query, clause))
            }
          >
            {label}
          </button>
        );
      })}
    </div>
  );
}

import React from 'react';

import { Problem } from '../../components/empty';
import { number } from '../../components/format';
import { Grid, type IColumn } from '../../components/grid';
import { useSignal, useStudio } from '../../components/hooks';
import { Popover } from '../../components/popover';
import { Windows } from '../../core/windows';
import type { studio } from '../../wire';
import { useWhose } from '../fields';
import { useViewStore } from '../hooks';
import { columned, type IColumnState } from '../state';
import { added, moved, without } from './changes';
import { type Aspect, ASPECTS, aspects, headed, withAspect } from './fields';

const PAGE = 50;
const MOST_ADDED = 1000;
const MOST_LISTED = 200;

type Kind = 'attribute' | 'metric' | 'parameter' | 'tag';

/** Chooses the columns of the table among all fields that there are, and their order. */
export function Chooser(props: {
  columns: readonly IColumnState[];
}): React.JSX.Element {
  const { trans } = useStudio();
  const [open, setOpen] = React.useState(false);
  return (
    <Popover
      button={trans.__('Columns (%1)', number(props.columns.length))}
      label={trans.__('Columns')}
      onToggle={setOpen}
    >
      {open && <Choice columns={props.columns} />}
    </Popover>
  );
}

function Choice(props: {
  columns: readonly IColumnState[];
}): React.JSX.Element {
  const { trans, client } = useStudio();
  const store = useViewStore();
  const { columns } = props;
  const [find, setFind] = React.useState('');
  const [kind, setKind] = React.useState<Kind | ''>('');
  const [aspect, setAspect] = React.useState<Aspect>('last');
  const of = useWhose();
  const asked = React.useMemo(
    () => ({
      ...of,
      ...(find && { Contains: find }),
      ...(kind && { Kinds: [kind] })
    }),
    [of, find, kind]
  );
  const fields = useFields(asked);
  const shown = React.useMemo(
    () => new Set(columns.map(each => each.field)),
    [columns]
  );
  const set = (next: readonly IColumnState[]) => store.change(columned(next));
  const keyOf = (row: studio.TrialComponentField) =>
    withAspect(row.Field, aspect);
  const select = (keys: ReadonlySet<string>) => {
    const gone = [...shown].filter(field => !keys.has(field));
    set(added(without(columns, gone), [...keys]));
  };
  const matching = async () => {
    const { Fields } = await client.call('studio', 'ListTrialComponentFields', {
      ...asked,
      Limit: MOST_ADDED
    });
    return Fields.map(keyOf);
  };
  const total = fields.total ?? 0;
  return (
    <div className="jp-StudioTable-chooser">
      <div className="jp-StudioTable-choices">
        <div className="jp-StudioTable-bar">
          <input
            type="search"
            autoFocus
            aria-label={trans.__('Find fields')}
            placeholder={trans.__('Find fields')}
            value={find}
            onChange={event => setFind(event.target.value)}
          />
          <KindSelect kind={kind} onChange={setKind} />
          <AspectSelect aspect={aspect} onChange={setAspect} />
        </div>
        {fields.error !== null && (
          <Problem error={fields.error} retry={() => fields.invalidate()} />
        )}
        <Grid
          label={trans.__('Fields')}
          columns={useFieldColumns(shown, aspect)}
          count={total}
          row={index => fields.row(index)}
          keyOf={keyOf}
          onRange={React.useCallback(
            (first: number, last: number) => fields.ensure(first, last),
            [fields]
          )}
          selected={shown}
          onSelect={select}
          toggles
          onOpen={undefined}
        />
        <div className="jp-StudioTable-bar" role="status">
          <span>{trans._n('%2 field', '%2 fields', total, number(total))}</span>
          <button
            className="jp-StudioButton"
            disabled={!total}
            onClick={() =>
              void matching().then(these => set(added(columns, these)))
            }
          >
            {total > MOST_ADDED
              ? trans.__('Add the first %1', number(MOST_ADDED))
              : trans.__('Add all %1', number(total))}
          </button>
          <button
            className="jp-StudioButton"
            onClick={() =>
              void matching().then(these => set(without(columns, these)))
            }
          >
            {trans.__('Take these away')}
          </button>
          <button
            className="jp-StudioButton"
            onClick={() => store.change(columned(null))}
          >
            {trans.__('As at first')}
          </button>
        </div>
      </div>
      <Order columns={columns} set={set} />
    </div>
  );
}

function KindSelect(props: {
  kind: Kind | '';
  onChange: (kind: Kind | '') => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <select
      aria-label={trans.__('Kind of field')}
      value={props.kind}
      onChange={event => props.onChange(event.target.value as Kind | '')}
    >
      <option value="">{trans.__('All kinds')}</option>
      <option value="metric">{trans.__('Metrics')}</option>
      <option value="parameter">{trans.__('Parameters')}</option>
      <option value="tag">{trans.__('Tags')}</option>
      <option value="attribute">{trans.__('Of all')}</option>
    </select>
  );
}

function AspectSelect(props: {
  aspect: Aspect;
  onChange: (aspect: Aspect) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const names = aspects(trans);
  return (
    <select
      aria-label={trans.__('What of metrics')}
      value={props.aspect}
      onChange={event => props.onChange(event.target.value as Aspect)}
    >
      {ASPECTS.map(each => (
        <option key={each} value={each}>
          {names[each]}
        </option>
      ))}
    </select>
  );
}

/** The columns of the table in their order: dragged, or moved by their buttons. */
function Order(props: {
  columns: readonly IColumnState[];
  set: (columns: readonly IColumnState[]) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { columns, set } = props;
  const [dragged, setDragged] = React.useState<string | null>(null);
  const rest = columns.length - MOST_LISTED;
  return (
    <div className="jp-StudioTable-order">
      <h3>{trans.__('In this order')}</h3>
      <ol>
        {columns.slice(0, MOST_LISTED).map(({ field }) => {
          const { title, caption } = headed(field, trans);
          return (
            <li
              key={field}
              draggable
              title={field}
              onDragStart={() => setDragged(field)}
              onDragOver={event => dragged && event.preventDefault()}
              onDrop={() => dragged && set(moved(columns, dragged, field))}
            >
              <span>
                {title} <small>{caption}</small>
              </span>
              <button
                aria-label={trans.__('Move %1 up', title)}
                onClick={() => set(moved(columns, field, -1))}
              >
                ↑
              </button>
              <button
                aria-label={trans.__('Move %1 down', title)}
                onClick={() => set(moved(columns, field, 1))}
              >
                ↓
              </button>
              <button
                aria-label={trans.__('Take %1 away', title)}
                onClick={() => set(without(columns, [field]))}
              >
                ×
              </button>
            </li>
          );
        })}
      </ol>
      {rest > 0 && (
        <p>
          {trans.__(
            '%1 of %2 columns; drag the heads of the others.',
            number(MOST_LISTED),
            number(columns.length)
          )}
        </p>
      )}
    </div>
  );
}

function useFields(
  asked: studio.ListTrialComponentFieldsRequest
): Windows<studio.TrialComponentField> {
  const { client } = useStudio();
  const fields = React.useMemo(
    () =>
      new Windows<studio.TrialComponentField>({
        size: PAGE,
        load: async (Offset, Limit) => {
          const found = await client.call(
            'studio',
            'ListTrialComponentFields',
            { ...asked, Offset, Limit }
          );
          return { rows: found.Fields, total: found.Total };
        }
      }),
    [client, asked]
  );
  useSignal(fields.changed);
  React.useEffect(() => {
    fields.ensure(0, 0);
    return () => fields.dispose();
  }, [fields]);
  return fields;
}

function useFieldColumns(
  shown: ReadonlySet<string>,
  aspect: Aspect
): IColumn<studio.TrialComponentField>[] {
  const { trans } = useStudio();
  return React.useMemo(() => {
    const kinds: Record<string, string> = {
      metric: trans.__('metric'),
      parameter: trans.__('parameter'),
      tag: trans.__('tag'),
      attribute: ''
    };
    return [
      {
        id: 'name',
        title: trans.__('Field'),
        width: 220,
        cell: row =>
          `${shown.has(withAspect(row.Field, aspect)) ? '☑' : '☐'} ${row.Kind === 'attribute' ? headed(row.Field, trans).title : row.Name}`
      },
      {
        id: 'kind',
        title: trans.__('Kind'),
        width: 84,
        cell: row => kinds[row.Kind]
      },
      {
        id: 'components',
        title: trans.__('Components'),
        width: 96,
        numeric: true,
        cell: row => number(row.Components)
      }
    ];
  }, [trans, shown, aspect]);
}

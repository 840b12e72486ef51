import React from 'react';

import type { IPoint } from '../components/chart/chart';
import { plain } from '../components/chart/theme';
import { Empty } from '../components/empty';
import { useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import { usePage } from './context';
import { Figure } from './figure';
import { ColumnSelect, Columns } from './fields';
import { chartOfTwo, isScale } from './kinds';
import type { ColumnProfile } from '../core/protocol';

const FIRST_COLUMNS = 12;
const MOST_COLUMNS = 50;
const FIRST_PAIRS = 4;
const MOST_PAIRS = 6;

/** How columns go together: correlations, two of them in full, pairs. */
export function Relations(): React.JSX.Element {
  const { trans } = useStudio();
  const { profile, args, set, addChart } = usePage();
  const state = args.relations ?? {};
  const change = (changes: Partial<typeof state>) =>
    set({ relations: { ...state, ...changes } });
  const usable = profile.columns.filter(isUsable);
  if (usable.length < 2) {
    return (
      <Empty
        title={trans.__('There are not two columns to relate.')}
        hint={trans.__(
          'Columns of free text, of IDs and of nothing are left out.'
        )}
      />
    );
  }
  const columns =
    state.columns ?? usable.slice(0, FIRST_COLUMNS).map(({ name }) => name);
  const scales = columns.filter(name => isScale(profile.column(name)));
  const [x, y] = pairOf(
    usable,
    profile.column(state.x),
    profile.column(state.y) ?? usable.find(({ name }) => name === args.target)
  );
  const pick = (point: IPoint) => {
    const [across, up] = [point.x, point.y].map(label =>
      columns.find(name => isLabel(String(label), name))
    );
    if (across && up && across !== up) {
      change({ x: across, y: up });
    }
  };
  const two = chartOfTwo(x, y);
  const pairs = {
    kind: 'pair' as const,
    columns: scales.slice(0, state.columns ? MOST_PAIRS : FIRST_PAIRS),
    ...(state.color ? { color: state.color } : {})
  };
  const correlation = {
    kind: 'correlation' as const,
    columns: columns.slice(0, MOST_COLUMNS),
    ...(state.method === 'spearman' ? { method: state.method } : {})
  };
  return (
    <div className="jp-StudioData-relations">
      <div className="jp-StudioData-bar">
        <Columns
          label={trans.__('Columns')}
          columns={usable}
          chosen={columns}
          onChange={chosen => change({ columns: chosen })}
          most={MOST_COLUMNS}
        />
        <label>
          {trans.__('Correlation')}{' '}
          <select
            value={state.method ?? 'pearson'}
            onChange={event =>
              change({
                method:
                  event.target.value === 'spearman' ? 'spearman' : undefined
              })
            }
          >
            <option value="pearson">{trans.__('Pearson: of values')}</option>
            <option value="spearman">{trans.__('Spearman: of ranks')}</option>
          </select>
        </label>
        <label>
          {trans.__('Colour of pairs')}{' '}
          <ColumnSelect
            label={trans.__('Colour of pairs')}
            columns={profile.columns.filter(isClass)}
            value={state.color}
            onChange={color => change({ color })}
          />
        </label>
      </div>
      <div className="jp-StudioData-two">
        <Section title={trans.__('Correlations')}>
          {columns.length > 1 ? (
            <>
              <Figure spec={correlation} height={420} onPick={pick} />
              <p className="jp-StudioData-words">
                {trans.__(
                  'Click a cell, or choose two columns, to see them together.'
                )}
              </p>
            </>
          ) : (
            <Empty title={trans.__('Choose two columns or more.')} />
          )}
        </Section>
        <Section
          title={trans.__('Two columns')}
          actions={
            <>
              <ColumnSelect
                label={trans.__('X axis')}
                columns={usable}
                value={x.name}
                onChange={name => change({ x: name, y: y.name })}
                required
              />
              <ColumnSelect
                label={trans.__('Y axis')}
                columns={usable}
                value={y.name}
                onChange={name => change({ x: x.name, y: name })}
                required
              />
              <button
                className="jp-StudioButton jp-mod-minimal"
                onClick={() => addChart(two)}
              >
                {trans.__('Edit as chart')}
              </button>
            </>
          }
        >
          <Figure spec={two} height={420} />
        </Section>
      </div>
      {pairs.columns.length > 1 && (
        <Section
          title={trans.__('Pairs')}
          actions={
            <span className="jp-StudioData-words">
              {trans.__(
                '%1 of %2 chosen columns of numbers',
                pairs.columns.length,
                scales.length
              )}
            </span>
          }
        >
          <Figure spec={pairs} height={150 * pairs.columns.length + 60} />
        </Section>
      )}
    </div>
  );
}

/** Whether a chart's label, which may be cut, is that of a column. */
function isLabel(label: string, name: string): boolean {
  return label.endsWith('…')
    ? plain(name).startsWith(label.slice(0, -1))
    : plain(name) === label;
}

function isUsable(column: ColumnProfile): boolean {
  return (
    column.distinct > 1 &&
    column.semantic !== 'text' &&
    column.semantic !== 'id'
  );
}

/** Whether a column's values are few enough for a colour each. */
export function isClass(column: ColumnProfile): boolean {
  return (
    column.semantic === 'category' ||
    column.semantic === 'boolean' ||
    (column.distinct > 1 && column.distinct <= 10)
  );
}

/** The two columns that are looked at; without a choice, the first of numbers. */
function pairOf(
  usable: ColumnProfile[],
  x: ColumnProfile | undefined,
  y: ColumnProfile | undefined
): [ColumnProfile, ColumnProfile] {
  const candidates = [
    ...usable.filter(({ semantic }) => semantic === 'number'),
    ...usable
  ];
  const across = x ?? candidates.find(each => each !== y)!;
  return [across, y ?? candidates.find(each => each !== across)!];
}

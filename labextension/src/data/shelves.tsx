import React from 'react';

import { useStudio } from '../components/hooks';
import { usePage } from './context';
import { Columns, ColumnSelect, FIELD_MIME } from './fields';
import { kindLabel, KINDS, type Shelf, shelfLabel } from './kinds';
import type { Aggregate, ChartSpec, Kind } from '../core/protocol';

const MOST_BINS = 500;

/** Small drawings of the kinds, in a box of 24 by 16. */
const GLYPHS: Record<Kind, string> = {
  scatter: 'M4 11h2v2H4zM9 8h2v2H9zM13 10h2v2h-2zM16 4h2v2h-2zM20 6h2v2h-2z',
  regression: 'M2 14 22 3M5 9h2v2H5zM11 11h2v2h-2zM16 3h2v2h-2z',
  line: 'M2 13 8 6 14 10 22 3',
  timeseries:
    'M2 11 5 7 8 10 11 5 14 9 17 4 22 7M2 15H22M6 14v2M12 14v2M18 14v2',
  bar: 'M4 15V7h3v8zM10 15V3h3v12zM16 15V9h3v6z',
  count: 'M3 4h16v2H3zM3 8h11v2H3zM3 12h7v2H3z',
  histogram:
    'M3 15V11h3v4zM6 15V6h3v9zM9 15V3h3v12zM12 15V5h3v10zM15 15V10h3v5zM18 15V13h3v2z',
  box: 'M12 1V4M8 4h8v8H8zM8 8h8M12 12v3',
  violin: 'M12 1C13 5 17 6 16 9S13 12 12 15C11 12 9 12 8 9S11 5 12 1Z',
  heatmap:
    'M3 2h5v5H3zM10 2h5v5h-5zM17 2h5v5h-5zM3 9h5v5H3zM10 9h5v5h-5zM17 9h5v5h-5z',
  correlation: 'M3 2h4v4H3zM9 2h4v4H9zM3 8h4v4H3zM15 8h4v4h-4zM9 8h4v4H9z',
  pair: 'M3 1h8v6H3zM13 1h8v6h-8zM3 9h8v6H3zM13 9h8v6h-8zM6 4h1M16 5h1M18 3h1M5 12h1M8 11h1'
};

/** Kinds of charts to choose one of; arrows move. */
export function KindPicker(props: {
  kind: Kind;
  onChange: (kind: Kind) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const kinds = Object.keys(KINDS) as Kind[];
  const group = React.useRef<HTMLDivElement>(null);
  const move = (event: React.KeyboardEvent) => {
    const at = kinds.indexOf(props.kind);
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[
      event.key
    ];
    if (by) {
      event.preventDefault();
      const to = (at + by + kinds.length) % kinds.length;
      props.onChange(kinds[to]);
      (group.current?.children[to] as HTMLElement | undefined)?.focus();
    }
  };
  return (
    <div
      ref={group}
      className="jp-StudioData-kinds"
      role="radiogroup"
      aria-label={trans.__('Kind of chart')}
      onKeyDown={move}
    >
      {kinds.map(kind => (
        <button
          key={kind}
          role="radio"
          aria-checked={kind === props.kind}
          tabIndex={kind === props.kind ? 0 : -1}
          onClick={() => props.onChange(kind)}
        >
          <svg viewBox="0 0 24 16" aria-hidden="true">
            <path d={GLYPHS[kind]} />
          </svg>
          {kindLabel(kind, trans)}
        </button>
      ))}
    </div>
  );
}

/** The places that the kind has for columns; each takes a drop, too. */
export function Shelves(props: {
  spec: ChartSpec;
  onChange: (spec: ChartSpec) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { profile } = usePage();
  const { spec, onChange } = props;
  const kind = KINDS[spec.kind];
  return (
    <>
      {[...kind.needs, ...kind.takes].map(shelf => (
        <ShelfView
          key={shelf}
          shelf={shelf}
          needed={kind.needs.includes(shelf)}
          value={spec[shelf]}
          onChange={name => onChange({ ...spec, [shelf]: name })}
        />
      ))}
      {kind.columns && (
        <Columns
          label={trans.__('Columns')}
          columns={profile.columns}
          chosen={spec.columns ?? []}
          onChange={columns => onChange({ ...spec, columns })}
          most={kind.columns.most}
        />
      )}
    </>
  );
}

function ShelfView(props: {
  shelf: Shelf;
  needed: boolean;
  value: string | null | undefined;
  onChange: (name: string | undefined) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { profile } = usePage();
  const [over, setOver] = React.useState(false);
  const label = shelfLabel(props.shelf, trans);
  const takes = (event: React.DragEvent) =>
    event.dataTransfer.types.includes(FIELD_MIME);
  return (
    <div
      className={`jp-StudioData-shelf ${over ? 'jp-mod-over' : ''}`}
      onDragOver={event => {
        if (takes(event)) {
          event.preventDefault();
          setOver(true);
        }
      }}
      onDragLeave={() => setOver(false)}
      onDrop={event => {
        if (takes(event)) {
          event.preventDefault();
          setOver(false);
          props.onChange(event.dataTransfer.getData(FIELD_MIME));
        }
      }}
    >
      <span aria-hidden="true">
        {label}
        {props.needed ? ' *' : ''}
      </span>
      <ColumnSelect
        label={label}
        columns={profile.columns}
        value={props.value}
        onChange={props.onChange}
      />
    </div>
  );
}

/** What the kind lets be chosen beside its columns. */
export function Options(props: {
  spec: ChartSpec;
  onChange: (spec: ChartSpec) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { spec, onChange } = props;
  const kind = KINDS[spec.kind];
  const aggregates: [Aggregate, string][] = [
    ['count', trans.__('count')],
    ['sum', trans.__('sum')],
    ['mean', trans.__('mean')],
    ['median', trans.__('median')],
    ['min', trans.__('minimum')],
    ['max', trans.__('maximum')],
    ['std', trans.__('standard deviation')]
  ];
  return (
    <>
      {kind.aggregate && (
        <label className="jp-StudioData-option">
          {trans.__('Aggregate')}
          <select
            value={spec.aggregate ?? ''}
            onChange={event =>
              onChange({
                ...spec,
                aggregate: (event.target.value || undefined) as
                  Aggregate | undefined
              })
            }
          >
            <option value="">{trans.__('None')}</option>
            {aggregates.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
      )}
      {kind.bins && (
        <label className="jp-StudioData-option">
          {trans.__('Bins')}
          <input
            type="number"
            min={1}
            max={MOST_BINS}
            placeholder={trans.__('automatic')}
            value={spec.bins ?? ''}
            onChange={event =>
              onChange({ ...spec, bins: binsOf(event.target.value) })
            }
          />
        </label>
      )}
      {spec.kind === 'correlation' && (
        <label className="jp-StudioData-option">
          {trans.__('Method')}
          <select
            value={spec.method ?? 'pearson'}
            onChange={event =>
              onChange({
                ...spec,
                method: event.target.value as ChartSpec['method']
              })
            }
          >
            <option value="pearson">{trans.__('Pearson: of values')}</option>
            <option value="spearman">{trans.__('Spearman: of ranks')}</option>
          </select>
        </label>
      )}
    </>
  );
}

function binsOf(text: string): number | undefined {
  const bins = Math.round(Number(text));
  return bins >= 1 ? Math.min(bins, MOST_BINS) : undefined;
}

import React from 'react';

import { Chart, type IPoint } from '../../components/chart/chart';
import type { ITable } from '../../components/chart/frame';
import { useStudio } from '../../components/hooks';
import { usePalette } from '../colors';
import { type FieldKind, FieldPicker } from '../fields';
import { useView, useViewStore } from '../hooks';
import { type IComponents, valueAt } from '../rows';
import { chosen } from '../state';
import { bound, boundFields, specOf } from './custom';
import { figure, type IFigure } from './figures';
import { Importance } from './importance';
import { fieldsOf, type IChartState } from './settings';

const ALL: readonly FieldKind[] = ['parameter', 'metric', 'tag', 'attribute'];
const HEIGHT = 360;

interface ICardProps {
  chart: IChartState;
  components: IComponents;
  onChange: (changes: Partial<IChartState>, merge?: string) => void;
  onRemove: () => void;
}

/** One chart with what it is made of. */
export function Card(props: ICardProps): React.JSX.Element {
  const { trans } = useStudio();
  const { chart, onRemove } = props;
  return (
    <div className="jp-StudioScatter-card">
      <button
        className="jp-StudioButton jp-mod-minimal jp-StudioScatter-remove"
        aria-label={trans.__('Remove the chart %1', titleOf(chart))}
        title={trans.__('Remove the chart')}
        onClick={onRemove}
      >
        ✕
      </button>
      {chart.kind === 'custom' ? (
        <SpecEditor {...props} />
      ) : (
        <Fields {...props} />
      )}
      {chart.kind !== 'importance' ? (
        <Drawn {...props} />
      ) : (
        chart.y && <Importance metric={chart.y} />
      )}
    </div>
  );
}

function Drawn(props: ICardProps): React.JSX.Element {
  const { trans } = useStudio();
  const store = useViewStore();
  const palette = usePalette();
  const selection = useView(state => state.selection);
  const { chart, components } = props;
  const drawn = React.useMemo<IFigure | string>(() => {
    if (chart.kind === 'custom') {
      const { spec, problem } = specOf(chart.spec ?? '');
      return spec ? bound(spec, components) : problem!;
    }
    return figure(chart, components, palette, new Set(selection));
  }, [chart, components, palette, selection]);
  if (typeof drawn === 'string') {
    return (
      <p role="alert" className="jp-StudioProblem">
        {drawn}
      </p>
    );
  }
  const pick = (points: IPoint[] | null) => {
    const names = (points ?? [])
      .map(point => components.names[Number(point.customdata)])
      .filter(name => name !== undefined);
    // A bar and a cell of a map stand for no component.
    if (!points || names.length) {
      store.change(chosen(names));
    }
  };
  const { names, matched } = components;
  const there = names.length - drawn.missing;
  const notes = [
    drawn.drawn < there &&
      trans.__(
        'the first %1 of %2 points',
        drawn.drawn.toLocaleString(),
        there.toLocaleString()
      ),
    drawn.missing > 0
      ? trans.__(
          '%1 of %2 components: the others lack a value of it',
          there.toLocaleString(),
          names.length.toLocaleString()
        )
      : trans._n('%1 component', '%1 components', there),
    names.length < matched &&
      trans.__(
        'the first %1 of %2 that match',
        names.length.toLocaleString(),
        matched.toLocaleString()
      ),
    chart.kind === 'bar' && trans.__('means with their 95 % interval'),
    (chart.kind === 'heatmap' || chart.kind === 'contour') &&
      trans.__('means of cells')
  ].filter(Boolean);
  return (
    <Chart
      title={titleOf(chart)}
      summary={`${titleOf(chart)}. ${notes.join('; ')}`}
      data={drawn.data}
      layout={drawn.layout}
      height={HEIGHT}
      table={tableOf(chart, components, trans.__('Name'))}
      note={notes.join('; ')}
      onCatch={pick}
      onPick={point => pick([point])}
      actions={chart.kind === 'scatter' && <Drag {...props} />}
    />
  );
}

/** What a drag over the points does. */
function Drag({ chart, onChange }: ICardProps): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <select
      aria-label={trans.__('What dragging does')}
      value={chart.drag ?? 'zoom'}
      onChange={event =>
        onChange({ drag: event.target.value as IChartState['drag'] })
      }
    >
      <option value="zoom">{trans.__('drag zooms')}</option>
      <option value="lasso">{trans.__('lasso selects')}</option>
      <option value="select">{trans.__('box selects')}</option>
    </select>
  );
}

function Fields(props: ICardProps): React.JSX.Element {
  const { trans } = useStudio();
  const { chart, onChange } = props;
  const { kind } = chart;
  const pick = (
    key: 'x' | 'y' | 'z' | 'color' | 'size',
    label: string,
    numeric = false
  ) => (
    <FieldPicker
      label={label}
      kinds={ALL}
      numeric={numeric}
      value={chart[key]}
      empty={trans.__('a field')}
      onChange={field => onChange({ [key]: field })}
    />
  );
  const log = (key: 'logX' | 'logY', label: string) => (
    <label>
      <input
        type="checkbox"
        checked={!!chart[key]}
        onChange={event =>
          onChange({ [key]: event.target.checked || undefined })
        }
      />
      {label}
    </label>
  );
  const map = kind === 'heatmap' || kind === 'contour';
  return (
    <div className="jp-StudioScatter-fields">
      {kind !== 'importance' &&
        pick('x', kind === 'box' || kind === 'bar' ? trans.__('Groups') : 'x')}
      {pick(
        'y',
        kind === 'importance' ? trans.__('Metric') : 'y',
        kind !== 'scatter' && !map
      )}
      {map && pick('z', trans.__('Value'), true)}
      {kind === 'scatter' && (
        <>
          {pick('color', trans.__('Colour'))}
          {pick('size', trans.__('Size'), true)}
        </>
      )}
      {(kind === 'scatter' || map) && log('logX', trans.__('log x'))}
      {kind !== 'importance' && log('logY', trans.__('log y'))}
    </div>
  );
}

/** The JSON of a chart of one's own; what is wrong with it is said before it counts. */
function SpecEditor({ chart, onChange }: ICardProps): React.JSX.Element {
  const { trans } = useStudio();
  const [text, setText] = React.useState(chart.spec ?? '');
  React.useEffect(() => setText(chart.spec ?? ''), [chart.spec]);
  const { problem } = specOf(text);
  return (
    <form
      className="jp-StudioScatter-spec"
      onSubmit={event => {
        event.preventDefault();
        onChange({ spec: text });
      }}
    >
      <label>
        {trans.__(
          'Traces and layout of Plotly as JSON; "=param.depth" stands for the values of a field'
        )}
        <textarea
          spellCheck={false}
          rows={10}
          value={text}
          aria-invalid={!!problem}
          onChange={event => setText(event.target.value)}
        />
      </label>
      {problem && <p role="alert">{problem}</p>}
      <button
        className="jp-StudioButton jp-mod-accept"
        disabled={!!problem || text === chart.spec}
      >
        {trans.__('Draw')}
      </button>
    </form>
  );
}

/** What a chart is called: by its fields. */
function titleOf({ kind, x = '', y = '', z = '', spec }: IChartState): string {
  switch (kind) {
    case 'custom': {
      const found = specOf(spec ?? '').spec;
      return found ? boundFields(found).join(', ') : 'JSON';
    }
    case 'heatmap':
    case 'contour':
      return `${z}: ${x} × ${y}`;
    default:
      return `${y} · ${x}`;
  }
}

function tableOf(
  chart: IChartState,
  components: IComponents,
  name: string
): () => ITable {
  const spec = chart.kind === 'custom' ? specOf(chart.spec ?? '').spec : null;
  const fields = [...new Set(spec ? boundFields(spec) : fieldsOf(chart))];
  return () => ({
    columns: [name, ...fields],
    rows: components.names.map((each, at) => [
      each,
      ...fields.map(field => valueAt(components, field, at) ?? null)
    ])
  });
}

import React from 'react';

import { ChartFrame, type PictureFormat } from '../../components/chart/frame';
import { shades } from '../../components/chart/paint';
import { colorAt } from '../../components/chart/palette';
import { useTheme } from '../../components/chart/theme';
import { Empty, Problem, Skeleton } from '../../components/empty';
import { useStudio } from '../../components/hooks';
import { openActions } from '../../core/menu';
import { usePalette } from '../colors';
import { FieldPicker, useFields } from '../fields';
import { useComponents, useView, useViewStore } from '../hooks';
import { type IComponents, valueAt } from '../rows';
import { useSettings } from '../settings';
import { asked, chosen } from '../state';
import {
  axisOf,
  type Brush,
  caught,
  type IAxis,
  type IAxisState,
  type IParallelSettings
} from './axes';
import { ParallelPlot } from './plot';

type Settings = Partial<IParallelSettings>;
type Change = (changes: Settings, merge?: string) => void;

const PARAMETERS = 6;
const HEIGHT = 420;

/** The pane "Parallel": each component a line over axes of its parameters and metrics. */
export default function ParallelPane(): React.JSX.Element {
  const { trans } = useStudio();
  const [settings, change] = useSettings<IParallelSettings>('parallel');
  const parameters = useFields(['parameter'], { limit: PARAMETERS });
  const metrics = useFields(['metric'], { limit: 1 });
  const axes = React.useMemo<IAxisState[]>(
    () =>
      settings.axes ??
      [...parameters.fields, ...metrics.fields].map(({ Field }) => ({
        field: Field
      })),
    [settings.axes, parameters.fields, metrics.fields]
  );
  const colorBy = settings.colorBy ?? axes.at(-1)?.field;
  const fields = [...new Set([...axes.map(({ field }) => field), colorBy])];
  const { value, error, refresh } = useComponents(
    fields.filter(field => field !== undefined)
  );
  if (error && !value) {
    return <Problem error={error} retry={refresh} />;
  }
  if (!value || (parameters.loading && !axes.length)) {
    return <Skeleton />;
  }
  return (
    <div className="jp-StudioParallel">
      <div className="jp-StudioCharts-controls">
        <FieldPicker
          label={trans.__('Add axis')}
          kinds={['parameter', 'metric', 'tag', 'attribute']}
          value={undefined}
          onChange={field => {
            if (field && !axes.some(axis => axis.field === field)) {
              change({ axes: [...axes, { field }] });
            }
          }}
        />
        <FieldPicker
          label={trans.__('Colour')}
          kinds={['parameter', 'metric', 'tag', 'attribute']}
          value={settings.colorBy}
          empty={trans.__('last axis')}
          onChange={field => change({ colorBy: field })}
        />
        {settings.axes && (
          <button
            className="jp-StudioButton"
            onClick={() => change({ axes: undefined, brushes: undefined })}
          >
            {trans.__('Automatic axes')}
          </button>
        )}
      </div>
      {axes.length < 2 ? (
        <Empty
          title={trans.__('Choose two axes')}
          hint={trans.__(
            'Parameters and metrics that components log become axes by themselves.'
          )}
        />
      ) : (
        <Lines
          components={value}
          states={axes}
          colorBy={colorBy!}
          settings={settings}
          change={change}
        />
      )}
    </div>
  );
}

interface ILinesProps {
  components: IComponents;
  states: readonly IAxisState[];
  colorBy: string;
  settings: Settings;
  change: Change;
}

function Lines(props: ILinesProps): React.JSX.Element {
  const { trans } = useStudio();
  const store = useViewStore();
  const { components, states, colorBy, settings, change } = props;
  const axes = React.useMemo(
    () => states.map(state => axisOf(components, state, 8)),
    [components, states]
  );
  const { colors, ends } = useLineColors(components, colorBy);
  const pictures = React.useRef<
    (format: PictureFormat, title: string) => Promise<string | null>
  >(() => Promise.resolve(null));
  const brushes = settings.brushes ?? NONE;
  const front = useFront(components, Object.keys(brushes).length > 0);
  const brush = (field: string, given: Brush | null) => {
    const next = { ...brushes };
    delete next[field];
    if (given) {
      next[field] = given;
    }
    const found = caught(axes, next);
    const names = found?.map(at => components.names[at]) ?? [];
    store.change(state => {
      const { panes } = chosen(names)(state);
      return {
        ...chosen(names)(state),
        panes: { ...panes, parallel: { ...panes['parallel'], brushes: next } }
      };
    }, 'brush');
  };
  const shown = components.names.length;
  const title = trans.__('Parallel coordinates');
  const notes = [
    shown < components.matched
      ? trans.__(
          '%1 of %2 components, the first of the order',
          shown.toLocaleString(),
          components.matched.toLocaleString()
        )
      : trans._n('%1 component', '%1 components', shown),
    front && trans.__('%1 selected', front.size.toLocaleString())
  ].filter(Boolean);
  return (
    <ChartFrame
      title={title}
      table={() => ({
        columns: [trans.__('Name'), ...states.map(({ field }) => field)],
        rows: components.names.map((name, at) => [
          name,
          ...states.map(({ field }) => valueAt(components, field, at) ?? null)
        ])
      })}
      picture={(format, named) => pictures.current(format, named)}
      note={notes.join('; ')}
      actions={
        Object.keys(brushes).length > 0 && (
          <>
            <button
              className="jp-StudioButton"
              onClick={() => store.change(narrowed(axes, brushes))}
            >
              {trans.__('Keep only these in the query')}
            </button>
            <button
              className="jp-StudioButton"
              onClick={() => {
                change({ brushes: undefined });
                store.change(chosen([]));
              }}
            >
              {trans.__('Clear brushes')}
            </button>
          </>
        )
      }
    >
      <ColorLegend colorBy={colorBy} ends={ends} />
      <ParallelPlot
        components={components}
        axes={axes}
        colors={colors}
        front={front}
        brushes={brushes}
        height={HEIGHT}
        pictures={pictures}
        onBrush={brush}
        head={(axis, at) => (
          <Head axis={axis} at={at} states={states} change={change} />
        )}
      />
    </ChartFrame>
  );
}

const NONE: Record<string, Brush> = {};

/** The query with what the brushes say, which then say nothing more. */
function narrowed(
  axes: readonly IAxis[],
  brushes: Readonly<Record<string, Brush>>
): Parameters<ReturnType<typeof useViewStore>['change']>[0] {
  return state => {
    const said = axes
      .filter(({ field }) => brushes[field])
      .map(axis => axis.condition(brushes[axis.field]));
    const query = [state.query && `(${state.query})`, ...said]
      .filter(Boolean)
      .join(' and ');
    const parallel = { ...state.panes['parallel'] };
    delete (parallel as Settings).brushes;
    return { ...asked(query)(state), panes: { ...state.panes, parallel } };
  };
}

/** The places of what is selected, wherever that was done; null when nothing is and none brushed. */
function useFront(
  components: IComponents,
  brushed: boolean
): ReadonlySet<number> | null {
  const selection = useView(state => state.selection);
  return React.useMemo(() => {
    const wanted = new Set(selection);
    const found = components.names.flatMap((name, at) =>
      wanted.has(name) ? [at] : []
    );
    return selection.length || brushed ? new Set(found) : null;
  }, [components.names, selection, brushed]);
}

/** Colours of lines by a field: shades of numbers, the palette's colours of texts. */
function useLineColors(
  components: IComponents,
  field: string
): { colors: string[]; ends: [string, string][] } {
  const palette = usePalette();
  const theme = useTheme();
  return React.useMemo(
    () => {
      const axis = axisOf(components, { field }, 2);
      if (!axis.text) {
        const shade = shades(document.body);
        const grey = '#888888';
        return {
          colors: Array.from(axis.shares, share =>
            Number.isNaN(share) ? grey : shade(share)
          ),
          ends: [0, 0.25, 0.5, 0.75, 1].map(at => [axis.at(at), shade(at)])
        };
      }
      const texts = components.names.map((_, at) =>
        String(valueAt(components, field, at) ?? '–')
      );
      const names = [...new Set(texts)];
      const places = palette.places(names.map(name => `${field}=${name}`));
      const color = new Map(
        names.map((name, at) => [name, colorAt(document.body, places[at])])
      );
      return {
        colors: texts.map(text => color.get(text)!),
        ends: [...color].slice(0, 12)
      };
    },
    // The theme has the colours.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [components, field, palette, theme]
  );
}

function ColorLegend(props: {
  colorBy: string;
  ends: [string, string][];
}): React.JSX.Element {
  return (
    <div className="jp-StudioParallel-legend">
      <strong>{props.colorBy}</strong>
      {props.ends.map(([label, color]) => (
        <span key={label}>
          <i style={{ background: color }} aria-hidden="true" /> {label}
        </span>
      ))}
    </div>
  );
}

const DRAGGED = 'application/x-studio-axis';

/** The name of an axis: dragged to another place, with a menu for all that can be done. */
function Head(props: {
  axis: IAxis;
  at: number;
  states: readonly IAxisState[];
  change: Change;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { axis, at, states, change } = props;
  const replaced = (changes: Partial<IAxisState>) =>
    change({
      axes: states.map((state, i) =>
        i === at ? { ...state, ...changes } : state
      )
    });
  const moved = (from: number, to: number) => {
    const axes = [...states];
    axes.splice(to, 0, ...axes.splice(from, 1));
    change({ axes });
  };
  const menu = (event: React.MouseEvent) =>
    openActions(
      [
        {
          label: trans.__('Flip'),
          on: axis.flipped,
          run: () => replaced({ flipped: !axis.flipped })
        },
        {
          label: trans.__('Logarithmic'),
          on: axis.log,
          disabled: axis.text,
          run: () => replaced({ log: !axis.log })
        },
        {
          label: trans.__('Colour by it'),
          run: () => change({ colorBy: axis.field })
        },
        null,
        {
          label: trans.__('Move left'),
          disabled: at === 0,
          run: () => moved(at, at - 1)
        },
        {
          label: trans.__('Move right'),
          disabled: at === states.length - 1,
          run: () => moved(at, at + 1)
        },
        {
          label: trans.__('Remove'),
          run: () => change({ axes: states.filter((_, i) => i !== at) })
        }
      ],
      event
    );
  return (
    <button
      className="jp-StudioParallel-head"
      aria-haspopup="menu"
      title={axis.field}
      draggable
      onClick={menu}
      onDragStart={event => event.dataTransfer.setData(DRAGGED, String(at))}
      onDragOver={event => {
        if (event.dataTransfer.types.includes(DRAGGED)) {
          event.preventDefault();
        }
      }}
      onDrop={event => {
        event.preventDefault();
        moved(Number(event.dataTransfer.getData(DRAGGED)), at);
      }}
    >
      {axis.field}
      {axis.log ? ` (${trans.__('log')})` : ''} {axis.flipped ? '▾' : '▴'}
    </button>
  );
}

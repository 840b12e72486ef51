import React from 'react';

import { Cursor } from '../../components/chart/cursor';
import { Empty, Problem, Skeleton } from '../../components/empty';
import { useSignal, useStudio } from '../../components/hooks';
import { useColors, usePalette } from '../colors';
import { type IField, useFields } from '../fields';
import { useShown, useView, useViewStore } from '../hooks';
import { type IComponents, valueAt } from '../rows';
import { useSettings } from '../settings';
import { hidden } from '../state';
import { Controls } from './controls';
import { type ILegendItem, isHidden, Legend } from './legend';
import { type IStyle, styles } from './lines';
import { type ISpec, SeriesLoader } from './loader';
import { AddPanel } from './add';
import { PanelGrid } from './grid';
import { type IPanel, ordered, sections } from './panels';
import { type IChartsSettings, MOST_LINES } from './settings';

type Settings = Partial<IChartsSettings>;

/** Metrics of which there are charts at once. */
const MOST_METRICS = 1000;
/** Values of the field by which panels are made. */
const MOST_GROUPS = 12;

/** The pane "Charts": metrics of the components along steps or time. */
export default function ChartsPane(): React.JSX.Element {
  const { trans } = useStudio();
  const [settings, change] = useSettings<IChartsSettings>('charts');
  const most = settings.most ?? MOST_LINES;
  const { value, error, refresh } = useShown(fieldsOf(settings), most);
  const found = useFields(['metric'], {
    whose: 'chosen',
    limit: MOST_METRICS
  });
  if (error && !value) {
    return <Problem error={error} retry={refresh} />;
  }
  if (!value || (found.loading && !found.fields.length)) {
    return <Skeleton />;
  }
  if (!value.names.length) {
    return (
      <Empty
        title={trans.__('Nothing to draw')}
        hint={trans.__('No component matches: make the query wider.')}
      />
    );
  }
  if (!found.fields.length) {
    return (
      <Empty
        title={trans.__('No metrics yet')}
        hint={trans.__(
          'Log one with run.log_metric("loss", 0.5, step=1): its chart appears here while it runs.'
        )}
      />
    );
  }
  return (
    <Charts
      components={value}
      metrics={found.fields}
      total={found.total}
      settings={settings}
      change={change}
    />
  );
}

interface IChartsProps {
  components: IComponents;
  metrics: readonly IField[];
  total: number;
  settings: Settings;
  change: (changes: Settings, merge?: string) => void;
}

function Charts(props: IChartsProps): React.JSX.Element {
  const { trans } = useStudio();
  const { components, settings, change } = props;
  const [adding, setAdding] = React.useState(false);
  const looks = useLooks(components, settings);
  const items = useLegend(looks, settings);
  const loader = useLoader(settings, components.names);
  const cursor = React.useMemo(() => new Cursor(), []);
  const shown = React.useMemo(() => {
    const out = new Set(
      items.filter(it => isHidden(it, settings.solo)).map(it => it.key)
    );
    const keyOf = (look: IStyle) => (settings.colorBy ? look.group : look.name);
    return looks.filter(look => !out.has(keyOf(look)));
  }, [looks, items, settings.solo, settings.colorBy]);
  const metrics = JSON.stringify(props.metrics.map(({ Name }) => Name));
  // Fields are asked for again while components train: the same ones are the same panels.
  const names = React.useMemo(
    () => ordered(JSON.parse(metrics) as string[], settings.order ?? []),
    [metrics, settings.order]
  );
  const groups = settings.panelBy
    ? [...new Set(looks.map(({ panel }) => panel!))].slice(0, MOST_GROUPS)
    : null;
  const groupKey = JSON.stringify(groups);
  const { removed, added, search } = settings;
  const parts = React.useMemo(
    () =>
      sections(
        names,
        { removed, added, search },
        JSON.parse(groupKey) as string[] | null
      ),
    [names, removed, added, search, groupKey]
  );
  const onZoom = useZoom(change);
  return (
    <div className="jp-StudioCharts">
      <Controls
        settings={settings}
        change={change}
        onAdd={() => setAdding(true)}
      />
      {adding && (
        <AddPanel
          metrics={names}
          settings={settings}
          change={change}
          onDone={() => setAdding(false)}
        />
      )}
      <Trouble loader={loader} />
      <div className="jp-StudioCharts-body">
        <PanelGrid
          sections={parts}
          metrics={names}
          total={props.total}
          looks={shown}
          loader={loader}
          settings={settings}
          change={change}
          cursor={cursor}
          onZoom={onZoom}
        />
        {settings.legend !== false && (
          <SideLegend
            items={items}
            components={components}
            settings={settings}
            change={change}
          />
        )}
      </div>
      <span className="jp-StudioStatus-hidden" role="status">
        {trans.__('%1 lines in each chart at most', shown.length)}
      </span>
    </div>
  );
}

function fieldsOf(settings: Settings): string[] {
  const { colorBy, dashBy, panelBy } = settings;
  return [
    ...new Set(['color', colorBy, dashBy, panelBy].filter(each => !!each))
  ] as string[];
}

/** How the lines look; the same object while nothing of it changes. */
function useLooks(components: IComponents, settings: Settings): IStyle[] {
  const palette = usePalette();
  const colors = useColors(components.names, at => {
    const own = valueAt(components, 'color', at);
    return typeof own === 'string' && own ? own : undefined;
  });
  const made = styles(components, settings, colors, palette);
  const key = JSON.stringify(made);
  // Components change many times a second while they train: their lines do not.
  return React.useMemo(() => JSON.parse(key) as IStyle[], [key]);
}

function useLegend(
  looks: readonly IStyle[],
  settings: Settings
): ILegendItem[] {
  const out = useView(state => state.hidden);
  return React.useMemo(() => {
    const found = new Map<string, ILegendItem>();
    for (const look of looks) {
      const key = settings.colorBy ? look.group : look.name;
      const known = found.get(key);
      if (known) {
        known.count++;
        known.failed += Number(look.failed);
      } else {
        found.set(key, {
          key,
          title: settings.colorBy ? look.groupTitle : look.title,
          color: look.color,
          dash: look.dash,
          count: 1,
          failed: Number(look.failed),
          hidden: settings.colorBy
            ? !!settings.hiddenGroups?.includes(key)
            : out.includes(key)
        });
      }
    }
    return [...found.values()];
  }, [looks, out, settings.colorBy, settings.hiddenGroups]);
}

const POINTS_OF_FEW = 1000;
const POINTS_OF_MANY = 300;
const FEW = 20;

function useLoader(settings: Settings, names: readonly string[]): SeriesLoader {
  const { client, feed } = useStudio();
  const [loader, setLoader] = React.useState(
    () => new SeriesLoader(client, feed)
  );
  React.useEffect(() => {
    // A loader that a page of React's strict mode has thrown away is of no use any more.
    if (loader.isDisposed) {
      setLoader(new SeriesLoader(client, feed));
    }
    return () => loader.dispose();
  }, [loader, client, feed]);
  const key = JSON.stringify([specOf(settings, names.length), names]);
  // Asked for before the browser paints the pane around it: one does not wait for the other.
  React.useLayoutEffect(() => {
    const [spec, components] = JSON.parse(key) as [ISpec, string[]];
    loader.ask(spec, components);
  }, [loader, key]);
  return loader;
}

function specOf(settings: Settings, lines: number): ISpec {
  const { axis, xMetric, zoom } = settings;
  const points = lines > FEW ? POINTS_OF_MANY : POINTS_OF_FEW;
  // A little more than is shown: lines go on to the edges, and averages have a past.
  const air = zoom ? (zoom[1] - zoom[0]) / 10 : 0;
  const range = zoom ? ([zoom[0] - air, zoom[1] + air] as const) : null;
  switch (axis) {
    case 'time':
      return { axis: 'Time', range, points };
    case 'relative':
      return { axis: 'RelativeTime', range, points };
    case 'metric':
      return xMetric
        ? { axis: 'Metric', metric: xMetric, range, points }
        : { axis: 'Step', range, points };
    default:
      return { axis: 'Step', range, points };
  }
}

/** Zooms all charts along the x axis, one along its y axis; twice null shows all again. */
function useZoom(
  change: IChartsProps['change']
): (
  panel: IPanel,
  x: [number, number] | null,
  y: [number, number] | null
) => void {
  const store = useViewStore();
  return React.useCallback(
    (panel, x, y) => {
      const { heights, zoom } = (store.state.panes['charts'] ?? {}) as Settings;
      const others = { ...heights };
      delete others[panel.id];
      if (!x && !y) {
        change({ zoom: undefined, heights: others }, 'zoom');
      } else {
        change(
          {
            zoom: x ?? zoom,
            heights: y ? { ...others, [panel.id]: y } : heights
          },
          'zoom'
        );
      }
    },
    [store, change]
  );
}

function SideLegend(props: {
  items: readonly ILegendItem[];
  components: IComponents;
  settings: Settings;
  change: IChartsProps['change'];
}): React.JSX.Element {
  const { trans } = useStudio();
  const store = useViewStore();
  const { items, components, settings, change } = props;
  const { names, matched } = components;
  const grouped = !!settings.colorBy;
  const hide = (item: ILegendItem) => {
    if (grouped) {
      const groups = settings.hiddenGroups ?? [];
      change({
        hiddenGroups: item.hidden
          ? groups.filter(group => group !== item.key)
          : [...groups, item.key]
      });
    } else {
      store.change(hidden([item.key], !item.hidden));
    }
  };
  const showAll = () => {
    change({ solo: undefined, hiddenGroups: undefined });
    store.change(hidden(names, false));
  };
  return (
    <Legend
      items={items}
      grouped={grouped}
      solo={settings.solo}
      note={
        names.length < matched
          ? trans.__(
              '%1 of %2 components, the first of the order. Select others in the table.',
              names.length.toLocaleString(),
              matched.toLocaleString()
            )
          : undefined
      }
      onHide={hide}
      onSolo={item => change({ solo: item?.key })}
      onAll={showAll}
    />
  );
}

function Trouble(props: { loader: SeriesLoader }): React.JSX.Element | null {
  useSignal(props.loader.changed);
  return props.loader.error ? (
    <Problem error={props.loader.error} retry={() => props.loader.refresh()} />
  ) : null;
}

import React from 'react';

import type { Cursor } from '../../components/chart/cursor';
import { useStudio } from '../../components/hooks';
import type { MenuAction } from '../../core/menu';
import type { IStyle } from './lines';
import type { SeriesLoader } from './loader';
import { type IPanelProps, PanelChart } from './panel';
import { type IPanel, type ISection, OWN, reordered } from './panels';
import type { IChartsSettings } from './settings';

type Settings = Partial<IChartsSettings>;

interface IGridProps {
  sections: readonly ISection[];
  /** All metrics in their order. */
  metrics: readonly string[];
  /** How many there are. */
  total: number;
  looks: readonly IStyle[];
  loader: SeriesLoader;
  settings: Settings;
  change: (changes: Settings, merge?: string) => void;
  cursor: Cursor;
  onZoom: IPanelProps['onZoom'];
}

const FEW = 24;
/** Charts that are asked for before it is known which are in view. */
const SOON = 4;
/** Sections that are open at first. */
const OPEN = 8;
const HEIGHT = 240;
const LEAST = 120;
const STEP = 80;

/** The panels in their sections, which open and close. */
export function PanelGrid(props: IGridProps): React.JSX.Element {
  const { trans } = useStudio();
  const { settings, change, sections } = props;
  const turned = new Set(settings.turned);
  const toggle = (title: string) => {
    const others = (settings.turned ?? []).filter(each => each !== title);
    change({ turned: turned.has(title) ? others : [...others, title] });
  };
  const removed = settings.removed?.length ?? 0;
  return (
    <div className="jp-StudioCharts-sections">
      {sections.length === 0 && <p>{trans.__('No metric is called so.')}</p>}
      {sections.map((section, at) => (
        <Section
          key={section.title}
          {...props}
          section={section}
          titled={sections.length > 1}
          closed={turned.has(section.title) === at < OPEN}
          first={at === 0}
          onToggle={() => toggle(section.title)}
        />
      ))}
      {removed > 0 && (
        <button
          className="jp-StudioButton"
          onClick={() => change({ removed: undefined })}
        >
          {trans._n(
            'Bring back %1 removed chart',
            'Bring back %1 removed charts',
            removed
          )}
        </button>
      )}
      {props.metrics.length < props.total && (
        <p className="jp-StudioChart-note">
          {trans.__(
            '%1 of %2 metrics: those that most components have',
            props.metrics.length.toLocaleString(),
            props.total.toLocaleString()
          )}
        </p>
      )}
    </div>
  );
}

function Section(
  props: IGridProps & {
    section: ISection;
    titled: boolean;
    closed: boolean;
    first: boolean;
    onToggle: () => void;
  }
): React.JSX.Element {
  const { trans } = useStudio();
  const { section, titled, closed, settings } = props;
  const [more, setMore] = React.useState(false);
  const panels = more ? section.panels : section.panels.slice(0, FEW);
  const menu = useMenu(props);
  const title =
    section.title === OWN
      ? trans.__('Own charts')
      : section.title || trans.__('Charts');
  return (
    <section className="jp-StudioCharts-section" aria-label={title}>
      {titled && (
        <button
          className="jp-StudioCharts-title"
          aria-expanded={!closed}
          onClick={props.onToggle}
        >
          {closed ? '▸' : '▾'} {title}
          <span className="jp-StudioCharts-count">{section.panels.length}</span>
        </button>
      )}
      {!closed && (
        <div className="jp-StudioCharts-grid">
          {panels.map((panel, at) => (
            <Placed key={panel.id} {...props} panel={panel}>
              <PanelChart
                panel={panel}
                looks={props.looks}
                loader={props.loader}
                settings={settings}
                cursor={props.cursor}
                onZoom={props.onZoom}
                menu={menu}
                handle={handleOf(panel)}
                height={settings.sizes?.[panel.id]?.height ?? HEIGHT}
                first={props.first && at < SOON}
              />
            </Placed>
          ))}
        </div>
      )}
      {!closed && panels.length < section.panels.length && (
        <button className="jp-StudioButton" onClick={() => setMore(true)}>
          {trans.__(
            'Show all charts (%1 of %2 are shown)',
            panels.length,
            section.panels.length
          )}
        </button>
      )}
    </section>
  );
}

const DRAGGED = 'application/x-studio-panel';

function handleOf(panel: IPanel): React.HTMLAttributes<HTMLElement> {
  return {
    draggable: true,
    onDragStart: event => {
      event.dataTransfer.setData(DRAGGED, panel.metrics[0]);
      event.dataTransfer.effectAllowed = 'move';
    }
  };
}

/** The cell of a panel: other panels are dropped on it, and its corner is dragged. */
function Placed(
  props: React.PropsWithChildren<IGridProps & { panel: IPanel }>
): React.JSX.Element {
  const { panel, settings, change, metrics } = props;
  const size = settings.sizes?.[panel.id];
  const node = React.useRef<HTMLDivElement>(null);
  return (
    <div
      ref={node}
      className="jp-StudioCharts-cell"
      style={{ gridColumn: `span ${size?.columns ?? 1}` }}
      onDragOver={event => {
        if (event.dataTransfer.types.includes(DRAGGED)) {
          event.preventDefault();
        }
      }}
      onDrop={event => {
        const moved = event.dataTransfer.getData(DRAGGED);
        if (moved) {
          event.preventDefault();
          change({ order: reordered(metrics, moved, panel.metrics[0]) });
        }
      }}
    >
      {props.children}
      <div
        className="jp-StudioCharts-corner"
        aria-hidden="true"
        onPointerDown={event => {
          const height = size?.height ?? HEIGHT;
          resize(event, node.current!, height, size?.columns ?? 1, changes =>
            change(
              { sizes: { ...settings.sizes, [panel.id]: changes } },
              'size'
            )
          );
        }}
      />
    </div>
  );
}

/** Follow the pointer from a corner: pixels down, columns to the right. */
function resize(
  event: React.PointerEvent,
  cell: HTMLElement,
  height: number,
  columns: number,
  done: (size: { height: number; columns: number }) => void
): void {
  event.preventDefault();
  const [x, y] = [event.clientX, event.clientY];
  const column = cell.offsetWidth / columns;
  const corner = event.currentTarget as HTMLElement;
  corner.setPointerCapture(event.pointerId);
  const move = (moved: PointerEvent) =>
    done({
      height: Math.max(LEAST, Math.round(height + moved.clientY - y)),
      columns: Math.max(1, columns + Math.round((moved.clientX - x) / column))
    });
  corner.addEventListener('pointermove', move);
  corner.addEventListener(
    'pointerup',
    () => corner.removeEventListener('pointermove', move),
    { once: true }
  );
}

/** What the keys do that the mouse does by dragging. */
function useMenu(
  props: IGridProps & { section: ISection }
): (panel: IPanel) => MenuAction[] {
  const { trans } = useStudio();
  const { settings, change, metrics, section } = props;
  return React.useCallback(
    panel => {
      const size = settings.sizes?.[panel.id] ?? {};
      const resized = (changes: { height?: number; columns?: number }) =>
        change({
          sizes: { ...settings.sizes, [panel.id]: { ...size, ...changes } }
        });
      const [metric] = panel.metrics;
      const { panels } = section;
      const at = panels.indexOf(panel);
      const moved = (by: number) => {
        const target = panels[at + by].metrics[0];
        change({ order: reordered(metrics, metric, target) });
      };
      const columns = size.columns ?? 1;
      const height = size.height ?? HEIGHT;
      const own = settings.added?.find(({ id }) => panel.id.startsWith(id));
      return [
        {
          label: trans.__('Wider'),
          run: () => resized({ columns: columns + 1 })
        },
        {
          label: trans.__('Narrower'),
          disabled: columns === 1,
          run: () => resized({ columns: columns - 1 })
        },
        {
          label: trans.__('Taller'),
          run: () => resized({ height: height + STEP })
        },
        {
          label: trans.__('Less tall'),
          disabled: height - STEP < LEAST,
          run: () => resized({ height: height - STEP })
        },
        null,
        {
          label: trans.__('Move forward'),
          disabled: !!own || at <= 0,
          run: () => moved(-1)
        },
        {
          label: trans.__('Move back'),
          disabled: !!own || at === panels.length - 1,
          run: () => moved(1)
        },
        {
          label: trans.__('Remove'),
          run: () =>
            own
              ? change({ added: settings.added!.filter(each => each !== own) })
              : change({ removed: [...(settings.removed ?? []), metric] })
        }
      ];
    },
    [settings, change, metrics, section, trans]
  );
}

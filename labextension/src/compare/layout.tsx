import React from 'react';

import { Boundary } from '../components/boundary';
import { Skeleton } from '../components/empty';
import { useStudio } from '../components/hooks';
import { useView, useViewStore } from './hooks';
import { fetchAhead, PANE, paneLabels } from './panes';
import { opened, type PaneId, shared } from './state';

const STEP = 0.05;

/** The panes in view: one, or two with an edge between them that can be moved. */
export function Layout(): React.JSX.Element {
  const { shown, split, share } = useView(state => state.layout);
  React.useEffect(fetchAhead, []);
  const two = shown.length > 1;
  const sizes = two
    ? `minmax(0, ${share}fr) auto minmax(0, ${1 - share}fr)`
    : '1fr';
  return (
    <div
      className={`jp-StudioCompare-layout jp-mod-${split}`}
      style={
        split === 'beside'
          ? { gridTemplateColumns: sizes }
          : { gridTemplateRows: sizes }
      }
    >
      <Place place={0} pane={shown[0]} />
      {two && <Edge />}
      {two && <Place place={1} pane={shown[1]} />}
    </div>
  );
}

/** One place: the tabs of all panes, and the one that is chosen here. */
function Place(props: { place: number; pane: PaneId }): React.JSX.Element {
  const { trans } = useStudio();
  const store = useViewStore();
  const { place, pane } = props;
  const base = React.useId();
  const labels = paneLabels(trans);
  const show = (id: PaneId) => store.change(opened(id, place));
  const move = (event: React.KeyboardEvent) => {
    const at = labels.findIndex(([id]) => id === pane);
    const to = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      Home: 0,
      End: labels.length - 1
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      const [next] = labels[(to + labels.length) % labels.length];
      show(next);
      document.getElementById(`${base}-${next}`)?.focus();
    }
  };
  const Shown = PANE[pane];
  return (
    <div className="jp-StudioTabs jp-StudioCompare-place">
      <div
        role="tablist"
        aria-label={place ? trans.__('Second pane') : trans.__('Panes')}
        onKeyDown={move}
      >
        {labels.map(([id, label]) => (
          <button
            key={id}
            id={`${base}-${id}`}
            role="tab"
            aria-selected={id === pane}
            aria-controls={`${base}-panel`}
            tabIndex={id === pane ? 0 : -1}
            onClick={() => show(id)}
          >
            {label}
          </button>
        ))}
      </div>
      <div
        role="tabpanel"
        id={`${base}-panel`}
        className="jp-StudioCompare-pane"
        aria-labelledby={`${base}-${pane}`}
        tabIndex={-1}
      >
        <Boundary key={pane}>
          <React.Suspense fallback={<Skeleton />}>
            <Shown view={store} />
          </React.Suspense>
        </Boundary>
      </div>
    </div>
  );
}

/** The edge between two panes: drag it, or give it the focus and press the arrows. */
function Edge(): React.JSX.Element {
  const { trans } = useStudio();
  const store = useViewStore();
  const { split, share } = useView(state => state.layout);
  const beside = split === 'beside';
  const drag = (event: React.PointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    const node = event.currentTarget;
    const box = node.parentElement!.getBoundingClientRect();
    node.setPointerCapture(event.pointerId);
    node.onpointermove = move => {
      const at = beside
        ? (move.clientX - box.left) / box.width
        : (move.clientY - box.top) / box.height;
      store.change(shared(at), 'share');
    };
    node.onpointerup = () => (node.onpointermove = node.onpointerup = null);
  };
  const press = (event: React.KeyboardEvent) => {
    const by = {
      ArrowLeft: -STEP,
      ArrowUp: -STEP,
      ArrowRight: STEP,
      ArrowDown: STEP
    }[event.key];
    if (by) {
      event.preventDefault();
      store.change(shared(share + by), 'share');
    }
  };
  return (
    <div
      role="separator"
      className="jp-StudioCompare-edge"
      aria-label={trans.__('Share of the first pane')}
      aria-orientation={beside ? 'vertical' : 'horizontal'}
      aria-valuenow={Math.round(100 * share)}
      aria-valuemin={10}
      aria-valuemax={90}
      tabIndex={0}
      onPointerDown={drag}
      onKeyDown={press}
    />
  );
}

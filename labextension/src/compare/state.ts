import type {
  PartialJSONObject,
  ReadonlyPartialJSONObject
} from '@lumino/coreutils';

/** The panes of a view, in the order of their tabs. */
export const PANES = [
  'table',
  'charts',
  'parallel',
  'scatter',
  'diff',
  'artifacts',
  'logs',
  'lineage'
] as const;

export type PaneId = (typeof PANES)[number];

/** A column of the table: a field, and how it is shown. */
export interface IColumnState {
  field: string;
  width?: number;
  /** Stands at the left and stays there. */
  pinned?: boolean;
  /** Cells are tinted by their value. */
  scale?: boolean;
}

export interface ISortState {
  field: string;
  descending: boolean;
}

/** Which panes are in view, one or two, and how they share the room. */
export interface ILayoutState {
  shown: readonly PaneId[];
  split: 'beside' | 'below';
  /** Share of the first of two, 0 to 1. */
  share: number;
}

/** Settings of one pane: plain JSON that only the pane understands. */
export type PaneSettings = ReadonlyPartialJSONObject;

/**
 * All that a view is: what its file, its link and its undo history hold.
 *
 * It is never changed, only replaced (`store.change`). Components go by their names.
 */
export interface IViewState {
  /** Text of the query language; "" for all. */
  query: string;
  /** The components that the view is about, which the query narrows; null for all there are. */
  names: readonly string[] | null;
  /** What is chosen in every pane, in the order in which it was chosen. */
  selection: readonly string[];
  /** What the others are compared with. */
  base: string | null;
  /** What charts leave out. */
  hidden: readonly string[];
  /** Colours given in this view: name to a CSS colour. */
  colors: Readonly<Record<string, string>>;
  /** Columns of the table; null for those it chooses itself. */
  columns: readonly IColumnState[] | null;
  sort: readonly ISortState[];
  /** Fields by which components are grouped, outermost first. */
  groups: readonly string[];
  layout: ILayoutState;
  /** Settings of panes by their id. */
  panes: Readonly<Record<string, PaneSettings>>;
}

/** A view that nobody has touched. */
export const INITIAL: IViewState = {
  query: '',
  names: null,
  selection: [],
  base: null,
  hidden: [],
  colors: {},
  columns: null,
  sort: [{ field: 'created_at', descending: true }],
  groups: [],
  layout: { shown: ['table'], split: 'beside', share: 0.5 },
  panes: {}
};

/** What makes another state of a state. */
export type Change = (state: IViewState) => IViewState;

/** Another query. */
export function asked(query: string): Change {
  return state => ({ ...state, query });
}

/** Exactly these are chosen. */
export function chosen(names: Iterable<string>): Change {
  return state => ({ ...state, selection: [...new Set(names)] });
}

/** One more is chosen, or one less. */
export function toggled(name: string): Change {
  return state => ({ ...state, selection: flipped(state.selection, name) });
}

/** Charts leave these out, or show them again. */
export function hidden(names: Iterable<string>, hide: boolean): Change {
  return state => {
    const given = [...names];
    const kept = state.hidden.filter(name => !given.includes(name));
    return { ...state, hidden: hide ? [...kept, ...given] : kept };
  };
}

/** A component is drawn in a colour of its own; null for that of the palette. */
export function colored(name: string, color: string | null): Change {
  return state => {
    const colors = { ...state.colors };
    delete colors[name];
    return { ...state, colors: color ? { ...colors, [name]: color } : colors };
  };
}

/** The others are compared with this one; null for none. */
export function based(base: string | null): Change {
  return state => ({ ...state, base });
}

/** Another order. */
export function sorted(sort: readonly ISortState[]): Change {
  return state => ({ ...state, sort });
}

/** Other groups. */
export function grouped(groups: readonly string[]): Change {
  return state => ({ ...state, groups });
}

/** Other columns of the table. */
export function columned(columns: readonly IColumnState[] | null): Change {
  return state => ({ ...state, columns });
}

/** Settings of a pane: merged into those it has; a value of undefined removes. */
export function paned(pane: PaneId, settings: Record<string, unknown>): Change {
  return state => ({
    ...state,
    panes: {
      ...state.panes,
      [pane]: plain({ ...state.panes[pane], ...settings })
    }
  });
}

/** A pane comes to the front of one of the places, the first when not said. */
export function opened(pane: PaneId, place = 0): Change {
  return state => {
    const shown = [...state.layout.shown];
    const other = shown.indexOf(pane);
    if (other >= 0 && other !== place) {
      shown[other] = shown[place];
    }
    shown[place] = pane;
    return { ...state, layout: { ...state.layout, shown } };
  };
}

/** Two panes side by side or one below the other, or one alone. */
export function split(way: ILayoutState['split'] | null): Change {
  return state => {
    const { shown } = state.layout;
    if (!way) {
      return { ...state, layout: { ...state.layout, shown: [shown[0]] } };
    }
    const second = shown[1] ?? (shown[0] === 'table' ? 'charts' : 'table');
    const layout = { ...state.layout, split: way, shown: [shown[0], second] };
    return { ...state, layout };
  };
}

/** The first pane gets this share of the room. */
export function shared(share: number): Change {
  return state => ({
    ...state,
    layout: { ...state.layout, share: Math.min(0.9, Math.max(0.1, share)) }
  });
}

/** What a change does to components that are gone: nothing of them is kept. */
export function forgotten(names: Iterable<string>): Change {
  const gone = new Set(names);
  const left = (each: readonly string[]) => each.filter(it => !gone.has(it));
  return state => ({
    ...state,
    selection: left(state.selection),
    hidden: left(state.hidden),
    base: state.base !== null && gone.has(state.base) ? null : state.base,
    names: state.names && left(state.names)
  });
}

function flipped(list: readonly string[], item: string): string[] {
  return list.includes(item)
    ? list.filter(each => each !== item)
    : [...list, item];
}

function plain(value: Record<string, unknown>): PartialJSONObject {
  return JSON.parse(JSON.stringify(value)) as PartialJSONObject;
}

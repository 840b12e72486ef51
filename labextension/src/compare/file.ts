import type {
  PartialJSONObject,
  ReadonlyPartialJSONObject
} from '@lumino/coreutils';

import {
  type IColumnState,
  INITIAL,
  type ISortState,
  type IViewState,
  type PaneId,
  PANES,
  type PaneSettings
} from './state';

/** The format of the files; a newer one may say what this does not know. */
export const FORMAT = 1;

/** What was read, and what could not be: the member that is wrong, or the whole. */
export interface IParsed {
  state: IViewState;
  /** The text is no view at all: it must not be overwritten unasked. */
  broken: boolean;
  /** Members that were left out, because they are wrong or unknown. */
  ignored: string[];
  /** The format of a file that is newer than this program. */
  newer: number | null;
}

/** A state as plain JSON: what is as in a new view is left out. */
export function written(state: IViewState): PartialJSONObject {
  const members = Object.entries(state).filter(
    ([key, value]) =>
      JSON.stringify(value) !== JSON.stringify(INITIAL[key as keyof IViewState])
  );
  return JSON.parse(
    JSON.stringify(Object.fromEntries(members))
  ) as PartialJSONObject;
}

/** The text of a file: one member a line or more, so that versions can be compared. */
export function serialised(state: IViewState): string {
  return `${JSON.stringify({ studioview: FORMAT, ...written(state) }, null, 2)}\n`;
}

/** The view that a text says; an empty text is a new view. */
export function parsed(text: string): IParsed {
  if (!text.trim()) {
    return { state: INITIAL, broken: false, ignored: [], newer: null };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (!isObject(value) || typeof value['studioview'] !== 'number') {
    return { state: INITIAL, broken: true, ignored: [], newer: null };
  }
  const { studioview, ...members } = value;
  return {
    ...read(members as ReadonlyPartialJSONObject),
    broken: false,
    newer: studioview > FORMAT ? studioview : null
  };
}

/** The state that members say, each checked by itself: what is wrong is as in a new view. */
export function read(members: ReadonlyPartialJSONObject): {
  state: IViewState;
  ignored: string[];
} {
  const state: Record<string, unknown> = { ...INITIAL };
  const ignored: string[] = [];
  for (const [key, value] of Object.entries(members)) {
    const found = READERS[key as keyof IViewState]?.(value);
    if (found === undefined) {
      ignored.push(key);
    } else {
      state[key] = found;
    }
  }
  return { state: state as unknown as IViewState, ignored };
}

/** Undefined where a value is none of its kind. */
type Reader<T> = (value: unknown) => T | undefined;

const READERS: { [K in keyof IViewState]: Reader<IViewState[K]> } = {
  query: value => (typeof value === 'string' ? value : undefined),
  names: value => (value === null ? null : texts(value)),
  selection: texts,
  base: value => (value === null ? null : text(value)),
  hidden: texts,
  colors: value => {
    const every = isObject(value) ? Object.values(value) : [0];
    return every.every(each => typeof each === 'string')
      ? (value as Record<string, string>)
      : undefined;
  },
  columns: value => (value === null ? null : listOf(value, column)),
  sort: value => listOf(value, order),
  groups: texts,
  layout,
  panes: value =>
    isObject(value) && Object.values(value).every(isObject)
      ? (value as Record<string, PaneSettings>)
      : undefined
};

function column(value: unknown): IColumnState | undefined {
  if (!isObject(value) || typeof value['field'] !== 'string') {
    return undefined;
  }
  const { width } = value;
  const right = width === undefined || (typeof width === 'number' && width > 0);
  return right ? (value as unknown as IColumnState) : undefined;
}

function order(value: unknown): ISortState | undefined {
  return isObject(value) && typeof value['field'] === 'string'
    ? { field: value['field'], descending: value['descending'] === true }
    : undefined;
}

function layout(value: unknown): IViewState['layout'] | undefined {
  if (!isObject(value)) {
    return undefined;
  }
  const known = (texts(value['shown']) ?? []).filter(each =>
    PANES.includes(each as PaneId)
  ) as PaneId[];
  const shown = [...new Set(known)].slice(0, 2);
  const share = value['share'];
  return {
    shown: shown.length ? shown : INITIAL.layout.shown,
    split: value['split'] === 'below' ? 'below' : 'beside',
    share: typeof share === 'number' ? Math.min(0.9, Math.max(0.1, share)) : 0.5
  };
}

function listOf<T>(value: unknown, one: Reader<T>): T[] | undefined {
  if (!Array.isArray(value)) {
    return undefined;
  }
  const found = value.map(one);
  return found.includes(undefined) ? undefined : (found as T[]);
}

function texts(value: unknown): string[] | undefined {
  return listOf(value, text);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

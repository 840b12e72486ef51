import type { PartialJSONObject } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import React from 'react';

import type { StudioView } from '../core/documents';
import type { FeedEvent } from '../core/feed';
import { Live } from '../core/live';
import type { IStudio } from '../tokens';

export const StudioContext = React.createContext<IStudio | null>(null);

/** What the plugin gave to this page. */
export function useStudio(): IStudio {
  const studio = React.useContext(StudioContext);
  if (!studio) {
    throw new Error('Studio components must be rendered below StudioContext.');
  }
  return studio;
}

/** Render again whenever `signal` is emitted. */
export function useSignal<S, A>(signal: ISignal<S, A>): void {
  const [, again] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const slot = () => again();
    signal.connect(slot);
    return () => {
      signal.disconnect(slot);
    };
  }, [signal]);
}

/** What `load` fetches, kept up to date by the events for which `when` is true. */
export function useLive<T>(
  load: (signal: AbortSignal) => Promise<T>,
  when: (event: FeedEvent) => boolean,
  deps: React.DependencyList,
  paceMs?: number
): {
  value: T | undefined;
  error: unknown;
  loading: boolean;
  refresh: () => void;
} {
  const { feed } = useStudio();
  const [live, setLive] = React.useState<Live<T> | null>(null);
  const [, again] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const made = new Live<T>({ feed, load, when, paceMs });
    const slot = () => again();
    made.changed.connect(slot);
    setLive(made);
    return () => made.dispose();
    // The caller says what the fetch depends on.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [feed, ...deps]);
  const refresh = React.useCallback(() => void live?.refresh(), [live]);
  return {
    value: live?.value,
    error: live?.error ?? null,
    loading: live?.loading ?? true,
    refresh
  };
}

/** The arguments of a page, typed, and the function that changes them. */
export function useArgs<A extends object>(
  view: StudioView
): [A, (changes: Partial<A>) => void] {
  useSignal(view.argsChanged);
  const set = React.useCallback(
    (changes: Partial<A>) => view.setArgs(changes as PartialJSONObject),
    [view]
  );
  return [view.args as A, set];
}

/** Seconds that go on counting while `running`: the page shows them without a fetch. */
export function useNow(running: boolean, everyMs = 1000): number {
  const [now, setNow] = React.useState(() => Date.now());
  React.useEffect(() => {
    if (!running) {
      return;
    }
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [running, everyMs]);
  return now;
}

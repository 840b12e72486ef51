import React from 'react';

import { useView, useViewStore } from './hooks';
import { type PaneId, paned } from './state';

/** What a pane keeps in the view, and the function that changes some of it; undefined removes. */
export function useSettings<S extends object>(
  pane: PaneId
): [Partial<S>, (changes: Partial<S>, merge?: string) => void] {
  const store = useViewStore();
  const settings = useView(state => state.panes[pane]) as
    Partial<S> | undefined;
  const change = React.useCallback(
    (changes: Partial<S>, merge?: string) =>
      store.change(paned(pane, changes as Record<string, unknown>), merge),
    [store, pane]
  );
  return [settings ?? NONE, change];
}

const NONE = {};

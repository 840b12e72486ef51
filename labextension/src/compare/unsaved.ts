import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { StudioView } from '../core/documents';
import { read, written } from './file';
import { type IViewState, opened, type PaneId, PANES } from './state';
import { ViewStore } from './store';

const stores = new WeakMap<StudioView, ViewStore>();

/** The store of a view that is no file: its page's arguments keep the state. */
export function storeOf(view: StudioView): ViewStore {
  let store = stores.get(view);
  if (!store) {
    store = bound(view);
    stores.set(view, store);
  }
  return store;
}

/** The state that arguments say: members of a file, and `pane` for the pane to begin with. */
export function stateOf(args: ReadonlyPartialJSONObject): IViewState {
  const { pane, ...members } = args;
  const { state } = read(members);
  return PANES.includes(pane as PaneId) ? opened(pane as PaneId)(state) : state;
}

function bound(view: StudioView): ViewStore {
  const store = new ViewStore(stateOf(view.args));
  store.changed.connect(() => {
    const gone = Object.keys(view.args).map(key => [key, undefined]);
    view.setArgs({
      ...(Object.fromEntries(gone) as Record<string, undefined>),
      ...written(store.state)
    });
  });
  view.argsChanged.connect(() => {
    const state = stateOf(view.args);
    store.change(() => state);
  });
  view.disposed.connect(() => store.dispose());
  return store;
}

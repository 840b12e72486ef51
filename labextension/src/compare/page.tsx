import React from 'react';

import type { StudioView } from '../core/documents';
import { Bar } from './bar';
import { ViewContext } from './hooks';
import { Layout } from './layout';
import type { ViewStore } from './store';
import { storeOf } from './unsaved';

/** A view as one sees it, whatever keeps it. */
export function Compare(props: {
  store: ViewStore;
  /** Whether it is a file. */
  saved: boolean;
}): React.JSX.Element {
  return (
    <ViewContext.Provider value={props.store}>
      <div
        className={`jp-StudioPage jp-StudioCompare ${props.saved ? '' : 'jp-mod-unsaved'}`}
      >
        <Bar saved={props.saved} />
        <Layout />
      </div>
    </ViewContext.Provider>
  );
}

/** A view that is no file yet. */
export function ComparePage(props: { view: StudioView }): React.JSX.Element {
  return <Compare store={storeOf(props.view)} saved={false} />;
}

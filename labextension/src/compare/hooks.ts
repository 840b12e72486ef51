import React from 'react';

import { useLive, useStudio } from '../components/hooks';
import { Windows } from '../core/windows';
import { useKept } from './kept';
import {
  concerns,
  type IAsked,
  type IComponents,
  type IRow,
  query,
  requested
} from './rows';
import type { IViewState } from './state';
import type { IViewStore } from './store';

/** Components change all the time while they train: what shows many of them follows at this pace. */
const PACE_MS = 500;
const PAGE = 200;

export const ViewContext = React.createContext<IViewStore | null>(null);

/** The store of the view in which this is drawn. */
export function useViewStore(): IViewStore {
  const store = React.useContext(ViewContext);
  if (!store) {
    throw new Error('Panes must be rendered below ViewContext.');
  }
  return store;
}

/** A part of the view's state; draws again when that part becomes another. */
export function useView<T>(select: (state: IViewState) => T): T {
  const store = useViewStore();
  const subscribe = React.useCallback(
    (changed: () => void) => {
      const slot = () => changed();
      store.changed.connect(slot);
      return () => {
        store.changed.disconnect(slot);
      };
    },
    [store]
  );
  return React.useSyncExternalStore(subscribe, () => select(store.state));
}

/** Components of the view with these fields, at most 10,000, kept up to date. */
export function useComponents(
  fields: readonly string[],
  more: Omit<IAsked, 'fields'> = {}
): {
  value: IComponents | undefined;
  error: unknown;
  loading: boolean;
  refresh: () => void;
} {
  const { client } = useStudio();
  const request = useRequest({ ...more, fields });
  const question = React.useMemo(() => JSON.stringify(request), [request]);
  const { last, keep } = useKept<IComponents>(useViewStore(), question);
  const { value = last, ...found } = useLive(
    async signal =>
      request.Names?.length === 0
        ? NONE
        : keep(await query(client, request, signal)),
    concerns,
    [client, request],
    PACE_MS
  );
  return { value, ...found };
}

/** The components that charts draw: those that are chosen, or else the first `most` that match. */
export function useShown(
  fields: readonly string[],
  most: number
): ReturnType<typeof useComponents> {
  const selection = useView(state => state.selection);
  const names = selection.length ? selection : undefined;
  return useComponents(fields, { names, limit: most });
}

/** All components that match, fetched in windows as they are looked at. */
export function useWindows(fields: readonly string[]): Windows<IRow> {
  const { client, feed } = useStudio();
  const request = useRequest({ fields });
  const windows = React.useMemo(() => {
    const asked = { request };
    const rows = new Windows<IRow>({
      size: PAGE,
      load: async (Offset, Limit) => {
        const found = await query(client, { ...asked.request, Offset, Limit });
        return { rows: rowsOf(found), total: found.matched };
      }
    });
    return { asked, rows };
    // Another question is asked of the same windows: what is shown stays until it is answered.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client]);
  React.useEffect(() => {
    if (windows.asked.request !== request) {
      windows.asked.request = request;
      windows.rows.reset();
    }
  }, [windows, request]);
  React.useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const slot = (_: unknown, event: Parameters<typeof concerns>[0]) => {
      if (event.type === 'reset' || concerns(event)) {
        timer ??= setTimeout(() => {
          timer = undefined;
          windows.rows.invalidate();
        }, PACE_MS);
      }
    };
    feed.events.connect(slot);
    return () => {
      clearTimeout(timer);
      feed.events.disconnect(slot);
    };
  }, [feed, windows]);
  return windows.rows;
}

/** The request for what is asked of the view as it is now; the same object while it is the same. */
export function useRequest(asked: IAsked): ReturnType<typeof requested> {
  const of = useView(state => state.query);
  const names = useView(state => state.names);
  const sort = useView(state => state.sort);
  const text = JSON.stringify(requested({ query: of, names, sort }, asked));
  return React.useMemo(
    () => JSON.parse(text) as ReturnType<typeof requested>,
    [text]
  );
}

function rowsOf(components: IComponents): IRow[] {
  return components.names.map((_, at) => ({ components, at }));
}

const NONE: IComponents = {
  total: 0,
  matched: 0,
  names: [],
  arns: [],
  titles: [],
  statuses: [],
  values: new Map()
};

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { type PaneId, PANES } from './state';
import type { IViewStore } from './store';

/** What a pane's folder exports. */
export type Pane = React.ComponentType<{ view: IViewStore }>;

type Fetch = () => Promise<{ default: Pane }>;

const FETCH: Record<PaneId, Fetch> = {
  table: () => import('./table'),
  charts: () => import('./charts'),
  parallel: () => import('./parallel'),
  scatter: () => import('./scatter'),
  diff: () => import('./diff'),
  artifacts: () => import('./artifacts'),
  logs: () => import('./logs'),
  lineage: () => import('./lineage')
};

/** The panes, each fetched when it is first shown, if it was not before. */
export const PANE = Object.fromEntries(
  PANES.map(id => [id, React.lazy(FETCH[id])])
) as Record<PaneId, React.LazyExoticComponent<Pane>>;

const SETTLED_MS = 500;

/**
 * Fetch the panes that nobody has asked for yet, one after the other, while the browser has
 * nothing better to do; what is answered is called to stop.
 */
export function fetchAhead(): () => void {
  const left = [...PANES];
  const next = () => {
    const id = left.shift();
    if (id) {
      // What fails is asked for again when it is shown.
      FETCH[id]().then(
        () => idle(next),
        () => undefined
      );
    }
  };
  const timer = setTimeout(next, SETTLED_MS);
  return () => {
    clearTimeout(timer);
    left.length = 0;
  };
}

/** Not every browser tells when it is idle. */
function idle(run: () => void): void {
  if ('requestIdleCallback' in window) {
    window.requestIdleCallback(run);
  } else {
    setTimeout(run, SETTLED_MS);
  }
}

/** What the panes are called, in the order of their tabs. */
export function paneLabels(trans: TranslationBundle): [PaneId, string][] {
  const labels: Record<PaneId, string> = {
    table: trans.__('Table'),
    charts: trans.__('Charts'),
    parallel: trans.__('Parallel'),
    scatter: trans.__('Scatter'),
    diff: trans.__('Diff'),
    artifacts: trans.__('Artifacts'),
    logs: trans.__('Logs'),
    lineage: trans.__('Lineage')
  };
  return PANES.map(id => [id, labels[id]]);
}

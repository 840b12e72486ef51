import React from 'react';

import type { IViewStore } from './store';

const MOST = 12;

const answers = new WeakMap<IViewStore, Map<string, unknown>>();

/**
 * The last answer to a question that was asked in this view, and the function that keeps the next.
 *
 * Whoever comes back to a pane sees what was there, while it is asked for anew.
 */
export function useKept<T>(
  store: IViewStore,
  question: string
): {
  last: T | undefined;
  keep: (answer: T) => T;
} {
  const keep = React.useCallback(
    (answer: T) => {
      const kept = answers.get(store) ?? new Map<string, unknown>();
      answers.set(store, kept);
      kept.delete(question);
      kept.set(question, answer);
      if (kept.size > MOST) {
        kept.delete(kept.keys().next().value!);
      }
      return answer;
    },
    [store, question]
  );
  return { last: answers.get(store)?.get(question) as T | undefined, keep };
}

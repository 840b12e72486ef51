/** What a value was before and after, for undo and redo. */
export interface IHistory<T> {
  past: T[];
  future: T[];
}

const DEPTH = 100;

/** The history after `value` gave way to another. */
export function changed<T>(history: IHistory<T>, value: T): IHistory<T> {
  return { past: [...history.past.slice(1 - DEPTH), value], future: [] };
}

/** One step back: the value of then, and the history that knows of `value`. */
export function undone<T>(
  history: IHistory<T>,
  value: T
): [T, IHistory<T>] | null {
  const past = [...history.past];
  const then = past.pop();
  return then === undefined
    ? null
    : [then, { past, future: [...history.future, value] }];
}

/** One step forward again. */
export function redone<T>(
  history: IHistory<T>,
  value: T
): [T, IHistory<T>] | null {
  const future = [...history.future];
  const then = future.pop();
  return then === undefined
    ? null
    : [then, { past: [...history.past, value], future }];
}

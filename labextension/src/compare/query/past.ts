const KEY = 'jupyter-ml-studio:queries';
const MOST = 100;

/** Queries that were asked in this browser, the newest first. */
export function pastQueries(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept)
      ? kept.filter((each): each is string => typeof each === 'string')
      : [];
  } catch {
    // What another program wrote there, or a browser that keeps nothing.
    return [];
  }
}

/** Keep a query that was asked. */
export function keepQuery(query: string): void {
  if (!query) {
    return;
  }
  const kept = [query, ...pastQueries().filter(each => each !== query)];
  try {
    localStorage.setItem(KEY, JSON.stringify(kept.slice(0, MOST)));
  } catch {
    // A browser that keeps nothing has no history.
  }
}

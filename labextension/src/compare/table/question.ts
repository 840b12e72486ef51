import { requested } from '../rows';
import type { IViewState } from '../state';
import type { IQuestion } from './pages';

/** What a view asks, without the fields and the window. */
export function questionOf(
  view: Pick<IViewState, 'query' | 'names' | 'sort'>
): IQuestion {
  const { Query, Names, SortBy } = requested(view, { fields: [] });
  return { Query, Names, SortBy };
}

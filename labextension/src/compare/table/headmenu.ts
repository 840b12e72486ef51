import type { TranslationBundle } from '@jupyterlab/translation';

import type { MenuAction } from '../../core/menu';
import { columned, grouped, type IColumnState, sorted } from '../state';
import type { IViewStore } from '../store';
import { altered, moved, resorted, without } from './changes';
import { ASPECTS, aspects, parsed, withAspect } from './fields';
import { MARKS, NAME } from './lead';

/** What can be done with a column of the table. */
export function headActions(
  field: string,
  columns: readonly IColumnState[],
  store: IViewStore,
  trans: TranslationBundle
): MenuAction[] {
  if (field === MARKS) {
    return [];
  }
  const { sort, groups } = store.state;
  const set = (next: readonly IColumnState[]) => store.change(columned(next));
  const by = (descending: boolean, further: boolean) => () =>
    store.change(sorted(resorted(sort, { field, descending }, further)));
  const sorts: MenuAction[] = [
    { label: trans.__('Sort ascending'), run: by(false, false) },
    { label: trans.__('Sort descending'), run: by(true, false) },
    { label: trans.__('Then sort ascending'), run: by(false, true) },
    { label: trans.__('Then sort descending'), run: by(true, true) }
  ];
  if (field === NAME) {
    return sorts;
  }
  const column = columns.find(each => each.field === field);
  const inGroups = groups.includes(field);
  return [
    ...sorts,
    null,
    {
      label: inGroups
        ? trans.__('Do not group by it')
        : trans.__('Group by it'),
      run: () =>
        store.change(
          grouped(
            inGroups
              ? groups.filter(each => each !== field)
              : [...groups, field]
          )
        )
    },
    {
      label: trans.__('Color scale'),
      on: !!column?.scale,
      run: () => set(altered(columns, field, { scale: !column?.scale }))
    },
    {
      label: trans.__('Pin at the left'),
      on: !!column?.pinned,
      run: () => set(altered(columns, field, { pinned: !column?.pinned }))
    },
    ...aspectActions(field, columns, set, trans),
    null,
    {
      label: trans.__('Move to the left'),
      run: () => set(moved(columns, field, -1))
    },
    {
      label: trans.__('Move to the right'),
      run: () => set(moved(columns, field, 1))
    },
    {
      label: trans.__('Move to the front'),
      run: () => set(moved(columns, field, columns[0].field))
    },
    {
      label: trans.__('Take the column away'),
      run: () => set(without(columns, [field]))
    }
  ];
}

/** A metric's other values, in place of the column or beside it. */
function aspectActions(
  field: string,
  columns: readonly IColumnState[],
  set: (columns: IColumnState[]) => void,
  trans: TranslationBundle
): MenuAction[] {
  const it = parsed(field);
  if (it?.kind !== 'metric') {
    return [];
  }
  const shown = new Set(columns.map(each => each.field));
  const names = aspects(trans);
  const at = columns.findIndex(each => each.field === field);
  return [
    {
      label: trans.__('Show of the metric'),
      more: ASPECTS.map(aspect => {
        const other = withAspect(field, aspect);
        return {
          label: names[aspect],
          on: shown.has(other),
          run: () =>
            set(
              shown.has(other)
                ? without(columns, [other])
                : [
                    ...columns.slice(0, at + 1),
                    { field: other },
                    ...columns.slice(at + 1)
                  ]
            )
        };
      })
    }
  ];
}

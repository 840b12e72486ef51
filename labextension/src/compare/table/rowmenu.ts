import { InputDialog } from '@jupyterlab/apputils';

import { number } from '../../components/format';
import { notifyError } from '../../core/errors';
import type { MenuAction } from '../../core/menu';
import { CommandIDs, type IStudio } from '../../tokens';
import { MOST, query } from '../rows';
import { asked, based, type Change, chosen, hidden, opened } from '../state';
import type { IViewStore } from '../store';
import {
  addTag,
  addToTrial,
  annotate,
  remove,
  removeTag,
  update
} from './actions';
import type { IGroupLine } from './pages';
import { questionOf } from './question';

/** The colours of charts: each name is told apart by people with any colour vision. */
const COLORS: [string, string][] = [
  ['blue', '#0072b2'],
  ['orange', '#c75000'],
  ['green', '#00805e'],
  ['purple', '#a2508a'],
  ['gold', '#8a6d00'],
  ['gray', '#5f5f5f'],
  ['red', '#a3293d']
];

/** What the menu of a row knows of it. */
export interface IMenuRow {
  name: string;
  starred: boolean;
  note: string;
}

/** What can be done with components: with those that are chosen, or the one whose menu it is. */
export function rowActions(
  row: IMenuRow,
  names: readonly string[],
  store: IViewStore,
  it: IStudio,
  copy: () => void,
  deleted: () => void
): MenuAction[] {
  const { commands, trans } = it;
  const many = names.length > 1;
  const isHidden = store.state.hidden.includes(row.name);
  return [
    {
      label: trans.__('Open'),
      run: () =>
        void commands.execute(CommandIDs.openComponent, { name: row.name })
    },
    {
      label: trans.__('Compare only these'),
      disabled: !many,
      run: () =>
        void commands.execute(CommandIDs.compare, { names: [...names] })
    },
    {
      label: trans.__('Diff'),
      disabled: !many,
      run: () => {
        store.change(chosen(names));
        store.change(opened('diff'));
      }
    },
    {
      label: trans.__('Compare others with it'),
      on: store.state.base === row.name,
      run: () =>
        store.change(based(store.state.base === row.name ? null : row.name))
    },
    null,
    {
      label: isHidden ? trans.__('Show in charts') : trans.__('Hide in charts'),
      run: () => store.change(hidden(names, !isHidden))
    },
    {
      label: row.starred ? trans.__('Take the star away') : trans.__('Star'),
      run: () => void update(it, names, { Starred: !row.starred })
    },
    { label: trans.__('Color'), more: colorActions(names, it) },
    {
      label: trans.__('Note…'),
      run: () => void annotate(it, names, many ? '' : row.note)
    },
    { label: trans.__('Add tag…'), run: () => void addTag(it, names) },
    { label: trans.__('Remove tag…'), run: () => void removeTag(it, names) },
    {
      label: trans.__('Add to trial…'),
      run: () => void addToTrial(it, names)
    },
    null,
    { label: trans.__('Copy'), run: copy },
    {
      label: many
        ? trans.__('Delete %1…', names.length.toLocaleString())
        : trans.__('Delete…'),
      run: () => void remove(it, store, names).then(done => done && deleted())
    }
  ];
}

/** What can be done with a group. */
export function groupActions(
  line: IGroupLine,
  store: IViewStore,
  it: IStudio,
  toggle: (line: IGroupLine) => void
): MenuAction[] {
  const { client, trans } = it;
  const { group } = line;
  const names = async () => {
    const { Names } = questionOf(store.state);
    const asked = { Query: group.query, ...(Names && { Names }) };
    const found = await query(client, { ...asked, Limit: MOST });
    return found.names;
  };
  const act = (change: (names: readonly string[]) => Change) => () =>
    void names().then(
      found => store.change(change(found)),
      error => notifyError(trans.__('Not selected'), error)
    );
  const most = number(Math.min(group.count, MOST));
  return [
    {
      label: group.inside ? trans.__('Close') : trans.__('Open'),
      run: () => toggle(line)
    },
    {
      label: trans.__('Only this group'),
      run: () => store.change(asked(group.query))
    },
    null,
    { label: trans.__('Select its %1 components', most), run: act(chosen) },
    {
      label: trans.__('Hide in charts'),
      run: act(found => hidden(found, true))
    },
    {
      label: trans.__('Show in charts'),
      run: act(found => hidden(found, false))
    }
  ];
}

function colorActions(names: readonly string[], it: IStudio): MenuAction[] {
  const { trans } = it;
  const paint = (Color: string) => () => void update(it, names, { Color });
  return [
    ...COLORS.map(([name, color]) => ({
      label: named(name, it),
      run: paint(color)
    })),
    {
      label: trans.__('Other…'),
      run: () => void otherColor(it).then(color => color && paint(color)())
    },
    null,
    { label: trans.__('None'), run: paint('') }
  ];
}

async function otherColor({ trans }: IStudio): Promise<string | null> {
  const { value } = await InputDialog.getText({
    title: trans.__('Color'),
    label: trans.__('As #rrggbb'),
    pattern: '#[0-9a-fA-F]{6}',
    required: true
  });
  return value;
}

function named(color: string, { trans }: IStudio): string {
  const names: Record<string, string> = {
    blue: trans.__('Blue'),
    orange: trans.__('Orange'),
    green: trans.__('Green'),
    red: trans.__('Red'),
    purple: trans.__('Purple'),
    gold: trans.__('Gold'),
    gray: trans.__('Gray')
  };
  return names[color];
}

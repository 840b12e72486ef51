import {
  act,
  fireEvent,
  screen,
  waitFor,
  within
} from '@testing-library/react';
import React from 'react';

import { ViewContext } from '../compare/hooks';
import { INITIAL, type IViewState } from '../compare/state';
import { ViewStore } from '../compare/store';
import TablePane from '../compare/table';
import { moved, resorted, widened } from '../compare/table/changes';
import { csv } from '../compare/table/export';
import { parsed, withAspect, written } from '../compare/table/fields';
import { GroupTree } from '../compare/table/groups';
import { Pages } from '../compare/table/pages';
import { tint } from '../compare/table/scale';
import { type Answers, fakeStudio, renderIn, sized } from './studio';

const QUERY = 'aws/studio/QueryTrialComponents';
const GROUP = 'aws/studio/GroupTrialComponents';
const HOSTILE = '<img src=x onerror=alert(1)>';

beforeAll(() => sized(900, 420));

/** Numbers as the server writes them. */
function packed(array: Float64Array | Int32Array): string {
  return btoa(String.fromCharCode(...new Uint8Array(array.buffer)));
}

const float64s = (numbers: number[]) => packed(new Float64Array(numbers));
const int32s = (numbers: number[]) => packed(new Int32Array(numbers));

/** A server of components in an order that the test changes. */
class Server {
  order: string[] = [];
  /** metric.auc of each. */
  auc = new Map<string, number>();

  constructor(count: number) {
    for (let i = 0; i < count; i++) {
      this.order.push(`c${i}`);
      this.auc.set(`c${i}`, i);
    }
  }

  get answers(): Answers {
    return {
      [QUERY]: body => this.query(body),
      [GROUP]: body => this.group(body),
      'aws/studio/UpdateTrialComponents': () => ({
        Changed: 1,
        Failed: 0,
        Errors: []
      })
    };
  }

  query(body: any): object {
    const wanted = body.Names ? new Set(body.Names) : null;
    const found = this.order.filter(name => !wanted || wanted.has(name));
    const from = body.Offset ?? 0;
    const names = found.slice(from, from + (body.Limit ?? 100));
    const value: Record<string, (name: string) => number> = {
      'metric.auc': name => this.auc.get(name)!,
      starred: () => 0
    };
    return {
      Total: this.order.length,
      Matched: found.length,
      Names: names,
      Arns: names,
      DisplayNames: names.map(name => (name === 'c1' ? HOSTILE : name)),
      Statuses: names.map(() => 'Completed'),
      Columns: (body.Fields ?? []).map((Field: string) =>
        Field === 'status'
          ? {
              Field,
              Texts: ['Completed'],
              Codes: int32s(names.map(() => 0))
            }
          : value[Field]
            ? { Field, Numbers: float64s(names.map(value[Field])) }
            : { Field }
      ),
      Warnings: []
    };
  }

  group(body: any): object {
    const one = (number: number) => float64s([number]);
    return {
      Total: 1,
      Matched: this.order.length,
      Groups: [
        {
          Keys: [{ Text: HOSTILE }],
          Count: this.order.length,
          Query: `${body.GroupBy[0]} == "x"`
        }
      ],
      Statistics: body.Fields.map((Field: string) => ({
        Field,
        Counts: one(4),
        Means: one(0.5),
        StdDevs: one(0.25),
        Minima: one(0.1),
        Maxima: one(0.9),
        HalfWidths: one(0.125)
      })),
      Warnings: []
    };
  }
}

function open(server: Server, state: Partial<IViewState> = {}) {
  const studio = fakeStudio(server.answers);
  const store = new ViewStore({
    ...INITIAL,
    columns: [{ field: 'status' }, { field: 'metric.auc' }],
    ...state
  });
  const shown = renderIn(
    studio,
    <ViewContext.Provider value={store}>
      <TablePane view={store} />
    </ViewContext.Provider>
  );
  return { studio, store, ...shown };
}

const event = {
  type: 'resource',
  Kind: 'experiment-trial-component',
  Name: 'c0',
  Change: 'updated'
} as never;

describe('the table', () => {
  it('shows values as texts, names of components too', async () => {
    const { container, studio } = open(new Server(3));
    expect(await screen.findByText(HOSTILE)).toBeTruthy();
    expect(container.querySelector('img')).toBeNull();
    expect(await screen.findByText('2')).toBeTruthy();
    const { Fields } = studio.asked.find(([route]) => route === QUERY)![1];
    expect(Fields).toContain('metric.auc');
  });

  it('keeps lines in their places until it is asked for what is new', async () => {
    const server = new Server(5);
    const { studio } = open(server);
    await screen.findByText('c2');
    const names = () =>
      [...document.querySelectorAll('[data-studio-name]')].map(node =>
        node.getAttribute('data-studio-name')
      );
    expect(names()).toEqual(['c0', 'c1', 'c2', 'c3', 'c4']);
    server.order.unshift('fresh');
    server.auc.set('fresh', 77);
    server.auc.set('c0', 42);
    act(() => studio.emit(event));
    const pill = await screen.findByRole('button', { name: /1 new/ });
    expect(names()[0]).toBe('c0');
    expect(screen.getByText('42')).toBeTruthy(); // its value is of now
    fireEvent.click(pill);
    await waitFor(() => expect(names()[0]).toBe('fresh'));
    expect(screen.queryByRole('button', { name: /new/ })).toBeNull();
  });

  it('sorts by several, selects, hides and stars by keys', async () => {
    const { store, studio } = open(new Server(5));
    const grid = await screen.findByRole('grid');
    await screen.findByText('c3');
    const auc = within(grid).getByRole('button', { name: /auc/ });
    fireEvent.click(auc);
    expect(store.state.sort).toEqual([
      { field: 'metric.auc', descending: true }
    ]);
    fireEvent.click(within(grid).getByRole('button', { name: /Status/ }), {
      shiftKey: true
    });
    expect(store.state.sort.map(each => each.field)).toEqual([
      'metric.auc',
      'status'
    ]);
    await screen.findByText('c3');
    fireEvent.keyDown(grid, { key: 'ArrowDown' });
    fireEvent.keyDown(grid, { key: ' ' });
    expect(store.state.selection).toEqual(['c1']);
    fireEvent.keyDown(grid, { key: 'h' });
    expect(store.state.hidden).toEqual(['c1']);
    fireEvent.keyDown(grid, { key: 's' });
    await waitFor(() =>
      expect(studio.asked).toContainEqual([
        'aws/studio/UpdateTrialComponents',
        { Names: ['c1'], Starred: true }
      ])
    );
    fireEvent.keyDown(grid, { key: 'a', ctrlKey: true });
    await waitFor(() => expect(store.state.selection.length).toBe(5));
  });

  it('groups with their statistics, and opens them', async () => {
    const { store } = open(new Server(5), { groups: ['tag.team'] });
    expect(await screen.findByText('0.5 ± 0.13')).toBeTruthy();
    expect(screen.getByText(HOSTILE)).toBeTruthy();
    const tree = screen.getByRole('treegrid');
    fireEvent.keyDown(tree, { key: 'ArrowRight' });
    await screen.findByText('c4');
    act(() => {
      store.change(state => ({
        ...state,
        panes: { table: { measure: 'range' } }
      }));
    });
    expect(await screen.findByText('0.1 – 0.9')).toBeTruthy();
    fireEvent.keyDown(tree, { key: 'ArrowLeft' });
    await waitFor(() => expect(screen.queryByText('c4')).toBeNull());
  });

  it('says what to do where nothing is tracked, and where nothing is like that', async () => {
    const { store } = open(new Server(0));
    expect(await screen.findByText('Nothing is tracked yet')).toBeTruthy();
    act(() => store.change(state => ({ ...state, query: 'x' })));
    const all = await screen.findByRole('button', { name: 'Show all' });
    fireEvent.click(all);
    expect(store.state.query).toBe('');
  });
});

describe('pages', () => {
  it('fetch only the fields that are missing, of the components that are here', async () => {
    const server = new Server(300);
    const studio = fakeStudio(server.answers);
    const pages = new Pages(studio.client, {});
    pages.ensure(0, 40, ['status']);
    await waitFor(() => expect(pages.count).toBe(300));
    server.order.unshift('fresh'); // meanwhile
    pages.ensure(0, 40, ['status', 'metric.auc']);
    await waitFor(() =>
      expect(pages.line(0)!.components.values.has('metric.auc')).toBe(true)
    );
    const asked = studio.asked.map(([, body]) => body);
    expect(asked).toHaveLength(2);
    expect(asked[1].Fields).toEqual(['metric.auc']);
    expect(asked[1].Names[0]).toBe('c0');
    const { components, at } = pages.line(7)!;
    expect(components.values.get('metric.auc')!.numbers![at]).toBe(7);
    pages.dispose();
  });
});

describe('groups', () => {
  it('ask for what a view is narrowed to', async () => {
    const studio = fakeStudio(new Server(5).answers);
    const tree = new GroupTree(
      studio.client,
      { Query: 'a or b', Names: ['x"y'] },
      ['status', 'param.p'],
      () => true
    );
    tree.ensure(0, 10, ['metric.auc']);
    await waitFor(() => expect(tree.count).toBe(1));
    expect(studio.asked[0][1]).toMatchObject({
      Query: 'a or b',
      Names: ['x"y']
    });
    const line = tree.line(0)!;
    await tree.toggle((line as any).group);
    expect(studio.asked[1][1]).toMatchObject({
      Query: 'status == "x"',
      GroupBy: ['param.p']
    });
    expect(tree.count).toBe(2);
    await tree.refresh();
    expect(tree.count).toBe(2); // what was open stays open
    tree.dispose();
  });
});

test('fields are taken apart and written', () => {
  for (const field of [
    'status',
    'metric.auc',
    'metric["val/loss"].min',
    'param["a\\"b"]',
    'tag.team'
  ]) {
    expect(written(parsed(field)!)).toBe(field);
  }
  expect(parsed('metric.auc - metric.loss')).toBeNull();
  expect(withAspect('metric["a b"]', 'max')).toBe('metric["a b"].max');
  expect(withAspect('metric.auc.max', 'last')).toBe('metric.auc');
  expect(withAspect('param.p', 'max')).toBe('param.p');
});

test('columns and sorts change as asked', () => {
  const columns = ['a', 'b', 'c'].map(field => ({ field }));
  const names = (list: { field: string }[]) => list.map(each => each.field);
  expect(names(moved(columns, 'c', 'a'))).toEqual(['c', 'a', 'b']);
  expect(names(moved(columns, 'a', 1))).toEqual(['b', 'a', 'c']);
  expect(names(moved(columns, 'a', -1))).toEqual(['a', 'b', 'c']);
  const sort = resorted(
    [{ field: 'a', descending: true }],
    { field: 'a', descending: false },
    true
  );
  expect(sort).toEqual([{ field: 'a', descending: false }]);
  const state = widened({ a: 80, display_name: 300 })({ ...INITIAL, columns });
  expect(state.columns![0]).toEqual({ field: 'a', width: 80 });
  expect(state.panes['table']).toEqual({ widths: { display_name: 300 } });
});

test('what is exported no spreadsheet runs', () => {
  expect(csv([['a', '=1+1', '-3.5', 'x,"y"']])).toBe(
    `a,'=1+1,-3.5,"x,""y"""\r\n`
  );
});

test('tints grow with the value and need a range', () => {
  const range = { low: 0, high: 2 };
  expect(tint(2, range)!.background).toContain(' 62%');
  expect(tint(1, range)!.background).toContain(' 31%');
  expect(tint(NaN, range)).toBeUndefined();
  expect(tint(1, { low: 1, high: 1 })).toBeUndefined();
});

import { act, fireEvent, screen, within } from '@testing-library/react';
import React from 'react';

import { Grid, type IColumn, type IGridProps } from '../components/grid';
import { widest } from '../components/gridlayout';
import { slotted } from '../components/gridview';
import { fakeStudio, renderIn, sized } from './studio';

const WIDTH = 900;

beforeAll(() => sized(WIDTH, 280));

function column(id: string, more: Partial<IColumn<number>> = {}) {
  return {
    id,
    title: id,
    width: 100,
    cell: (r: number) => `${id}${r}`,
    ...more
  };
}

function show(given: Partial<IGridProps<number>>) {
  const element = (more: Partial<IGridProps<number>> = {}) => (
    <Grid<number>
      label="Things"
      columns={[column('a'), column('b')]}
      count={1000}
      row={index => index}
      keyOf={String}
      {...given}
      {...more}
    />
  );
  return { ...renderIn(fakeStudio({}), element()), element };
}

const grid = () =>
  document.querySelector<HTMLElement>('.jp-StudioGrid-scroller')!;
const rows = () => [...document.querySelectorAll('[role=row][data-row]')];

function scroll(top: number, left = 0): void {
  const node = grid();
  node.scrollTop = top;
  node.scrollLeft = left;
  act(() => void fireEvent.scroll(node));
}

test('rows that come take over the elements of those that go', () => {
  show({});
  const before = rows();
  const elements = new Set(before);
  scroll(28 * 12);
  const after = rows();
  expect(after.every(node => elements.has(node))).toBe(true);
  const indexes = after.map(node => Number(node.getAttribute('data-row')));
  expect(new Set(indexes).size).toBe(after.length);
  expect(Math.min(...indexes)).toBe(6);
  const last = after.find(node => node.getAttribute('data-row') === '20')!;
  expect(last.textContent).toBe('a20b20');
  expect((last as HTMLElement).style.transform).toBe('translateY(560px)');
});

test('at rest the elements stand in the order of the rows', () => {
  jest.useFakeTimers();
  show({});
  scroll(28 * 12);
  act(() => void jest.advanceTimersByTime(1000));
  jest.useRealTimers();
  const indexes = rows().map(node => Number(node.getAttribute('data-row')));
  expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
});

test('a slot is given to one row each', () => {
  for (const first of [0, 3, 17, 40]) {
    const found = slotted(first, first + 9, 10, 4);
    expect(new Set(found.map(each => each.slot)).size).toBe(10);
    expect(found.map(each => each.index).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, i) => first + i)
    );
  }
});

test('of a thousand columns only those in view exist; pinned ones stay', () => {
  const seen: string[][] = [];
  const columns = [
    ...Array.from({ length: 1000 }, (_, i) => column(`c${i}`)),
    column('name', { pinned: true })
  ];
  show({ columns, onColumns: ids => seen.push(ids) });
  expect(grid().getAttribute('aria-colcount')).toBe('1001');
  const cells = rows()[0].querySelectorAll('[role=gridcell]');
  expect(cells.length).toBeLessThan(20);
  expect(seen[seen.length - 1].slice(0, 2)).toEqual(['name', 'c0']);
  scroll(0, 50_000);
  expect(seen[seen.length - 1]).toContain('name');
  expect(seen[seen.length - 1]).toContain('c502');
  expect(seen[seen.length - 1]).not.toContain('c0');
  scroll(0, 50_100);
  const asked = seen[seen.length - 1];
  scroll(0, 50_200);
  expect(seen[seen.length - 1]).toEqual(asked); // in blocks, while they pass by
  const pinned = document.querySelector(
    '.jp-StudioGrid-body .jp-StudioGrid-pinned [data-row="0"]'
  )!;
  expect(pinned.getAttribute('aria-rowindex')).toBe('2');
  expect(pinned.textContent).toBe('name0');
  expect(pinned.querySelector('[aria-colindex="1"]')).toBeTruthy();
});

test('columns that come take over the cells of those that go; rows out of view follow later', () => {
  const widths = [90, 110, 100];
  const columns = Array.from({ length: 300 }, (_, i) =>
    column(`c${i}`, { width: widths[i % 3] })
  );
  show({ columns });
  const row = (index: number) =>
    document.querySelector(`.jp-StudioGrid-body > [data-row="${index}"]`)!;
  const before = new Set(row(3).children);
  const first = (index: number) =>
    Number(row(index).firstElementChild!.getAttribute('aria-colindex'));
  scroll(0, 300);
  scroll(0, 700);
  const after = [...row(3).children];
  expect(after.filter(cell => before.has(cell)).length).toBeGreaterThan(8);
  expect(after.map(cell => cell.textContent)).toEqual(
    after.map((_, at) => `c${first(3) - 1 + at}3`)
  );
  expect([first(3), first(15)]).toEqual([6, 1]);
  scroll(28 * 4, 700);
  expect(first(15)).toBe(6);
});

test('headers are reached by arrows, sort further with Shift, and move with Alt', () => {
  const sort = jest.fn();
  const move = jest.fn();
  const widths = jest.fn();
  show({
    columns: [column('a', { sortable: true }), column('b', { sortable: true })],
    sort: [
      { by: 'a', descending: true },
      { by: 'b', descending: false }
    ],
    onSort: sort,
    onMove: move,
    onWidths: widths
  });
  const [a, b] = screen.getAllByRole('columnheader');
  expect(a.getAttribute('aria-sort')).toBe('descending');
  expect(b.textContent).toBe('b ▲2');
  const button = within(a).getByRole('button');
  expect(button.tabIndex).toBe(0);
  expect(within(b).getByRole('button').tabIndex).toBe(-1);
  fireEvent.click(within(b).getByRole('button'), { shiftKey: true });
  expect(sort).toHaveBeenCalledWith({ by: 'b', descending: true }, true);
  fireEvent.keyDown(button, { key: 'ArrowRight', altKey: true });
  expect(widths).toHaveBeenCalledWith({ a: 116 });
  fireEvent.keyDown(button, {
    key: 'ArrowRight',
    altKey: true,
    shiftKey: true
  });
  expect(move).toHaveBeenCalledWith('a', 1);
});

test('branches open to the right and close to the left', () => {
  const toggle = jest.fn();
  show({
    branch: row => ({ level: 1, expanded: row === 0 ? false : undefined }),
    onToggle: toggle
  });
  const tree = screen.getByRole('treegrid');
  expect(rows()[0].getAttribute('aria-expanded')).toBe('false');
  fireEvent.keyDown(tree, { key: 'ArrowLeft' });
  expect(toggle).not.toHaveBeenCalled();
  fireEvent.keyDown(tree, { key: 'ArrowRight' });
  expect(toggle).toHaveBeenCalledWith(0);
});

test('a range that is not all here is asked of the page', () => {
  const range = jest.fn();
  show({ selected: new Set(), onSelect: jest.fn(), onSelectRange: range });
  fireEvent.click(rows()[2]);
  fireEvent.click(rows()[7], { shiftKey: true });
  expect(range).toHaveBeenCalledWith(2, 7);
  fireEvent.keyDown(grid(), { key: 'a', ctrlKey: true });
  expect(range).toHaveBeenLastCalledWith(0, 999);
});

test('where a press toggles, it adds and takes away', () => {
  const select = jest.fn();
  show({ selected: new Set(['1']), onSelect: select, toggles: true });
  fireEvent.click(rows()[2]);
  expect(select).toHaveBeenLastCalledWith(new Set(['1', '2']));
  fireEvent.click(rows()[1]);
  expect(select).toHaveBeenLastCalledWith(new Set());
});

test('only what may not fit is clipped', () => {
  show({
    columns: [
      column('a', {
        cell: row => (row ? 'short' : 'a text that is far too long')
      })
    ],
    widths: { a: 120 },
    count: 2
  });
  const cells = rows().map(row => row.querySelector('[role=gridcell]')!);
  // The last column fills the room that there is.
  expect(cells[0].className).toContain('jp-mod-fits');
  expect(widest('a text that is far too long')).toBeGreaterThan(200);
  expect(widest('WWW')).toBeGreaterThan(widest('iii'));
});

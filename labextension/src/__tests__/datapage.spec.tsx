import {
  act,
  configure,
  fireEvent,
  screen,
  waitFor,
  within
} from '@testing-library/react';
import React from 'react';

import { StudioView } from '../core/documents';
import { DataPage } from '../data/page';
import { FIELD_MIME } from '../data/fields';
import type { IDataArgs } from '../data/state';
import { column, facts, finding, ndjson, part } from './datasets';
import { type Answers, fakeStudio, renderIn } from './studio';

jest.mock('../components/chart/plotly', () => ({
  loadPlotly: () =>
    Promise.resolve({
      react: () => Promise.resolve(),
      purge: () => undefined,
      Plots: { resize: () => undefined }
    })
}));

configure({ asyncUtilTimeout: 10_000 });

const HOSTILE = '<img src=x onerror=alert(1)>';
const COLUMNS = [
  column('a', 0, { missing: 90, missing_share: 0.9 }),
  column('b', 1),
  column(HOSTILE, 2, {
    type: 'text',
    semantic: 'category',
    histogram: null,
    top: [{ value: HOSTILE, count: 3 }]
  })
];

const chart = ({ spec }: any) =>
  ndjson({
    figure: { data: [], layout: {} },
    table: { columns: ['x'], rows: [[1]], total: 1 },
    code: `chart of ${JSON.stringify(spec)}`,
    title: `${spec.kind} of ${spec.x}`,
    summary: 'A chart.',
    shown: 50,
    total: 100,
    rows: 100,
    notes: ['50 of 100 rows are in the chart.'],
    facts: [],
    data: facts
  });

const rows = ({ filters, offset }: any) =>
  ndjson({
    columns: [
      { name: 'a', type: 'float' },
      { name: HOSTILE, type: 'text' }
    ],
    rows: [
      [1.5, HOSTILE],
      [null, 'x']
    ],
    numbers: [offset, offset + 1],
    offset,
    matching: filters.length ? 2 : 100,
    total: 100,
    column_count: 2,
    data: facts,
    code: 'rows'
  });

beforeAll(() => {
  globalThis.ResizeObserver ??= class {
    observe() {}
    unobserve() {}
    disconnect() {}
  } as any;
  for (const [name, value] of [
    ['clientHeight', 400],
    ['clientWidth', 900]
  ]) {
    Object.defineProperty(HTMLElement.prototype, name, {
      configurable: true,
      value
    });
  }
});

function open(args: IDataArgs, answers: Answers = {}) {
  const studio = fakeStudio({
    'data/profile': () =>
      ndjson(part({ columns: COLUMNS, findings: [finding], progress: 1 })),
    'data/chart': chart,
    'data/rows': rows,
    ...answers
  });
  const inserted: string[] = [];
  studio.commands.addCommand('studio:insert-code', {
    describedBy: { args: {} },
    execute: ({ code }) => inserted.push(code as string)
  });
  const view = new StudioView(
    { title: () => '', command: 'studio:open-data' } as any,
    { path: 'flowers.csv', ...args } as any,
    studio
  );
  const result = renderIn(studio, <DataPage view={view} />);
  return {
    ...result,
    studio,
    inserted,
    args: () => view.args as IDataArgs,
    asked: (verb: string) =>
      studio.asked
        .filter(([route]) => route === `data/${verb}`)
        .map(([, body]) => body)
  };
}

const press = (name: string | RegExp) =>
  fireEvent.click(screen.getByRole('button', { name }));

test('a warning leads to its rows, its column and its fix', async () => {
  const { args, inserted } = open({});
  const card = (await screen.findByText('Missing values')).closest('li')!;
  expect(card.textContent).toContain('High');
  fireEvent.click(within(card).getByText('Insert fix as notebook cell'));
  expect(inserted).toEqual([finding.fix]);
  fireEvent.click(within(card).getByText('a'));
  expect(args().tab).toBe('columns');
  expect(args().columns?.selected).toBe('a');
  fireEvent.click(screen.getByRole('tab', { name: 'Overview' }));
  press('Show rows');
  expect(args().tab).toBe('rows');
  expect(args().rows?.filters).toEqual(finding.filters);
  expect(await screen.findByText('2 of 100 rows')).toBeTruthy();
});

test('a chosen target is asked about and kept', async () => {
  const { args, asked } = open({});
  await screen.findByText('Missing values');
  fireEvent.change(screen.getByLabelText('Column to predict'), {
    target: { value: 'b' }
  });
  expect(args().target).toBe('b');
  await waitFor(() =>
    expect(asked('profile').map(body => body.target)).toEqual([null, 'b'])
  );
});

test('what the worker can not do is said, and tried again', async () => {
  let broken = true;
  open(
    {},
    {
      'data/profile': () =>
        broken
          ? new Response(
              '{"id":"1","error":{"code":"NotFound","message":"There is no flowers.csv."},"final":true}'
            )
          : ndjson(part({ columns: COLUMNS, progress: 1 }))
    }
  );
  expect((await screen.findByRole('alert')).textContent).toContain(
    'There is no flowers.csv.'
  );
  broken = false;
  press('Retry');
  expect(await screen.findByText('100 rows × 2 columns, 1.0 kB')).toBeTruthy();
});

test('names and values are text', async () => {
  const { container } = open({ tab: 'columns' });
  expect((await screen.findAllByTitle(HOSTILE)).length).toBeGreaterThan(0);
  fireEvent.click(screen.getByRole('tab', { name: 'Rows' }));
  expect((await screen.findAllByText(HOSTILE)).length).toBeGreaterThan(0);
  expect(screen.getByText('missing')).toBeTruthy();
  expect(container.querySelector('img')).toBeNull();
});

test('columns are found, sorted and looked at by keys', async () => {
  const { args } = open({ tab: 'columns' });
  const grid = await screen.findByRole('grid', { name: 'Columns' });
  const names = () =>
    within(grid)
      .getAllByRole('row')
      .slice(1)
      .map(row =>
        row.querySelector('[role=gridcell] span')!.getAttribute('title')
      );
  expect(names()).toEqual(['a', 'b', HOSTILE]);
  fireEvent.keyDown(grid, { key: 'ArrowDown' });
  expect(args().columns?.selected).toBe('b');
  fireEvent.click(within(grid).getByText('Missing'));
  expect(names()[0]).toBe('a');
  fireEvent.change(screen.getByLabelText('Find columns'), {
    target: { value: 'IMG' }
  });
  expect(names()).toEqual([HOSTILE]);
  expect(screen.getByText('1 of 3 columns')).toBeTruthy();
});

test('filters wait for their value, and are told when the user pauses', async () => {
  const { args, asked } = open({ tab: 'rows' });
  expect(await screen.findByText('100 rows')).toBeTruthy();
  press('Add filter');
  await new Promise(resolve => setTimeout(resolve, 700));
  expect(args().rows?.filters ?? []).toEqual([]);
  fireEvent.change(screen.getByLabelText('Condition'), {
    target: { value: 'greater' }
  });
  fireEvent.change(screen.getByLabelText('Value'), { target: { value: '4' } });
  await waitFor(() =>
    expect(args().rows?.filters).toEqual([
      { op: 'greater', column: 'a', value: 4 }
    ])
  );
  await screen.findByText('2 of 100 rows');
  expect(asked('rows').map(body => body.filters.length)).toEqual([0, 1]);
  press('Remove this filter');
  await waitFor(() => expect(args().rows?.filters).toEqual([]));
});

test('charts are built, undone, dropped on and kept in a strip', async () => {
  const { args, inserted, container } = open({ tab: 'charts' });
  await screen.findByText('histogram of a');
  fireEvent.click(screen.getByRole('radio', { name: 'Scatter' }));
  expect(screen.getByText('Choose a column for: Y axis')).toBeTruthy();
  const shelf = screen.getByLabelText('Y axis').parentElement!;
  // The DragEvent of JupyterLab's test bed does not bubble.
  const drop = new Event('drop', { bubbles: true });
  const dataTransfer = { types: [FIELD_MIME], getData: () => 'b' };
  fireEvent(shelf, Object.assign(drop, { dataTransfer }));
  const scatter = { kind: 'scatter', x: 'a', y: 'b' };
  expect(args().charts).toEqual([{ spec: scatter }]);
  await screen.findByText('scatter of a');
  expect(screen.getByText('50 of 100 rows are in the chart.')).toBeTruthy();
  press('Insert as notebook cell');
  expect(inserted).toEqual([`chart of ${JSON.stringify(scatter)}`]);
  press('Duplicate');
  expect(args().charts).toHaveLength(2);
  expect(args().chart).toBe(1);
  const builder = container.querySelector('.jp-StudioData-builder')!;
  fireEvent.keyDown(builder, { key: 'z', ctrlKey: true });
  expect(args().charts).toEqual([{ spec: scatter }]);
  fireEvent.keyDown(builder, { key: 'z', ctrlKey: true });
  expect(args().charts).toEqual([{ spec: { kind: 'scatter', x: 'a' } }]);
  fireEvent.keyDown(builder, { key: 'Z', ctrlKey: true, shiftKey: true });
  expect(args().charts).toEqual([{ spec: scatter }]);
  press('Table');
  expect(await screen.findByRole('table')).toBeTruthy();
});

test('two data sets are compared, what differs most first', async () => {
  const drift = (name: string, effect: number) => ({
    name,
    type: 'float',
    other_type: 'float',
    semantic: 'number',
    effect,
    level: 'large',
    psi: 0.5,
    test: null,
    missing_share: 0,
    other_missing_share: 0.5,
    overlay: {
      edges: [0, 1, 2],
      labels: null,
      shares: [0.5, 0.5],
      other_shares: [0.1, 0.9]
    },
    words: `${name} has moved.`
  });
  const { args, asked } = open(
    { tab: 'compare', other: { uri: 's3://b/today.csv' } },
    {
      'data/compare': () =>
        ndjson({
          progress: 1,
          doing: '',
          data: facts,
          other: { ...facts, name: 'today.csv' },
          missing: ['gone'],
          added: [],
          retyped: [],
          drifts: [drift('b', 0.9), drift('a', 0.1)],
          code: 'compare'
        })
    }
  );
  const grid = await screen.findByRole('grid');
  expect(screen.getByText('Only in flowers.csv:')).toBeTruthy();
  act(() => grid.focus());
  fireEvent.keyDown(grid, { key: 'ArrowDown' });
  expect(args().drift).toBe('a');
  expect(screen.getByText('a in both data sets')).toBeTruthy();
  expect(asked('compare')[0].other).toEqual({ uri: 's3://b/today.csv' });
});

test('a page without data asks for some', () => {
  const { studio } = open({ path: undefined });
  const opened: object[] = [];
  studio.commands.addCommand('studio:open-data', {
    describedBy: { args: {} },
    execute: args => opened.push(args)
  });
  fireEvent.change(screen.getByLabelText('S3 URI or path of a file'), {
    target: { value: ' s3://b/k.csv ' }
  });
  press('Open');
  expect(opened).toEqual([{ uri: 's3://b/k.csv' }]);
});

import { act, fireEvent, screen, waitFor } from '@testing-library/react';
import React from 'react';

import { Grid } from '../components/grid';
import { bytes, duration, number } from '../components/format';
import { ApiError } from '../core/errors';
import { Feed, type FeedEvent } from '../core/feed';
import { Live } from '../core/live';
import { Windows } from '../core/windows';
import { fakeStudio, renderIn } from './studio';

const settle = () => new Promise(resolve => setTimeout(resolve, 20));

describe('Client', () => {
  it('raises what AWS answers, under its own code', async () => {
    const { client } = fakeStudio({});
    await expect(
      client.call('sagemaker', 'ListModels', {})
    ).rejects.toMatchObject({
      code: 'UnknownOperationException',
      status: 400
    });
  });

  it('reads the errors of S3', async () => {
    const { client } = fakeStudio({
      's3/a%20b/k/%C3%A9': () =>
        new Response(
          '<Error><Code>NoSuchKey</Code><Message>No such key.</Message></Error>',
          { status: 404 }
        )
    });
    const failed = client.s3('GET', 'a b', 'k/é');
    await expect(failed).rejects.toBeInstanceOf(ApiError);
    await expect(failed).rejects.toMatchObject({
      code: 'NoSuchKey',
      message: 'No such key.'
    });
  });
});

describe('Live', () => {
  it('fetches again for events that concern it, one at a time', async () => {
    const studio = fakeStudio({});
    let count = 0;
    const live = new Live({
      feed: studio.feed,
      load: async () => {
        await settle();
        return ++count;
      },
      when: event => event.type === 'capacity'
    });
    studio.emit({ type: 'capacity' });
    studio.emit({ type: 'capacity' });
    studio.emit({ type: 'object', Bucket: 'b', Prefix: '' });
    await live.refresh();
    expect(live.value).toBe(2);
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(live.value).toBe(3); // of both events, a moment later
    live.dispose();
    studio.emit({ type: 'capacity' });
    await settle();
    expect(count).toBe(3);
  });

  it('keeps the last value when nobody answers', async () => {
    const studio = fakeStudio({});
    let fails = false;
    const live = new Live({
      feed: studio.feed,
      load: () =>
        fails ? Promise.reject(new Error('gone')) : Promise.resolve(7),
      when: () => false
    });
    await live.refresh();
    fails = true;
    await live.refresh();
    expect(live.value).toBe(7);
    expect(live.error).toEqual(new Error('gone'));
    live.dispose();
  });
});

describe('Windows', () => {
  it('fetches what is looked at, and keeps it until the new is there', async () => {
    const loads: number[] = [];
    let version = 1;
    const rows = new Windows<string>({
      load: async (offset, limit) => {
        loads.push(offset);
        return {
          rows: Array.from(
            { length: limit },
            (_, i) => `v${version} ${offset + i}`
          ),
          total: 1000
        };
      }
    });
    rows.ensure(150, 210);
    await settle();
    expect(loads).toEqual([100, 200]);
    expect(rows.row(205)).toBe('v1 205');
    expect(rows.row(5)).toBeUndefined();
    version = 2;
    rows.invalidate();
    expect(rows.row(205)).toBe('v1 205');
    await settle();
    expect(rows.row(205)).toBe('v2 205');
    rows.dispose();
  });

  it('shows rows that changed meanwhile, but none of before over newer ones', async () => {
    const answers: ((rows: string[]) => void)[] = [];
    const rows = new Windows<string>({
      load: () =>
        new Promise(resolve =>
          answers.push(rows => resolve({ rows, total: rows.length }))
        )
    });
    rows.ensure(0, 0);
    rows.invalidate();
    rows.invalidate();
    answers[0](['first']);
    await settle();
    expect(rows.row(0)).toBe('first');
    answers[2](['third', 'more']);
    await settle();
    answers[1](['second']);
    await settle();
    expect([rows.row(0), rows.total]).toEqual(['third', 2]);
    rows.invalidate();
    rows.reset();
    answers[3](['of another question']);
    await settle();
    expect(rows.row(0)).toBe('third');
    rows.dispose();
  });
});

describe('Feed', () => {
  it('reads events, and goes on behind the last one', async () => {
    const bodies = [
      'id: e-1\nevent: object\ndata: {"Bucket":"b","Prefix":"p/"}\n\n',
      'id: e-2\nevent: capacity\ndata: {}\n\n'
    ];
    const seen: (string | null)[] = [];
    const studio = fakeStudio({
      events: (_, request) => {
        seen.push(request.headers.get('Last-Event-ID'));
        const body = bodies.shift();
        return body
          ? new Response(body)
          : new Response('gone', { status: 503 });
      }
    });
    const feed = new Feed(studio.client);
    const events: FeedEvent[] = [];
    feed.events.connect((_, event) => void events.push(event));
    feed.start();
    await waitFor(() => expect(seen.length).toBeGreaterThan(2), {
      timeout: 5000
    });
    feed.dispose();
    expect(events.map(event => event.type)).toEqual([
      'reset',
      'object',
      'capacity'
    ]);
    expect(seen.slice(0, 3)).toEqual([null, 'e-1', 'e-2']);
    expect(feed.status).toBe('offline');
  });

  it('tells what the page itself wrote, which an external S3 tells nobody', async () => {
    const studio = fakeStudio({
      's3/b/p/key': () => new Response(),
      's3/b/q/key': () => new Response('', { status: 403 })
    });
    const events: FeedEvent[] = [];
    studio.feed.events.connect((_, event) => void events.push(event));
    await studio.client.s3('GET', 'b', 'p/key');
    await studio.client.s3('PUT', 'b', 'q/key').catch(() => undefined);
    await studio.client.s3('PUT', 'b', 'p/key');
    expect(events).toEqual([{ type: 'object', Bucket: 'b', Prefix: 'p/' }]);
  });
});

describe('Grid', () => {
  const columns = [
    {
      id: 'name',
      title: 'Name',
      width: 100,
      sortable: true,
      cell: (r: string) => r
    }
  ];

  beforeAll(() => {
    Object.defineProperty(HTMLElement.prototype, 'clientHeight', {
      configurable: true,
      value: 280
    });
    Object.defineProperty(HTMLElement.prototype, 'clientWidth', {
      configurable: true,
      value: 500
    });
  });

  function Example(props: {
    onOpen: (row: string) => void;
    onSort?: (sort: object) => void;
  }): React.JSX.Element {
    const [selected, select] = React.useState<ReadonlySet<string>>(new Set());
    return (
      <>
        <Grid
          label="Things"
          columns={columns}
          count={10_000}
          row={index => `row ${index}`}
          keyOf={row => row}
          selected={selected}
          onSelect={select}
          onOpen={props.onOpen}
          sort={{ by: 'name', descending: false }}
          onSort={props.onSort}
        />
        <output>{[...selected].join(',')}</output>
      </>
    );
  }

  it('shows only rows in view, and is used by keys', async () => {
    const open = jest.fn();
    renderIn(fakeStudio({}), <Example onOpen={open} />);
    const grid = screen.getByRole('grid', { name: 'Things' });
    expect(grid.getAttribute('aria-rowcount')).toBe('10001');
    expect(screen.getAllByRole('row').length).toBeLessThan(60);
    fireEvent.keyDown(grid, { key: 'ArrowDown' });
    fireEvent.keyDown(grid, { key: ' ' });
    fireEvent.keyDown(grid, { key: 'ArrowDown', shiftKey: true });
    expect(screen.getByRole('status').textContent).toBe('row 1,row 2');
    fireEvent.keyDown(grid, { key: 'Enter' });
    expect(open).toHaveBeenCalledWith('row 2');
    fireEvent.keyDown(grid, { key: 'Escape' });
    expect(screen.getByRole('status').textContent).toBe('');
  });

  it('sorts by its headers and says so', () => {
    const sort = jest.fn();
    renderIn(
      fakeStudio({}),
      <Example onOpen={() => undefined} onSort={sort} />
    );
    const header = screen.getByRole('columnheader', { name: /Name/ });
    expect(header.getAttribute('aria-sort')).toBe('ascending');
    act(() => screen.getByRole('button', { name: /Name/ }).click());
    expect(sort).toHaveBeenCalledWith({ by: 'name', descending: true }, false);
  });
});

it('writes numbers as people read them', () => {
  expect(bytes(999)).toBe('999 B');
  expect(bytes(1_234_567)).toBe('1.2 MB');
  expect(duration(0.25)).toBe('0.3 s');
  expect(duration(3723)).toBe('1 h 2 min');
  expect(number(0.123456)).toBe('0.1235');
});

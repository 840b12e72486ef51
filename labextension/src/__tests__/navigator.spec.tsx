import { fireEvent, screen } from '@testing-library/react';
import React from 'react';

import { NavigatorModel, split } from '../navigator/model';
import { type INode, nodes } from '../navigator/nodes';
import { placesOf, Tree } from '../navigator/tree';
import { DRAG_MIME } from '../tokens';
import type { studio } from '../wire';
import { type Answers, fakeStudio, renderIn } from './studio';

const settle = () => new Promise(resolve => setTimeout(resolve, 50));

const BUCKETS = `<ListAllMyBucketsResult><Buckets>
  <Bucket><Name>data</Name><CreationDate>2026-01-01T00:00:00Z</CreationDate></Bucket>
  <Bucket><Name>models</Name><CreationDate>2026-01-01T00:00:00Z</CreationDate></Bucket>
</Buckets></ListAllMyBucketsResult>`;
const FOLDER = `<ListBucketResult>
  <Contents><Key>train/%3Cb%3E.csv</Key><Size>12</Size><LastModified>2026-01-01T00:00:00Z</LastModified><ETag>"x"</ETag></Contents>
  <CommonPrefixes><Prefix>train/deep/</Prefix></CommonPrefixes>
</ListBucketResult>`;

function answers(jobs: number): Answers {
  return {
    'aws/studio/CountResources': () => ({
      Counts: [
        {
          Kind: 'training-job',
          Total: jobs,
          CountsByStatus: { InProgress: 1, Completed: jobs - 1 }
        },
        { Kind: 'model', Total: 0, CountsByStatus: {} },
        { Kind: 'endpoint', Total: 0, CountsByStatus: {} }
      ]
    }),
    'aws/studio/QueryResources': (request: studio.QueryResourcesRequest) => {
      const every = Array.from({ length: jobs }, (_, i) => ({
        Kind: request.Kind,
        Name: `job-${i}`,
        Status: i ? 'Completed' : 'InProgress',
        CreationTime: 1_700_000_000
      }));
      const found = every.filter(
        each =>
          request.Kind === 'training-job' &&
          each.Name.includes(request.Text ?? '')
      );
      return {
        Rows: found.slice(0, request.Limit),
        Total: found.length,
        CountsByStatus: {}
      };
    },
    's3/': () => new Response(BUCKETS),
    's3/data': () => new Response(FOLDER)
  };
}

async function shown(jobs: number) {
  const fake = fakeStudio(answers(jobs));
  const model = new NavigatorModel(fake.client, fake.feed, fake.capacity);
  model.active = true;
  await settle();
  const lines = () => nodes(model, fake.trans);
  const line = (label: string) =>
    lines().find(each => each.label === label) as INode;
  return { fake, model, lines, line };
}

it('tells a bucket from a prefix', () => {
  expect(split('bucket')).toEqual(['bucket', '']);
  expect(split('bucket/a/b/')).toEqual(['bucket', 'a/b/']);
});

describe('NavigatorModel', () => {
  it('fetches nothing before it is looked at, and only what is open', async () => {
    const fake = fakeStudio(answers(3));
    const model = new NavigatorModel(fake.client, fake.feed, fake.capacity);
    fake.emit({ type: 'reset' });
    await settle();
    expect(fake.asked).toEqual([]);
    model.active = true;
    await settle();
    const kinds = fake.asked.map(([, body]) => body?.Kind).filter(Boolean);
    expect(kinds.sort()).toEqual(['endpoint', 'training-job']);
    model.dispose();
  });

  it('counts, shows the newest, and says how many more there are', async () => {
    const { line, lines } = await shown(40);
    expect(line('Jobs').aside).toBe('40');
    expect(line('Jobs').status).toBe('InProgress');
    expect(line('job-0').open).toEqual(['studio:open-job', { name: 'job-0' }]);
    expect(line('job-0').dragged).toEqual({ kind: 'job', name: 'job-0' });
    expect(lines().filter(each => each.kind === 'job').length).toBe(12);
    expect(line('12 of 40: show all…').open).toEqual(['studio:open-jobs', {}]);
    expect(line('No endpoint yet: deploy a model…').open![0]).toBe(
      'studio:deploy'
    );
  });

  it('filters every branch', async () => {
    const { model, line, lines } = await shown(12);
    model.filter = 'job-1';
    await settle();
    expect(line('Jobs').aside).toBe('3/12');
    expect(line('Jobs').open).toEqual(['studio:open-jobs', { text: 'job-1' }]);
    expect(line('Models').open).toEqual([
      'studio:open-models',
      { filter: 'job-1' }
    ]);
    expect(line('Data').aside).toBe('0/2');
    expect(lines().filter(each => each.kind === 'job').length).toBe(3);
  });

  it('says which schedules are paused, and opens one beside the others', async () => {
    const row = {
      CreationTime: 1_700_000_000,
      StatusMessage: 'rate(1 day) UTC'
    };
    const fake = fakeStudio({
      ...answers(0),
      'aws/studio/QueryResources': ({
        Kind
      }: studio.QueryResourcesRequest) => ({
        Rows:
          Kind === 'schedule'
            ? [
                { ...row, Name: 'on', Status: 'ENABLED' },
                { ...row, Name: 'off', Status: 'DISABLED' }
              ]
            : [],
        Total: 2
      })
    });
    const model = new NavigatorModel(fake.client, fake.feed, fake.capacity);
    model.toggle('schedule');
    model.active = true;
    await settle();
    const found = nodes(model, fake.trans).filter(
      each => each.kind === 'schedule'
    );
    expect(found.map(each => [each.name, each.aside])).toEqual([
      ['on', undefined],
      ['off', 'paused']
    ]);
    expect(found[0].open).toEqual([
      'studio:open-schedules',
      { selected: 'on' }
    ]);
    expect(found[0].dragged).toBeUndefined();
    model.dispose();
  });

  it('opens buckets and folders, and sees what is written there', async () => {
    const { fake, model, line } = await shown(0);
    model.toggle('data/data');
    await settle();
    expect(line('<b>.csv').name).toBe('s3://data/train/<b>.csv');
    expect(line('deep/').expanded).toBe(false);
    const before = fake.asked.length;
    fake.emit({ type: 'object', Bucket: 'models', Prefix: 'x/' });
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(fake.asked.length).toBe(before);
    fake.emit({ type: 'object', Bucket: 'data', Prefix: 'train/' });
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(fake.asked.slice(before).map(([route]) => route)).toEqual([
      's3/data'
    ]);
    model.toggle('data/data');
    expect(model.folder('data')).toBeUndefined();
  });

  it('keeps what is open', async () => {
    const { fake, model } = await shown(1);
    model.toggle('model', true);
    const again = new NavigatorModel(fake.client, fake.feed, fake.capacity);
    again.state = JSON.parse(JSON.stringify(model.state));
    expect(again.isExpanded('model')).toBe(true);
    expect(again.isExpanded('data/data')).toBe(false);
  });
});

it('counts siblings', () => {
  const levels = [1, 2, 2, 3, 1, 2];
  const lines = levels.map(level => ({ id: '', label: '', level }));
  expect(placesOf(lines)).toEqual([
    [1, 2],
    [1, 2],
    [2, 2],
    [1, 1],
    [2, 2],
    [1, 1]
  ]);
});

describe('Tree', () => {
  it('is used by keys, and what is dragged says what it is', async () => {
    const { fake, model } = await shown(2);
    const opened: unknown[] = [];
    fake.commands.addCommand('studio:open-job', {
      execute: args => void opened.push(args)
    });
    renderIn(fake, <Tree model={model} />);
    const tree = screen.getByRole('tree', { name: 'Studio' });
    const current = () =>
      document.getElementById(tree.getAttribute('aria-activedescendant')!)!;
    expect(current().textContent).toMatch(/^Data/);
    fireEvent.keyDown(tree, { key: 'j' });
    expect(current().textContent).toMatch(/^Jobs/);
    fireEvent.keyDown(tree, { key: 'ArrowRight' });
    expect(current().textContent).toMatch(/job-0/);
    fireEvent.keyDown(tree, { key: 'Enter' });
    expect(opened).toEqual([{ name: 'job-0' }]);
    fireEvent.keyDown(tree, { key: 'ArrowLeft' });
    fireEvent.keyDown(tree, { key: 'ArrowLeft' });
    expect(current().getAttribute('aria-expanded')).toBe('false');
    expect(screen.queryByText('job-0')).toBeNull();
    fireEvent.keyDown(tree, { key: 'ArrowRight' });
    const found = await screen.findByText('job-1');
    const job = found.closest('[role=treeitem]')!;
    expect(job.getAttribute('data-studio-kind')).toBe('job');
    const carried: Record<string, string> = {};
    const drag = new Event('dragstart', { bubbles: true });
    Object.defineProperty(drag, 'dataTransfer', {
      value: {
        setData: (type: string, text: string) => (carried[type] = text)
      }
    });
    fireEvent(job, drag);
    expect(JSON.parse(carried[DRAG_MIME])).toEqual({
      kind: 'job',
      name: 'job-1'
    });
  });
});

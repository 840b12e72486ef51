import type { MainAreaWidget } from '@jupyterlab/apputils';
import {
  act,
  fireEvent,
  screen,
  waitFor,
  within
} from '@testing-library/react';
import React from 'react';

import { Documents, StudioView } from '../core/documents';
import { PROCESSING, TRAINING } from '../jobs/kinds';
import { jobs } from '../jobs';
import { algorithm, asked, JobsModel, seconds } from '../jobs/model';
import { JobsPage, ProcessingJobsPage } from '../jobs/page';
import type { studio } from '../wire';
import { type Answers, fakeStudio, renderIn, sized } from './studio';

const settle = () => new Promise(resolve => setTimeout(resolve, 50));

function row(
  index: number,
  more: Partial<studio.ResourceRow> = {}
): studio.ResourceRow {
  return {
    Kind: 'training-job',
    Name: `job-${index}`,
    Arn: `arn:${index}`,
    Status: 'Completed',
    CreationTime: 1_700_000_000 - index,
    LastModifiedTime: 1_700_000_000,
    ...more
  };
}

/** As many jobs as `total`, of which any window is answered. */
function answering(total: number): Answers {
  return {
    'aws/studio/QueryResources': (request: studio.QueryResourcesRequest) => {
      const from = request.Offset ?? 0;
      const count = Math.max(0, Math.min(total - from, request.Limit ?? 100));
      return {
        Rows: Array.from({ length: count }, (_, i) => row(from + i)),
        Total: total,
        CountsByStatus: { Completed: total - 3, Failed: 3 },
        Unfiltered: total
      };
    }
  };
}

describe('asked', () => {
  it('asks for names, tags, statuses and an order', () => {
    expect(asked(TRAINING, {})).toEqual({
      Kind: 'training-job',
      SortBy: 'CreationTime',
      SortOrder: 'Descending'
    });
    expect(
      asked(TRAINING, {
        text: ' xgb team=a=b deep ',
        statuses: ['Failed'],
        sort: { by: 'duration', descending: false }
      })
    ).toEqual({
      Kind: 'training-job',
      Text: 'xgb deep',
      Tags: [{ Key: 'team', Value: 'a=b' }],
      Statuses: ['Failed'],
      SortBy: 'Duration',
      SortOrder: 'Ascending'
    });
  });
});

it('tells how long a job trains or trained', () => {
  expect(seconds(row(1), 0)).toBeUndefined();
  expect(seconds(row(1, { StartTime: 10 }), 12_500)).toBe(2.5);
  expect(seconds(row(1, { StartTime: 10, DurationSeconds: 4 }), 99_000)).toBe(
    4
  );
  expect(algorithm('1.dkr.amazonaws.com/xgboost:1.7')).toBe('xgboost:1.7');
});

describe('JobsModel', () => {
  it('fetches windows, and anew when a job changes, at most a few times a second', async () => {
    const fake = fakeStudio(answering(10_000));
    const model = new JobsModel(fake.client, fake.feed, TRAINING);
    model.rows.ensure(4_990, 5_010);
    await settle();
    expect(model.rows.row(5_005)?.Name).toBe('job-5005');
    expect(model.rows.total).toBe(10_000);
    expect(model.counts).toEqual({ Completed: 9_997, Failed: 3 });
    const before = fake.asked.length;
    for (let i = 0; i < 50; i++) {
      fake.emit({
        type: 'resource',
        Kind: 'training-job',
        Name: `job-${i}`,
        Arn: '',
        Status: 'Completed',
        Change: 'changed',
        At: 0
      });
    }
    fake.emit({ type: 'metrics', Kind: 'endpoint', Name: 'e' });
    await settle();
    expect(fake.asked.length - before).toBe(2); // the two pages in view
    model.dispose();
  });

  it('asks again only for another question', async () => {
    const fake = fakeStudio(answering(5));
    const model = new JobsModel(fake.client, fake.feed, TRAINING);
    model.rows.ensure(0, 10);
    await settle();
    model.ask({});
    await settle();
    expect(fake.asked.length).toBe(1);
    model.ask({ text: 'x', hours: 1 });
    expect(model.rows.row(0)?.Name).toBe('job-0'); // until the answer is there
    await settle();
    expect(fake.asked.length).toBe(2);
    expect(fake.asked[1][1].Text).toBe('x');
    expect(fake.asked[1][1].CreatedAfter).toBeGreaterThan(1_700_000_000);
    model.dispose();
  });
});

it('asks for jobs while its page is on its way, and no more once that is closed', async () => {
  const fake = fakeStudio(answering(10_000));
  const added: MainAreaWidget<StudioView>[] = [];
  const shell = {
    add: (widget: MainAreaWidget<StudioView>) => added.push(widget),
    activateById: () => undefined
  };
  const app = { commands: fake.commands, shell } as never;
  const documents = new Documents(app, null);
  void jobs.activate(app, { ...fake, documents } as never, null);
  await fake.commands.execute('studio:open-jobs', { text: 'x' });
  const [{ content }] = added;
  await waitFor(() => expect(fake.asked.length).toBe(1)); // nothing is drawn yet
  expect(fake.asked[0][1].Text).toBe('x');
  sized();
  const { unmount } = renderIn(fake, <JobsPage view={content} />);
  await screen.findByText('job-0');
  expect(fake.asked.length).toBe(1);
  unmount();
  content.dispose();
  fake.emit({ type: 'reset' });
  await settle();
  expect(fake.asked.length).toBe(1);
});

describe('JobsPage', () => {
  beforeAll(() => sized());

  function shown(answers: Answers, args = {}, Page = JobsPage) {
    const fake = fakeStudio(answers);
    const view = new StudioView(
      { command: 'studio:open-jobs' } as never,
      args,
      fake
    );
    renderIn(fake, <Page view={view} />);
    return { fake, view };
  }

  it('keeps filters, order and selection in its arguments', async () => {
    const { view } = shown(answering(10_000));
    const grid = await screen.findByRole('grid', { name: 'Training jobs' });
    await screen.findByText('job-0');
    expect(screen.getByText('10,000 jobs')).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: /Failed 3/ }));
    expect(view.args['statuses']).toEqual(['Failed']);
    await screen.findByText('job-0');
    fireEvent.click(within(grid).getByText('job-0'));
    fireEvent.click(within(grid).getByText('job-2'), { ctrlKey: true });
    expect(view.args['selected']).toEqual(['job-0', 'job-2']);
    act(() => screen.getByRole('button', { name: 'Name' }).click());
    expect(view.args['sort']).toEqual({ by: 'name', descending: false });
    fireEvent.change(screen.getByRole('searchbox'), {
      target: { value: 'deep' }
    });
    await waitFor(() => expect(view.args['text']).toBe('deep'));
  });

  it('acts on all that are selected', async () => {
    const { fake, view } = shown(answering(3), {
      selected: ['job-0', 'job-1']
    });
    const deleted: unknown[] = [];
    fake.commands.addCommand('studio:delete-jobs', {
      execute: args => void deleted.push(args)
    });
    await screen.findByText('job-0');
    fireEvent.click(screen.getByRole('button', { name: 'Delete…' }));
    expect(deleted).toEqual([
      { kind: 'training-job', names: ['job-0', 'job-1'] }
    ]);
    fake.emit({
      type: 'resource',
      Kind: 'training-job',
      Name: 'job-1',
      Arn: '',
      Status: 'Completed',
      Change: 'deleted',
      At: 0
    });
    expect(view.args['selected']).toEqual(['job-0']);
    const clone = screen.getByRole('button', { name: 'Clone…' });
    await waitFor(() =>
      expect((clone as HTMLButtonElement).disabled).toBe(false)
    );
  });

  it('stops and deletes jobs of the kind that it shows', async () => {
    const args = { selected: ['job-0'] };
    const { fake } = shown(answering(3), args, ProcessingJobsPage);
    const done: unknown[] = [];
    fake.commands.addCommand('studio:stop-jobs', {
      execute: given => void done.push(given)
    });
    await screen.findByText('job-0');
    fireEvent.click(screen.getByRole('button', { name: 'Stop…' }));
    expect(done).toEqual([{ kind: PROCESSING.kind, names: ['job-0'] }]);
    expect(fake.asked[0][1].Kind).toBe(PROCESSING.kind);
    expect(screen.queryByText('Metrics')).toBeNull();
  });

  it('says what to do when there is nothing, and what hides everything', async () => {
    const none = {
      'aws/studio/QueryResources': () => ({
        Rows: [],
        Total: 0,
        CountsByStatus: {},
        Unfiltered: 0
      })
    };
    shown(none);
    await screen.findByText('No training job yet');
    shown(none, { text: 'nothing' });
    await screen.findByText('No job is like that.');
  });

  it('keeps the last rows when nobody answers', async () => {
    let up = true;
    const answers = answering(3);
    const { fake } = shown({
      'aws/studio/QueryResources': (body, request) =>
        up
          ? answers['aws/studio/QueryResources'](body, request)
          : new Response('{"__type":"ServiceUnavailable","message":"down"}', {
              status: 503
            })
    });
    await screen.findByText('job-0');
    up = false;
    fake.emit({ type: 'reset' });
    await screen.findByText('down');
    expect(screen.getByText('job-0')).toBeTruthy();
  });
});

import { Notification } from '@jupyterlab/apputils';
import { screen, waitFor } from '@testing-library/react';
import React from 'react';

import { Banner } from '../components/banner';
import type { FeedEvent } from '../core/feed';
import { type IItem, itemCommands } from '../shell/items';
import { Notices } from '../shell/notices';
import { fakeStudio, renderIn } from './studio';

function job(Name: string, Status: string): FeedEvent {
  return {
    type: 'resource',
    Kind: 'training-job',
    Name,
    Arn: `arn:${Name}`,
    Status,
    Change: 'changed',
    At: 0
  };
}

describe('Commands of context menus', () => {
  const item: IItem = { kind: 'job', name: 'a', status: '', names: ['a'] };
  const runs = (changes: Partial<IItem>) =>
    Object.fromEntries(
      itemCommands(fakeStudio({}))
        .map(({ id, run }) => [id, run({ ...item, ...changes })] as const)
        .filter(([, run]) => run)
        .map(([id, run]) => [id.replace('studio:', ''), run])
    );

  it('fit what a job does', () => {
    expect(runs({ status: 'InProgress' })).toEqual({
      'open-item': ['studio:open-job', { name: 'a' }],
      'clone-item': ['studio:new-job', { from: 'a' }],
      'schedule-item': [
        'studio:schedule-job',
        { kind: 'training-job', name: 'a' }
      ],
      'insert-item': ['studio:insert-loader', { kind: 'job', name: 'a' }],
      'stop-item': ['studio:stop-jobs', { kind: 'training-job', names: ['a'] }]
    });
    expect(Object.keys(runs({ status: 'Completed' }))).toEqual([
      'open-item',
      'clone-item',
      'schedule-item',
      'deploy-item',
      'insert-item',
      'delete-item'
    ]);
    expect(runs({ names: ['a', 'b'] })['delete-item']).toEqual([
      'studio:delete-jobs',
      { kind: 'training-job', names: ['a', 'b'] }
    ]);
  });

  it('fit what a schedule does', () => {
    const paused = { kind: 'schedule', status: 'DISABLED' };
    expect(runs(paused)).toEqual({
      'open-item': ['studio:open-schedules', { selected: 'a' }],
      'run-item': ['studio:run-schedule', { name: 'a' }],
      'resume-item': ['studio:resume-schedules', { names: ['a'] }],
      'delete-item': ['studio:delete-schedules', { names: ['a'] }]
    });
    expect(runs({ ...paused, status: 'ENABLED' })['pause-item']).toEqual([
      'studio:pause-schedules',
      { names: ['a'] }
    ]);
  });

  it('fit what lies in S3', () => {
    const model = runs({ kind: 'object', name: 's3://b/out/model.tar.gz' });
    expect(model['deploy-item']).toEqual([
      'studio:deploy',
      { data: 's3://b/out/model.tar.gz' }
    ]);
    expect(model['train-item']).toBeUndefined();
    const folder = runs({ kind: 'folder', name: 's3://b/train/' });
    expect(folder['open-item']).toEqual([
      'studio:open-objects',
      { bucket: 'b', prefix: 'train/' }
    ]);
    expect(folder['train-item']).toEqual([
      'studio:new-job',
      { channel: 's3://b/train/' }
    ]);
  });
});

describe('Notices', () => {
  const told = () => Notification.manager.notifications.map(it => it.message);

  it('tell of jobs that were seen to fail, those of a moment together', async () => {
    jest.useFakeTimers();
    const fake = fakeStudio({});
    const notices = new Notices(fake);
    notices.configure({ notices: 'failed' });
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      fake.emit(job(name, 'InProgress'));
      fake.emit(job(name, name === 'e' ? 'Completed' : 'Failed'));
    }
    fake.emit(job('old', 'Failed'));
    jest.runAllTimers();
    expect(told()).toEqual(['a: Failed, b: Failed, c: Failed +1']);
    notices.configure({ notices: 'none' });
    fake.emit(job('a', 'InProgress'));
    fake.emit(job('a', 'Failed'));
    jest.runAllTimers();
    expect(told().length).toBe(1);
    notices.dispose();
    jest.useRealTimers();
  });
});

describe('Banner', () => {
  it('is there only while something is wrong', async () => {
    let problem = '';
    const fake = fakeStudio({ status: () => ({ problem }) });
    const become = (status: string) =>
      (fake.feed as any)._become(status) as void;
    renderIn(fake, <Banner />);
    expect(screen.queryByRole('status')).toBeNull();
    problem = 'The disk is full.';
    become('offline');
    await screen.findByText(/What you see is of/);
    await screen.findByText('The disk is full.');
    problem = '';
    become('live');
    await waitFor(() => expect(screen.queryByRole('status')).toBeNull());
  });
});

import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import React from 'react';

import { countdown } from '../compute/leases';
import { ComputePage } from '../compute/page';
import { first, limited } from '../compute/priority';
import { amount } from '../compute/thing';
import { StudioView } from '../core/documents';
import type { studio } from '../wire';
import { fakeStudio, renderIn, sized } from './studio';

jest.setTimeout(60_000);

function waits(name: string, Priority: number): studio.WaitingRun {
  return {
    Kind: 'training-job',
    Name: name,
    Arn: `arn:${name}`,
    Since: 0,
    Reason: 'Waits for 4 CPUs: 1 of 4 are free.',
    Position: 1,
    Priority,
    Cpus: 4,
    Gpus: 0,
    Hosts: 1
  };
}

const LEASE: studio.LeaseSummary = {
  LeaseName: 'explore',
  LeaseArn: 'arn:explore',
  LeaseStatus: 'InUse',
  InstanceType: 'local_gpu',
  Cpus: 4,
  Gpus: 1,
  Priority: 0,
  CreationTime: 0,
  IdleTimeoutInSeconds: 1800,
  ExpirationTime: Date.now() / 1000 + 600.5
};

const LOAD: studio.DescribeCapacityResponse = {
  Cpus: { Total: 4, Used: 3 },
  Gpus: { Total: 2, Used: 2 },
  Memory: { TotalInMB: 8000, AvailableInMB: 6000 },
  Devices: [
    {
      GpuId: 'GPU-a',
      Name: 'H200',
      MemoryInMB: 1000,
      LeasedMemoryInMB: 250,
      InUse: true,
      Holders: [
        { Kind: 'training-job', Name: 'deep', Arn: 'a', MemoryInMB: 250 }
      ]
    },
    {
      GpuId: 'GPU-b',
      Name: 'H200',
      MemoryInMB: 0,
      LeasedMemoryInMB: 0,
      InUse: true,
      Holders: []
    }
  ],
  Leases: [LEASE],
  Running: 1,
  RunningJobs: 1,
  Waiting: 2,
  WaitingRuns: []
};

const RUNNING: studio.RunningJob = {
  Kind: 'training-job',
  Name: 'spot',
  Arn: 'arn:spot',
  Since: 0,
  Priority: 0,
  Preemptible: true,
  Interrupting: false,
  Cpus: 2,
  Gpus: 1,
  GpuIds: ['GPU-a'],
  Hosts: 2
};

it('writes amounts, countdowns and priorities', () => {
  const { trans } = fakeStudio({});
  expect(amount(RUNNING, trans)).toBe('2 CPUs, 1 GPU, 2 hosts');
  expect(amount({ Cpus: 1, Gpus: 1, GpuMemoryInMB: 5120 }, trans)).toBe(
    '1 CPU, 5 GiB of a GPU'
  );
  expect([0, 59.2, 754, 3754].map(countdown)).toEqual([
    '0:00',
    '1:00',
    '12:34',
    '1:02:34'
  ]);
  const [a, b, c] = [waits('a', 5), waits('b', -2), waits('c', 0)];
  expect(first([b], [a, b, c])).toBe(6);
  expect(first([a], [a])).toBe(5);
  expect(limited(20_000)).toBe(9999);
});

describe('ComputePage', () => {
  beforeAll(() => sized());

  const shown = (load = LOAD, waiting = [waits('a', 0), waits('b', 0)]) => {
    const fake = fakeStudio({
      'aws/studio/DescribeCapacity': () => load,
      'aws/studio/ListQueue': () => ({
        Running: load.Running ? [RUNNING] : [],
        Waiting: waiting
      }),
      'aws/sagemaker/ListTrainingJobs': () => ({ TrainingJobSummaries: [] }),
      'aws/studio/UpdateJobPriority': body => body,
      'aws/studio/KeepLease': () => ({ ExpirationTime: 0 })
    });
    const view = new StudioView(
      { command: 'studio:open-compute' } as never,
      {},
      fake
    );
    renderIn(fake, <ComputePage view={view} />);
    return fake;
  };
  const asked = (fake: ReturnType<typeof shown>, operation: string) =>
    fake.asked.filter(([route]) => route === `aws/studio/${operation}`);

  it('shows who holds what, and who waits and why', async () => {
    shown();
    const queue = await screen.findByRole('grid', { name: 'Queue' });
    expect(within(queue).getAllByText(/1 of 4 are free/).length).toBe(2);
    expect(screen.getByText('3 of 4 held by jobs')).toBeTruthy();
    expect(screen.getByText('262 MB of 1.0 GB held in shares')).toBeTruthy();
    expect(screen.getByText('by somebody else')).toBeTruthy();
    expect(screen.getByText('spot: may be interrupted')).toBeTruthy();
    expect(screen.getByRole('timer').textContent).toMatch(/10:0|9:5/);
  });

  it('changes priorities by mouse and by key, and keeps leases', async () => {
    const fake = shown();
    const queue = await screen.findByRole('grid', { name: 'Queue' });
    fireEvent.click(
      screen.getByRole('button', { name: 'Raise the priority of b' })
    );
    await waitFor(() =>
      expect(asked(fake, 'UpdateJobPriority').map(each => each[1])).toEqual([
        { Arn: 'arn:b', Priority: 1 }
      ])
    );
    fireEvent.keyDown(queue, { key: '-' });
    await waitFor(() =>
      expect(asked(fake, 'UpdateJobPriority')[1]?.[1]).toEqual({
        Arn: 'arn:a',
        Priority: -1
      })
    );
    fireEvent.click(screen.getByRole('button', { name: 'Keep' }));
    await waitFor(() =>
      expect(asked(fake, 'KeepLease')[0]?.[1]).toEqual({ LeaseName: 'explore' })
    );
  });

  it('says so when nothing runs and nobody waits', async () => {
    shown({ ...LOAD, Leases: [], Devices: [], Running: 0, Waiting: 0 }, []);
    await screen.findByText('Nobody waits');
    expect(screen.getByText('Nothing runs')).toBeTruthy();
    expect(screen.getByText(/No notebook holds anything/)).toBeTruthy();
  });
});

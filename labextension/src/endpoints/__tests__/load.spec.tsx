import { fireEvent, screen, waitFor } from '@testing-library/react';
import React from 'react';

import { fakeStudio, renderIn } from '../../__tests__/studio';
import { LoadTest } from '../load';
import { broken, FIRST_LOAD, outline, requestOf } from '../loads';

const request = { contentType: 'text/csv', accept: '', variant: '', body: 'é' };
const latency = { P50: 1.234, P90: 2, P99: 9, Mean: 2, Maximum: 12 };
const test = {
  LoadTestName: 'bank-1',
  LoadTestArn: 'arn',
  LoadTestStatus: 'InProgress',
  EndpointName: 'bank',
  DurationInSeconds: 10,
  RequestsPerSecond: 50,
  Connections: 64,
  CreationTime: 1_790_000_000,
  Requested: 100,
  Sent: 100,
  Answered: 98,
  Failed: 2,
  AnsweredPerSecond: 49,
  Latency: latency,
  Errors: [{ Kind: '429 ThrottlingException', Count: 2 }],
  Seconds: [{ Second: 1, Requested: 50, Answered: 49, Failed: 1, ...latency }],
  Histogram: [{ UpTo: 1.23, Count: 98 }],
  GeneratorLag: 1
};
const page = (
  <LoadTest endpoint="bank" request={request} file={null} ready={true} />
);

it('says what a test found, and stops it', async () => {
  const studio = fakeStudio({
    'aws/studio/ListLoadTests': () => ({ LoadTests: [test] }),
    'aws/studio/DescribeLoadTest': () => test,
    'aws/studio/StopLoadTest': () => ({})
  });
  renderIn(studio, page);
  expect(
    await screen.findByText('p50 1.23 ms, p90 2 ms, p99 9 ms')
  ).toBeTruthy();
  expect(screen.getByText('49 of 50 requests a second')).toBeTruthy();
  expect(screen.getByRole('alert').textContent).toContain(
    '2 × 429 ThrottlingException'
  );
  const start = screen.getByRole('button', { name: 'Start load test…' });
  expect((start as HTMLButtonElement).disabled).toBe(true);
  fireEvent.click(screen.getByRole('button', { name: 'Stop load test' }));
  await waitFor(() =>
    expect(studio.asked).toContainEqual([
      'aws/studio/StopLoadTest',
      { LoadTestName: 'bank-1' }
    ])
  );
});

it('begins after asking, within the bounds', async () => {
  const studio = fakeStudio({
    'aws/studio/ListLoadTests': () => ({ LoadTests: [] }),
    'aws/studio/StartLoadTest': () => ({ LoadTestArn: 'arn' })
  });
  renderIn(studio, page);
  await screen.findByText('No load test of this endpoint yet.');
  const start = screen.getByRole('button', { name: 'Start load test…' });
  const rate = screen.getByLabelText('Requests a second');
  fireEvent.change(rate, { target: { value: '2001' } });
  expect((start as HTMLButtonElement).disabled).toBe(true);
  fireEvent.change(rate, { target: { value: '20' } });
  fireEvent.click(start);
  const sure = () => document.querySelector('.jp-Dialog .jp-mod-warn');
  await waitFor(() => expect(sure()).toBeTruthy());
  expect(document.querySelector('.jp-Dialog')?.textContent).toContain(
    'real traffic'
  );
  fireEvent.click(sure()!);
  const begun = () =>
    studio.asked.filter(([path]) => path.endsWith('StartLoadTest'));
  await waitFor(() => expect(begun()).toHaveLength(1));
  expect(begun()[0][1]).toMatchObject({
    EndpointName: 'bank',
    RequestsPerSecond: 20,
    DurationInSeconds: 10,
    ContentType: 'text/csv',
    Body: 'w6k='
  });
});

it('asks for connections or for a rate, and knows the bounds', () => {
  const load = { ...FIRST_LOAD, mode: 'connections' as const };
  const made = requestOf('bank', load, { ...request, variant: 'A' }, 'AA==', 0);
  expect(made).toMatchObject({
    LoadTestName: 'bank-19700101000000',
    Connections: 8,
    TargetVariant: 'A'
  });
  expect(made).not.toHaveProperty('RequestsPerSecond');
  expect(broken(load)).toBeNull();
  expect(broken({ ...load, connections: 65 })).toBe('connections');
  expect(broken({ ...load, seconds: NaN })).toBe('seconds');
});

it('draws empty steps between others', () => {
  const steps = outline([
    { UpTo: 2 ** (4 / 32), Count: 1 },
    { UpTo: 2 ** (12 / 32), Count: 3 }
  ]);
  expect(steps.y).toEqual([25, 25, 0, 0, 75, 75]);
  expect(steps.x[0]).toBeCloseTo(1);
  expect(outline([])).toEqual({ x: [], y: [] });
});

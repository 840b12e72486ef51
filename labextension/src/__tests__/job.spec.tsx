import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import React from 'react';

import {
  float64s,
  type ISeries,
  seriesOf,
  smoothed
} from '../components/chart/series';
import { StudioView } from '../core/documents';
import { failureOf } from '../job/failure';
import { families } from '../job/families';
import { endOf, JobPage } from '../job/page';
import { phases } from '../job/phases';
import type { sagemaker } from '../wire';
import { fakeStudio, renderIn } from './studio';

const AT = 1_700_000_000;
jest.setTimeout(60_000);

function job(
  changes: Partial<sagemaker.DescribeTrainingJobResponse> = {}
): sagemaker.DescribeTrainingJobResponse {
  return {
    TrainingJobName: 'job',
    TrainingJobArn: 'arn:aws:sagemaker:us-east-1:0:training-job/job',
    ModelArtifacts: { S3ModelArtifacts: 's3://b/out/job/output/model.tar.gz' },
    TrainingJobStatus: 'InProgress',
    SecondaryStatus: 'Training',
    AlgorithmSpecification: { TrainingInputMode: 'File', TrainingImage: 'i' },
    ResourceConfig: {
      InstanceType: 'ml.m5.large',
      InstanceCount: 1,
      VolumeSizeInGB: 1
    },
    StoppingCondition: { MaxRuntimeInSeconds: 60 },
    CreationTime: AT,
    HyperParameters: { depth: '5', password: 'hunter2' },
    SecondaryStatusTransitions: [
      { Status: 'Starting', StartTime: AT, EndTime: AT + 1, StatusMessage: '' },
      {
        Status: 'Training',
        StartTime: AT + 1,
        StatusMessage: 'Training in progress.'
      }
    ],
    ...changes
  } as sagemaker.DescribeTrainingJobResponse;
}

function packed(values: number[]): string {
  const bytes = new Uint8Array(new Float64Array(values).buffer);
  return btoa(String.fromCharCode(...bytes));
}

function series(name: string, host?: string): ISeries {
  return seriesOf({
    MetricName: name,
    Group: 'job',
    Unit: 'None',
    Host: host,
    Times: packed([1, 2]),
    Values: packed([3, NaN]),
    Total: 2
  });
}

const trans = fakeStudio({}).trans;

describe('Series', () => {
  it('are little-endian numbers', () => {
    expect([...float64s(packed([1.5, NaN, -2]))]).toEqual([1.5, NaN, -2]);
  });

  it('are smoothed without a start from nought', () => {
    const found = smoothed(Float64Array.from([4, NaN, 4, 8]), 0.5);
    expect(found[0]).toBeCloseTo(4);
    expect(found[1]).toBeNaN();
    expect(found[2]).toBeCloseTo(4);
    expect(found[3]).toBeCloseTo(4 + 4 / 1.75);
  });

  it('of training and validation make one chart', () => {
    const names = ['validation:rmse', 'train:rmse', 'val_loss', 'loss', 'f1'];
    const found = families(names.map(name => series(name)));
    expect(
      found.map(each => [each.title, each.lines.map(line => line.label)])
    ).toEqual([
      ['rmse', ['train', 'validation']],
      ['loss', ['train', 'validation']],
      ['f1', ['f1']]
    ]);
  });

  it('of several hosts are told apart', () => {
    const found = families([
      series('loss', 'algo-1'),
      series('loss', 'algo-2')
    ]);
    expect(found[0].lines.map(line => line.label)).toEqual([
      'algo-1',
      'algo-2'
    ]);
  });
});

describe('Phases', () => {
  it('count while they go on, and tell what is to come', () => {
    expect(
      phases(job(), (AT + 11) * 1000).map(({ name, seconds, current }) => [
        name,
        seconds,
        current
      ])
    ).toEqual([
      ['Starting', 1, false],
      ['Training', 10, true],
      ['Uploading', undefined, false]
    ]);
  });

  it('end with the one that was cut', () => {
    const failed = job({
      TrainingJobStatus: 'Failed',
      SecondaryStatusTransitions: [
        { Status: 'Training', StartTime: AT, EndTime: AT + 5 },
        { Status: 'Failed', StartTime: AT + 5, EndTime: AT + 5 }
      ] as sagemaker.SecondaryStatusTransition[]
    });
    expect(phases(failed, 0)).toMatchObject([
      { name: 'Training', seconds: 5, current: false, cut: 'Failed' }
    ]);
  });

  it('of a job that was stopped end before its results are stored', () => {
    const names = ['Training', 'Stopping', 'Uploading', 'Stopped'];
    const stopped = job({
      TrainingJobStatus: 'Stopped',
      SecondaryStatusTransitions: names.map(Status => ({
        Status,
        StartTime: AT,
        EndTime: AT
      })) as sagemaker.SecondaryStatusTransition[]
    });
    expect(phases(stopped, 0).map(phase => phase.cut)).toEqual([
      'Stopped',
      undefined,
      undefined
    ]);
  });

  it('are all to come again after an interruption', () => {
    const been = ['Starting', 'Training', 'Interrupted', 'Starting'];
    const interrupted = job({
      SecondaryStatusTransitions: been.map(Status => ({
        Status: Status as never,
        StartTime: AT,
        StatusMessage: ''
      }))
    });
    const names = phases(interrupted, AT * 1000).map(phase => phase.name);
    expect(names.slice(been.length)).toEqual([
      'Downloading',
      'Training',
      'Uploading'
    ]);
  });
});

describe('Failures', () => {
  const told = (reason: string) =>
    failureOf(
      endOf(job({ TrainingJobStatus: 'Failed', FailureReason: reason })),
      trans
    )!;

  it.each([
    ['AlgorithmError: KeyError: 1, exit code: 1', 'exit code 1', 'KeyError: 1'],
    ['AlgorithmError: x, exit code: 139', 'SIGSEGV', 'x'],
    ['ClientError: OutOfMemory: much, exit code: 137', 'memory', 'much'],
    ['ClientError: DownloadFailed: no such key', 'input data', 'no such key'],
    ['InternalServerError: it was killed', 'lost', 'it was killed'],
    ['words without a form', 'could not be run', 'words without a form']
  ])('%s', (reason, cause, said) => {
    expect(told(reason).cause).toContain(cause);
    expect(told(reason).said).toBe(said);
  });

  it('of time are told with the limit', () => {
    const late = job({
      TrainingJobStatus: 'Stopped',
      SecondaryStatus: 'MaxRuntimeExceeded'
    });
    expect(failureOf(endOf(late), trans)!.cause).toContain('1 min');
    expect(failureOf(endOf(job()), trans)).toBeNull();
  });
});

describe('The page of a job', () => {
  const opened = async (
    shown: sagemaker.DescribeTrainingJobResponse | null,
    lines: string[] = []
  ) => {
    const studio = fakeStudio({
      'aws/sagemaker/DescribeTrainingJob': () =>
        shown ??
        new Response('{"__type":"ValidationException","message":"no"}', {
          status: 400
        }),
      'aws/sagemaker/ListTags': () => ({ Tags: [] }),
      'aws/studio/GetMetricSeries': () => ({ Series: [], Complete: true }),
      'aws/studio/DescribeLog': () => ({
        Streams: [],
        Stream: 's',
        Lines: lines.length,
        Bytes: 1,
        Ended: true,
        Traceback: lines.length
          ? { Line: 41, Text: lines.join('\n') }
          : undefined
      }),
      'aws/studio/GetLogLines': () => ({ Start: 0, LogLines: [], Lines: 0 })
    });
    const executed: [string, unknown][] = [];
    for (const id of ['studio:stop-jobs', 'studio:new-job']) {
      studio.commands.addCommand(id, {
        describedBy: { args: null },
        execute: args => executed.push([id, args])
      });
    }
    const view = new StudioView(
      { key: () => '', title: () => '' } as never,
      { name: 'job' },
      studio
    );
    renderIn(studio, <JobPage view={view} />);
    await waitFor(() =>
      expect(document.querySelector('.jp-StudioSkeleton')).toBeNull()
    );
    return { executed, view };
  };

  it('shows what the job does, and offers what can be done', async () => {
    const { executed } = await opened(job());
    expect(screen.getByRole('heading', { name: 'job' })).toBeTruthy();
    const present = screen.getByRole('list', { name: 'Phases' });
    expect(within(present).getByText('Training')).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Stop' }));
    expect(executed).toContainEqual([
      'studio:stop-jobs',
      { kind: 'training-job', names: ['job'] }
    ]);
    expect(screen.queryByRole('button', { name: 'Delete' })).toBeNull();
  });

  it('hides what looks like a secret until it is asked for', async () => {
    await opened(job());
    expect(document.body.textContent).not.toContain('hunter2');
    fireEvent.click(screen.getByRole('button', { name: 'Show' }));
    expect(document.body.textContent).toContain('hunter2');
  });

  it('tells why it failed, and leads to the line', async () => {
    const failed = job({
      TrainingJobStatus: 'Failed',
      SecondaryStatus: 'Failed',
      FailureReason: 'AlgorithmError: KeyError: 1, exit code: 1'
    });
    const { view, executed } = await opened(failed, [
      'Traceback',
      'KeyError: 1'
    ]);
    const card = screen.getByLabelText('Why the job failed');
    await within(card).findByText(/KeyError: 1/);
    expect(card.textContent).toContain('exit code 1');
    expect(within(card).getByText(/KeyError: 1/)).toBeTruthy();
    fireEvent.click(within(card).getByRole('button', { name: /Clone/ }));
    expect(executed).toContainEqual(['studio:new-job', { from: 'job' }]);
    fireEvent.click(within(card).getByRole('button', { name: /line 42/ }));
    expect(view.args).toMatchObject({
      tab: 'log',
      log: { line: 41, follow: false }
    });
  });

  it('says that there is no such job', async () => {
    await opened(null);
    expect(screen.getByText('There is no training job job.')).toBeTruthy();
  });
});

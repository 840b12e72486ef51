import { Notification } from '@jupyterlab/apputils';
import { fireEvent, screen, waitFor } from '@testing-library/react';
import React from 'react';

import { StudioView } from '../core/documents';
import { build } from '../images/build';
import { ImagesPage } from '../images/page';
import { processingPhases } from '../job/phases';
import { ProcessingJobPage } from '../job/processing';
import { interruptions, shortages } from '../job/supply';
import { PROCESSING } from '../jobs/kinds';
import { asked } from '../jobs/model';
import { fresh, withScript } from '../newjob/processing-draft';
import { NewProcessingJob } from '../newjob/processing';
import type { sagemaker } from '../wire';
import { type Answers, fakeStudio, renderIn, sized } from './studio';

jest.setTimeout(60_000);

const AT = 1_700_000_000;

function job(
  changes: Partial<sagemaker.DescribeProcessingJobResponse> = {}
): sagemaker.DescribeProcessingJobResponse {
  return {
    ...(fresh(
      { Bucket: 'lake', RoleArn: 'arn:role' } as never,
      's3://lake/in/'
    ) as sagemaker.CreateProcessingJobRequest),
    ProcessingJobName: 'prepare',
    ProcessingJobArn: 'arn:prepare',
    ProcessingJobStatus: 'Completed',
    CreationTime: AT,
    ProcessingStartTime: AT + 2,
    ProcessingEndTime: AT + 12,
    ...changes
  };
}

const ANSWERS: Answers = {
  'aws/studio/DescribeDefaults': () => ({ Bucket: 'lake', RoleArn: 'arn:r' }),
  'aws/studio/DescribeInstanceTypes': () => ({ InstanceTypes: [] }),
  'aws/studio/ValidateProcessingJob': () => ({ Faults: [] }),
  'aws/sagemaker/DescribeProcessingJob': () =>
    job({ ExitMessage: 'kept 12 rows' }),
  'aws/sagemaker/ListTags': () => ({ Tags: [] }),
  'aws/sagemaker/ListProcessingJobs': () => ({
    ProcessingJobSummaries: [{ ProcessingJobName: 'prepare-2' }]
  }),
  'aws/sagemaker/CreateProcessingJob': () => ({ ProcessingJobArn: 'arn:x' }),
  'aws/studio/GetMetricSeries': () => ({ Series: [], Complete: true }),
  's3/lake': () => ({})
};

function page(
  Page: React.ComponentType<{ view: StudioView }>,
  args: object,
  answers: Answers = ANSWERS
) {
  const fake = fakeStudio(answers);
  const view = new StudioView(
    { command: 'studio:some-page' } as never,
    args as never,
    fake
  );
  renderIn(fake, <Page view={view} />);
  return { fake, view };
}

beforeAll(() => sized());

it('asks for processing jobs', () => {
  expect(asked(PROCESSING, {}).Kind).toBe('processing-job');
});

it('tells the phases of a processing job', () => {
  const { trans } = fakeStudio({});
  const of = (changes: Partial<sagemaker.DescribeProcessingJobResponse>) =>
    processingPhases(job(changes), (AT + 20) * 1000, trans).map(
      each => [each.seconds, each.current, each.cut] as const
    );
  expect(of({})).toEqual([
    [2, false, undefined],
    [10, false, undefined]
  ]);
  const runs = {
    ProcessingJobStatus: 'InProgress',
    ProcessingEndTime: undefined
  };
  expect(of(runs)[1]).toEqual([18, true, undefined]);
  expect(of({ ...runs, ProcessingStartTime: undefined })).toEqual([
    [20, true, undefined],
    [undefined, false, undefined]
  ]);
  expect(of({ ProcessingJobStatus: 'Failed' })[1][2]).toBe('Failed');
});

it('tells of interruptions, and of what the machine lacks', () => {
  const each = (Status: string, StatusMessage = '') => ({
    Status,
    StatusMessage,
    StartTime: AT
  });
  const shown = {
    SecondaryStatusTransitions: [
      each('Starting', 'Preparing (this machine has 1 of 4 GPUs of an ml.x)'),
      each('Interrupted'),
      each('Training')
    ]
  } as sagemaker.DescribeTrainingJobResponse;
  expect(interruptions(shown)).toBe(1);
  expect(shortages(shown)).toEqual([
    'This machine has 1 of 4 GPUs of an ml.x.'
  ]);
});

it('shows what a processing job read, wrote and said', async () => {
  page(ProcessingJobPage, { name: 'prepare' });
  await screen.findByText('kept 12 rows');
  expect(screen.getByText('s3://lake/in/')).toBeTruthy();
  expect(
    screen.getByText(/\/opt\/ml\/processing\/output, at its end/)
  ).toBeTruthy();
  expect(
    screen.getByText(/python3 \/opt\/ml\/processing\/code\/main.py/)
  ).toBeTruthy();
});

it('copies a processing job, and starts it', async () => {
  const { fake } = page(NewProcessingJob, { from: 'prepare' });
  const opened = jest.fn();
  fake.commands.addCommand('studio:open-processing-job', { execute: opened });
  const name = await screen.findByDisplayValue('prepare-3');
  fireEvent.change(name, { target: { value: 'again' } });
  await screen.findByText('Ready');
  fireEvent.click(screen.getByRole('button', { name: 'Start processing' }));
  await waitFor(() => expect(opened).toHaveBeenCalled());
  const request = fake.asked.find(([route]) =>
    route.endsWith('CreateProcessingJob')
  )![1];
  expect(request.ProcessingJobName).toBe('again');
  expect(request.ProcessingInputs.length).toBe(2);
});

it('makes a script the input "code" and runs it', () => {
  const next = withScript({}, 's3://lake/src/clean.py');
  expect(next.ProcessingInputs?.[0].S3Input?.S3Uri).toBe(
    's3://lake/src/clean.py'
  );
  expect(next.AppSpecification?.ContainerEntrypoint).toEqual([
    'python3',
    '/opt/ml/processing/code/clean.py'
  ]);
});

it('shows what images run as, and builds them in a terminal', async () => {
  const { fake } = page(
    ImagesPage,
    {},
    {
      'aws/studio/ListStudioImages': () => ({
        Images: [
          { Name: 'sklearn', Uri: 'studio-sklearn:latest', Built: false }
        ],
        Obstacle: '',
        Command: 'studio images build'
      }),
      'aws/studio/ListImageRows': () => ({
        Rows: [
          {
            Pattern: 'team/*',
            Target: 'registry/team:1',
            Own: true,
            Editable: false
          },
          {
            Pattern: 'xgboost',
            Target: 'algorithm:xgboost',
            Own: false,
            Editable: false
          }
        ],
        Revision: '1'
      })
    }
  );
  const built = jest.fn();
  fake.commands.addCommand('studio:build-image', { execute: built });
  fireEvent.click(await screen.findByRole('button', { name: 'Build…' }));
  expect(built.mock.calls[0][0]).toEqual({ name: 'sklearn' });
  expect(screen.getByText('container')).toBeTruthy();
  fireEvent.change(screen.getByRole('searchbox'), { target: { value: 'xgb' } });
  await waitFor(() => expect(screen.queryByText('team/*')).toBeNull());
  expect(screen.getByText('algorithm:xgboost')).toBeTruthy();
});

/** Change a field of a dialog, which is drawn again in a moment. */
async function typed(label: RegExp, value: string): Promise<void> {
  fireEvent.change(screen.getByLabelText(label), { target: { value } });
  await waitFor(() =>
    expect((screen.getByLabelText(label) as HTMLInputElement).value).toBe(value)
  );
}

describe('rows of the table of images', () => {
  const ROW = { Pattern: 'team/*', Target: 'registry/team:1' };

  /** A page over a table that refuses rows of `script:R`. */
  async function table() {
    let kept = [ROW];
    const listed = () => ({
      Rows: kept.map(each => ({ ...each, Own: true, Editable: true })),
      Revision: JSON.stringify(kept)
    });
    const { fake } = page(
      ImagesPage,
      {},
      {
        'aws/studio/ListStudioImages': () => ({
          Images: [],
          Obstacle: '',
          Command: ''
        }),
        'aws/studio/ListImageRows': listed,
        'aws/studio/UpdateImageRows': (request: any) => {
          const bad = request.Rows.some((it: any) => it.Target === 'script:R');
          if (bad || request.Revision !== listed().Revision) {
            const message = bad ? 'script:R is unknown' : 'changed';
            return new Response(
              JSON.stringify({ __type: 'ValidationException', message }),
              { status: 400 }
            );
          }
          kept = request.Rows;
          return listed();
        }
      }
    );
    await screen.findByText('team/*');
    const sent = () =>
      fake.asked
        .filter(([route]) => route.endsWith('UpdateImageRows'))
        .map(([, body]) => body.Rows);
    return { sent };
  }

  const accept = () =>
    fireEvent.click(document.querySelector('.jp-Dialog .jp-mod-accept')!);

  it('asks again for a row that was refused, with the reason', async () => {
    const { sent } = await table();
    fireEvent.click(screen.getByRole('button', { name: 'Add a row…' }));
    await waitFor(() => screen.getByLabelText(/Pattern/));
    await typed(/Pattern/, ' more/* ');
    await typed(/Runs/, 'script:R');
    accept();
    await screen.findByText('script:R is unknown');
    expect((screen.getByLabelText(/Pattern/) as any).value).toBe('more/*');
    await typed(/Runs/, 'script:sklearn');
    accept();
    await screen.findByText('more/*');
    expect(sent().at(-1)).toEqual([
      ROW,
      { Pattern: 'more/*', Target: 'script:sklearn' }
    ]);
    fireEvent.click(screen.getByRole('button', { name: 'Ask more/* earlier' }));
    await waitFor(() => expect(sent().at(-1).at(-1)).toEqual(ROW));
  });

  it('removes a row once one is sure, and brings it back', async () => {
    const { sent } = await table();
    fireEvent.click(
      screen.getByRole('button', { name: 'Remove the row team/*' })
    );
    await waitFor(() =>
      expect(document.querySelector('.jp-Dialog .jp-mod-warn')).toBeTruthy()
    );
    expect(sent()).toEqual([]);
    fireEvent.click(document.querySelector('.jp-Dialog .jp-mod-warn')!);
    await waitFor(() => expect(screen.queryByText('team/*')).toBeNull());
    const { manager } = Notification;
    const [told] = manager.notifications;
    expect(told.message).toBe('The row was removed.');
    told.options.actions![0].callback({} as MouseEvent);
    await screen.findByText('team/*');
    expect(sent()).toEqual([[], [ROW]]);
  });
});

it('builds an image on the base that is asked for', async () => {
  const app = fakeStudio({
    'aws/studio/ListStudioImages': () => ({
      Images: [],
      Obstacle: '',
      Command: 'studio images build'
    })
  });
  const send = jest.fn();
  app.commands.addCommand('terminal:create-new', {
    execute: () => ({ content: { session: { send } } })
  });
  const built = build(app, 'sklearn');
  await waitFor(() => screen.getByLabelText(/Base image/));
  await typed(/Base image/, "mine:1'; id");
  const complete = () =>
    screen.getByLabelText(/all packages/) as HTMLInputElement;
  fireEvent.click(complete());
  await waitFor(() => expect(complete().checked).toBe(true));
  fireEvent.click(document.querySelector('.jp-Dialog .jp-mod-accept')!);
  await built;
  expect(send.mock.calls[0][0].content).toEqual([
    "studio images build sklearn --base 'mine:1'\\''; id' --offline\r"
  ]);
});

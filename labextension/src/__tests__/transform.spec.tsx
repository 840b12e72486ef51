import { fireEvent, screen, waitFor } from '@testing-library/react';
import React from 'react';

import { StudioView } from '../core/documents';
import { transformPhases } from '../job/phases';
import { TransformJobPage } from '../job/transform';
import { Actions } from '../jobs/filters';
import { TRANSFORM } from '../jobs/kinds';
import { fresh } from '../newjob/transform-draft';
import { NewTransformJob } from '../newjob/transform';
import type { sagemaker } from '../wire';
import { type Answers, fakeStudio, renderIn, sized } from './studio';

jest.setTimeout(60_000);

const AT = 1_700_000_000;

function job(
  changes: Partial<sagemaker.DescribeTransformJobResponse> = {}
): sagemaker.DescribeTransformJobResponse {
  return {
    ...(fresh({ Bucket: 'lake' } as never, {
      model: 'mine',
      input: 's3://lake/in/'
    }) as sagemaker.CreateTransformJobRequest),
    TransformJobName: 'night',
    TransformJobArn: 'arn:night',
    TransformJobStatus: 'Failed',
    FailureReason:
      'ClientError: 2 records of 1 file could not be transformed: no number',
    CreationTime: AT,
    TransformStartTime: AT + 2,
    TransformEndTime: AT + 12,
    DataProcessing: {
      InputFilter: '$[1:]',
      JoinSource: 'None',
      OutputFilter: '$'
    },
    ...changes
  };
}

const ANSWERS: Answers = {
  'aws/studio/DescribeDefaults': () => ({ Bucket: 'lake', RoleArn: 'arn:r' }),
  'aws/studio/DescribeInstanceTypes': () => ({ InstanceTypes: [] }),
  'aws/studio/DescribeTransformProgress': () => ({
    Files: 5,
    FilesDone: 4,
    FilesFailed: 1,
    Records: 12_000,
    RecordsFailed: 2,
    Bytes: 2048,
    BytesRead: 1024
  }),
  'aws/studio/ValidateTransformJob': () => ({ Faults: [] }),
  'aws/sagemaker/DescribeTransformJob': () => job(),
  'aws/sagemaker/ListModels': () => ({ Models: [{ ModelName: 'mine' }] }),
  'aws/sagemaker/ListTags': () => ({ Tags: [] }),
  'aws/sagemaker/ListTransformJobs': () => ({
    TransformJobSummaries: [{ TransformJobName: 'night-2' }]
  }),
  'aws/sagemaker/CreateTransformJob': () => ({ TransformJobArn: 'arn:x' }),
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
  return fake;
}

beforeAll(() => sized());

it('tells the phases of a transform job', () => {
  const { trans } = fakeStudio({});
  const of = (changes: Partial<sagemaker.DescribeTransformJobResponse>) =>
    transformPhases(job(changes), (AT + 20) * 1000, trans).map(
      each => [each.name, each.seconds, each.cut] as const
    );
  expect(of({})).toEqual([
    ['Starting', 2, undefined],
    ['Transforming', 10, 'Failed']
  ]);
});

it('shows how far a transform job is, and what failed', async () => {
  page(TransformJobPage, { name: 'night' });
  await screen.findByText('4 of 5 files done');
  expect(screen.getByRole('progressbar').getAttribute('value')).toBe('5');
  expect(screen.getByText('12,000')).toBeTruthy();
  expect(screen.getByText(/^2 \(up to 100 a file/)).toBeTruthy();
  expect(screen.getByText(/no answer to some records/)).toBeTruthy();
  expect(screen.getByText('s3://lake/in/')).toBeTruthy();
  expect(screen.getByText('$[1:]')).toBeTruthy();
});

it('says that no file was read yet', async () => {
  page(
    TransformJobPage,
    { name: 'night' },
    {
      ...ANSWERS,
      'aws/sagemaker/DescribeTransformJob': () =>
        job({ TransformJobStatus: 'InProgress', FailureReason: undefined }),
      'aws/studio/DescribeTransformProgress': () => ({ Files: 0 })
    }
  );
  await screen.findByText('The model server is being started.');
});

it('copies a transform job without what nobody asked for', async () => {
  const fake = page(NewTransformJob, { from: 'night' });
  const opened = jest.fn();
  fake.commands.addCommand('studio:open-transform-job', { execute: opened });
  await screen.findByDisplayValue('night-3');
  await screen.findByText('Ready');
  fireEvent.click(screen.getByRole('button', { name: 'Start transforming' }));
  await waitFor(() => expect(opened).toHaveBeenCalled());
  const request = fake.asked.find(([route]) =>
    route.endsWith('CreateTransformJob')
  )![1];
  expect(request.TransformJobName).toBe('night-3');
  expect(request.DataProcessing).toEqual({ InputFilter: '$[1:]' });
});

it('offers no deletion where SageMaker has none', async () => {
  const fake = fakeStudio(ANSWERS);
  renderIn(fake, <Actions kind={TRANSFORM} names={['night']} />);
  await screen.findByText('Stop…');
  expect(screen.queryByText('Delete…')).toBeNull();
});

import {
  act,
  configure,
  fireEvent,
  screen,
  waitFor,
  within
} from '@testing-library/react';
import React from 'react';

import { StudioView, type IDocumentType } from '../core/documents';
import type { IArgs } from '../newjob/draft';
import { NewJob } from '../newjob/page';
import { ALGORITHMS, DEFAULTS, ROWS } from './algorithms';
import { type Answers, fakeStudio, renderIn } from './studio';

configure({ asyncUtilTimeout: 10_000 });
jest.setTimeout(30_000);

describe('the form', () => {
  const type: IDocumentType = {
    command: 'studio:new-job',
    label: '',
    caption: '',
    icon: undefined as never,
    properties: {},
    key: () => '',
    title: () => '',
    page: () => Promise.reject(new Error('not used'))
  };

  function open(args: IArgs, answers: Answers = {}) {
    const studio = fakeStudio({
      'aws/studio/DescribeDefaults': () => DEFAULTS,
      'aws/studio/ListAlgorithms': () => ({ Algorithms: ALGORITHMS }),
      'aws/studio/DescribeAlgorithm': body => ({
        ...ALGORITHMS.find(each => each.AlgorithmName === body.AlgorithmName),
        ImageTags: ['1'],
        LabelColumns: 1,
        TrainingChannels: [
          {
            Name: 'train',
            Description: 'Rows.',
            IsRequired: true,
            SupportedContentTypes: ['text/csv'],
            SupportedInputModes: ['File']
          }
        ],
        HyperParameters: ROWS,
        MetricDefinitions: []
      }),
      'aws/studio/DescribeInstanceTypes': () => ({
        InstanceTypes: [{ InstanceType: 'ml.m5.large', Cpus: 2, Gpus: 0 }]
      }),
      'aws/studio/DescribeCapacity': () => ({
        Cpus: { Total: 2, Used: 0 },
        Gpus: { Total: 0, Used: 0 },
        Waiting: 0
      }),
      'aws/studio/ValidateTrainingJob': body => ({
        Faults: body.Request.HyperParameters?.rounds
          ? body.Request.HyperParameters.eta === '7'
            ? [{ Path: 'HyperParameters.eta', Message: '7 is too large' }]
            : []
          : [
              {
                Path: 'HyperParameters.rounds',
                Message: 'Missing required hyperparameter: rounds'
              }
            ]
      }),
      ...answers
    });
    const opened: unknown[] = [];
    studio.commands.addCommand('studio:open-job', {
      describedBy: { args: {} },
      execute: given => opened.push(given)
    });
    const view = new StudioView(type, args as never, studio);
    renderIn(studio, <NewJob view={view} />);
    return { studio, view, opened };
  }

  const enter = async (label: string, value: string) => {
    const field = await screen.findByLabelText(new RegExp(`^${label}`));
    fireEvent.change(field, { target: { value } });
    fireEvent.blur(field);
  };

  it('says beside the field what the engine has against it', async () => {
    open({ algorithm: 'xgboost' });
    await enter('rounds', '10');
    await enter('eta', '7');
    const field = screen.getByLabelText('eta');
    await waitFor(() =>
      expect(field.getAttribute('aria-invalid')).toBe('true')
    );
    expect(within(field.parentElement!).getByRole('alert').textContent).toBe(
      '7 is too large'
    );
    await enter('eta', '0.2');
    await waitFor(() =>
      expect(screen.queryByText('7 is too large')).toBeNull()
    );
  });

  it('does not scold about fields where nobody has been yet', async () => {
    open({ algorithm: 'xgboost' });
    expect(await screen.findByText('1 thing to do')).toBeTruthy();
    expect(screen.queryByRole('alert')).toBeNull();
    fireEvent.click(screen.getByText('Start training'));
    expect(document.activeElement?.getAttribute('data-path')).toBe(
      'HyperParameters.rounds'
    );
    expect(screen.getByRole('alert').textContent).toBe('This is needed.');
  });

  it('starts the job, with the usual bucket made first, and shows it', async () => {
    const { studio, opened } = open(
      { algorithm: 'xgboost' },
      {
        's3/usual': () => new Response(''),
        'aws/sagemaker/CreateTrainingJob': () => ({ TrainingJobArn: 'arn' })
      }
    );
    await enter('rounds', '10');
    await screen.findByText('Ready');
    fireEvent.click(screen.getByText('Start training'));
    await waitFor(() => expect(opened).toHaveLength(1));
    const asked = studio.asked.map(([route]) => route);
    expect(asked.indexOf('s3/usual')).toBeLessThan(
      asked.indexOf('aws/sagemaker/CreateTrainingJob')
    );
    const [, request] = studio.asked.find(
      ([route]) => route === 'aws/sagemaker/CreateTrainingJob'
    )!;
    expect(request.HyperParameters).toEqual({ rounds: '10' });
    expect(opened).toEqual([{ name: request.TrainingJobName }]);
  });

  it('looks again when data came that were not there', async () => {
    let there = false;
    const { studio } = open(
      { algorithm: 'xgboost', channel: 's3://b/a.csv' },
      {
        'aws/studio/ValidateTrainingJob': () => ({
          Faults: there ? [] : [{ Path: 'RoleArn', Message: 'No such data' }]
        }),
        's3/b': () => new Response('<ListBucketResult/>')
      }
    );
    await screen.findByText('1 thing to do');
    there = true;
    act(() => studio.emit({ type: 'object', Bucket: 'b', Prefix: 'a.csv' }));
    expect(await screen.findByText('Ready')).toBeTruthy();
  });

  it('keeps what was written in the arguments of the page', async () => {
    const { view } = open({ algorithm: 'xgboost' });
    await enter('rounds', '12');
    await waitFor(() =>
      expect((view.args as IArgs).request?.HyperParameters).toEqual({
        rounds: '12'
      })
    );
    expect((view.args as IArgs).algorithm).toBeUndefined();
  });

  it('copies a job under a new name and marks what is changed', async () => {
    open(
      { from: 'first' },
      {
        'aws/sagemaker/DescribeTrainingJob': () => ({
          TrainingJobName: 'first',
          TrainingJobArn: 'arn',
          AlgorithmSpecification: {
            TrainingImage: ALGORITHMS[0].TrainingImage,
            TrainingInputMode: 'File'
          },
          RoleArn: DEFAULTS.RoleArn,
          HyperParameters: { rounds: '10', kind: '"line"', eta: '0.2' },
          OutputDataConfig: { S3OutputPath: 's3://usual/out' },
          ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1 },
          StoppingCondition: { MaxRuntimeInSeconds: 60 }
        }),
        'aws/sagemaker/ListTags': () => ({ Tags: [] }),
        'aws/sagemaker/ListTrainingJobs': () => ({
          TrainingJobSummaries: [{ TrainingJobName: 'first-2' }]
        })
      }
    );
    expect(
      ((await screen.findByLabelText(/^kind/)) as HTMLSelectElement).value
    ).toBe('line');
    expect((screen.getByLabelText(/^Name/) as HTMLInputElement).value).toBe(
      'first-3'
    );
    expect(screen.getByText(/the same job once more/)).toBeTruthy();
    await enter('eta', '0.1');
    const list = screen
      .getByText('Changes from first')
      .closest('section') as HTMLElement;
    expect(within(list).getByRole('listitem').textContent).toBe(
      'eta 0.2 → 0.1'
    );
    expect(screen.getByText('was 0.2')).toBeTruthy();
  });

  it('shows names and cells as text', async () => {
    const evil = '<img src=x onerror=alert(1)>';
    open(
      { algorithm: 'xgboost', channel: `s3://b/${evil}.csv` },
      {
        's3/b': () =>
          new Response(
            '<ListBucketResult><Contents><Key>a.csv</Key><Size>9</Size>' +
              '<LastModified>2026-11-01T00:00:00Z</LastModified><ETag>e</ETag>' +
              '</Contents></ListBucketResult>'
          ),
        's3/b/a.csv': () => new Response(`${evil},1\n2,3\n`)
      }
    );
    expect((await screen.findAllByText(evil)).length).toBeGreaterThan(0);
    expect(document.querySelector('img')).toBeNull();
    const summary = screen.getByRole('complementary');
    expect(await within(summary).findByText(/names of columns/)).toBeTruthy();
  });
});

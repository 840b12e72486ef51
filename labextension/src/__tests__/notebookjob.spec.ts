import { nullTranslator } from '@jupyterlab/translation';

import { failureOf } from '../job/failure';
import {
  type IRun,
  jobOf,
  nameOf,
  parametersOf,
  scheduleOf
} from '../notebookjob/request';
import { EXECUTION, repeated, targetOf } from '../schedules/target';
import { DAILY, expressionOf, repeatOf } from '../schedules/times';

const DEFAULTS = {
  Account: '000000000000',
  Region: 'us-east-1',
  RoleArn: 'arn:aws:iam::000000000000:role/R',
  Bucket: 'bucket'
};
const RUN: IRun = {
  name: 'report',
  parameters: { alpha: '0.5' },
  python: '/env/bin/python',
  instanceType: 'ml.m5.large',
  minutes: 10,
  beside: false,
  when: 'now',
  at: '2030-01-31T18:30',
  times: { expression: 'cron(0 8 * * ? *)', timezone: 'Asia/Tokyo' }
};

describe('parametersOf', () => {
  it('finds what the tagged cell assigns', () => {
    const source = [
      'alpha = 0.1  # the rate\n',
      "name: str = 'a # b'\n",
      'many = [1, 2]\n',
      'if alpha == 1:\n',
      '    inner = 2\n',
      'beta=True'
    ];
    const cells = [
      { source: 'other = 1' },
      { source, metadata: { tags: ['parameters'] } }
    ];
    expect(parametersOf({ cells })).toEqual({
      alpha: '0.1',
      name: 'a # b',
      many: '[1, 2]',
      beta: 'True'
    });
    expect(parametersOf({})).toEqual({});
  });
});

describe('jobOf', () => {
  it('runs a notebook as AWS does', () => {
    const job = jobOf(RUN, 'a/my report.ipynb', DEFAULTS);
    expect(job.AlgorithmSpecification?.ContainerEntrypoint).toEqual([
      'amazon_sagemaker_scheduler'
    ]);
    expect(job.Environment).toEqual({
      SM_INPUT_NOTEBOOK_NAME: 'my report.ipynb',
      SM_OUTPUT_NOTEBOOK_NAME: 'my report.ipynb',
      STUDIO_PYTHON: '/env/bin/python'
    });
    expect(job.HyperParameters).toEqual({ alpha: '0.5' });
    expect(job.CheckpointConfig?.S3Uri).toBe(
      's3://bucket/notebook-jobs/report/output'
    );
  });

  it('gives a script its parameters as arguments', () => {
    const job = jobOf({ ...RUN, python: '' }, 'train.py', DEFAULTS);
    expect(job.AlgorithmSpecification?.ContainerEntrypoint).toEqual([
      'python',
      '/opt/ml/input/data/notebook/train.py'
    ]);
    expect(job.AlgorithmSpecification?.ContainerArguments).toEqual([
      '--alpha',
      '0.5'
    ]);
    expect(job.Environment).toBeUndefined();
    expect(job.CheckpointConfig).toBeUndefined();
  });
});

describe('scheduleOf', () => {
  it('gives each start a name and an output of its own', () => {
    const run: IRun = { ...RUN, when: 'repeat' };
    const schedule = scheduleOf(run, 'report.ipynb', DEFAULTS);
    expect(schedule.ScheduleExpressionTimezone).toBe('Asia/Tokyo');
    const job = JSON.parse(schedule.Target.Input!) as Record<string, never>;
    expect(job['TrainingJobName']).toBe('report-<aws.scheduler.execution-id>');
    expect(job['CheckpointConfig']['S3Uri']).toContain('execution-id');
  });

  it('starts once at a time', () => {
    const schedule = scheduleOf({ ...RUN, when: 'once' }, 'a.py', DEFAULTS);
    expect(schedule.ScheduleExpression).toBe('at(2030-01-31T18:30:00)');
  });
});

describe('expressionOf', () => {
  it.each([
    ['hourly', 'cron(5 * * * ? *)', '00:05'],
    ['daily', 'cron(30 8 * * ? *)', '08:30'],
    ['weekdays', 'cron(30 8 ? * MON-FRI *)', '08:30'],
    ['weekly', 'cron(30 8 ? * MON *)', '08:30'],
    ['monthly', 'cron(30 8 1 * ? *)', '08:30']
  ] as const)('%s is %s, and back', (preset, expression, time) => {
    expect(expressionOf({ ...DAILY, preset, time })).toBe(expression);
    expect(repeatOf(expression)).toMatchObject({ preset, time });
  });

  it('leaves what somebody wrote as it is', () => {
    expect(repeatOf('rate(6 hours)')).toMatchObject({
      preset: 'own',
      expression: 'rate(6 hours)'
    });
  });
});

test('the failure of a notebook names the cell', () => {
  const reason =
    'AlgorithmError: Cell 3 of 5 failed: ZeroDivisionError: division by zero\n\n----\nZeroDivisionError: division by zero, exit code: 1';
  const end = { failed: true, late: false, reason, limit: 60 };
  expect(failureOf(end, nullTranslator.load('x'))).toMatchObject({
    cause: 'Cell 3 of 5 failed: ZeroDivisionError: division by zero',
    said: '----\nZeroDivisionError: division by zero',
    traced: true
  });
});

test('names of jobs are those that AWS allows', () => {
  expect(nameOf('a/My report (2).ipynb')).toBe('My-report-2');
  expect(nameOf('_.ipynb')).toBe('notebook');
});

it('repeats a job under a name of its own, below which it writes', () => {
  const output = (S3Uri: string) => ({ S3Output: { S3Uri } });
  const request = {
    ProcessingJobName: 'clean',
    RoleArn: 'arn:role',
    ProcessingInputs: [{ S3Input: { S3Uri: 's3://b/clean/in' } }],
    ProcessingOutputConfig: {
      Outputs: [output('s3://b/clean/out'), output('s3://b/cleaner/clean.csv')]
    }
  };
  const again = repeated(request, 'ProcessingJobName', 'nightly');
  const name = `nightly-${EXECUTION}`;
  expect(again).toEqual({
    ...request,
    ProcessingJobName: name,
    ProcessingOutputConfig: {
      Outputs: [
        output(`s3://b/${name}/out`),
        output('s3://b/cleaner/clean.csv')
      ]
    }
  });
  expect(targetOf('CreateProcessingJob', again)).toEqual({
    Arn: 'arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob',
    RoleArn: 'arn:role',
    Input: JSON.stringify(again)
  });
});

import { joined, split } from '../newjob/command';
import { withData } from '../newjob/channels';
import { channel, choose, fresh, guessType } from '../newjob/draft';
import { called, plain } from '../newjob/faults';
import { allowed, grouped } from '../newjob/hyperparameters';
import { changes, spelled, withValue } from '../newjob/paths';
import { cells, hasNames } from '../newjob/peek';
import { summary, withChannels } from '../newjob/preparing';
import { fits } from '../newjob/resources';
import { suggestions } from '../newjob/suggestions';
import { dropped } from '../newjob/uris';
import type { PrepareAnswer } from '../core/protocol';
import { DRAG_MIME } from '../tokens';
import { ALGORITHMS, DEFAULTS, row, ROWS } from './algorithms';
import { fakeStudio } from './studio';

const trans = fakeStudio({}).trans;
describe('paths', () => {
  it('are spelled as faults spell them', () => {
    expect(spelled(['InputDataConfig', 0, 'ContentType'])).toBe(
      'InputDataConfig[0].ContentType'
    );
  });

  it('take what is left empty away with the last value', () => {
    const draft = { CheckpointConfig: { S3Uri: 's3://a' }, RoleArn: 'r' };
    expect(withValue(draft, ['CheckpointConfig', 'S3Uri'], undefined)).toEqual({
      RoleArn: 'r'
    });
    expect(withValue({}, ['A', 0, 'B'], 1)).toEqual({ A: [{ B: 1 }] });
    expect(withValue({ A: [1, 2] }, ['A', 0], undefined)).toEqual({ A: [2] });
  });

  it('tell every difference', () => {
    expect(
      changes({ a: { b: 1, c: 2 }, l: ['x'] }, { a: { b: 3 }, l: ['x', 'y'] })
    ).toEqual([
      { path: ['a', 'b'], before: 1, after: 3 },
      { path: ['a', 'c'], before: 2, after: undefined },
      { path: ['l', 1], before: undefined, after: 'y' }
    ]);
  });
});

describe('drafts', () => {
  const now = new Date('2026-11-21T20:15:00Z');

  it('begin with a name of their own and a place for the model', () => {
    const draft = fresh(DEFAULTS, ALGORITHMS, 'xgboost', now);
    expect(draft.TrainingJobName).toBe('xgboost-2026-11-21-20-15-00');
    expect(draft.OutputDataConfig).toEqual({
      S3OutputPath: 's3://usual/output'
    });
  });

  it('keep data, and a name that somebody gave, when the algorithm changes', () => {
    const draft = withData(
      fresh(DEFAULTS, ALGORITHMS, 'xgboost', now),
      's3://b/a.csv'
    );
    const next = choose(draft, ALGORITHMS[1], undefined);
    expect(next.InputDataConfig).toEqual(draft.InputDataConfig);
    expect(next.InputDataConfig![0].ContentType).toBe('text/csv');
    expect(next.TrainingJobName).toBe('linear-learner-2026-11-21-20-15-00');
    const named = { ...draft, TrainingJobName: 'mine' };
    expect(choose(named, ALGORITHMS[1], {}).TrainingJobName).toBe('mine');
  });

  it('know formats by the names of objects', () => {
    expect(['a.CSV', 'b.parquet', 'c/d'].map(guessType)).toEqual([
      'text/csv',
      'application/x-parquet',
      undefined
    ]);
  });
});

test('command lines are taken apart as shells do, and put together again', () => {
  const words = ['sh', '-c', 'echo "a b" \\ $HOME', "it's"];
  expect(split(joined(words))).toEqual(words);
  expect(split(`python3 'a b.py'  --x="1 2" `)).toEqual([
    'python3',
    'a b.py',
    '--x=1 2'
  ]);
});

test('only objects of S3 can be dropped as data', () => {
  const data = (given: object | null, text: string) =>
    ({
      getData: (type: string) =>
        type === DRAG_MIME ? (given ? JSON.stringify(given) : '') : text
    }) as DataTransfer;
  expect(dropped(data({ kind: 'object', name: 's3://a/b' }, 'b'))).toBe(
    's3://a/b'
  );
  expect(dropped(data({ kind: 'job', name: 's3://a' }, 's3://a'))).toBe(
    undefined
  );
  expect(dropped(data(null, 's3://a/c'))).toBe('s3://a/c');
  expect(dropped(data(null, 'hello'))).toBe(undefined);
});

test('the first rows are read as a person would', () => {
  expect(cells('1,"a, ""b""",,x')).toEqual(['1', 'a, "b"', '', 'x']);
  expect(
    hasNames([
      ['Years', 'Salary'],
      ['1.1', '39343']
    ])
  ).toBe(true);
  expect(
    hasNames([
      ['1', 'a'],
      ['2', 'b']
    ])
  ).toBe(false);
  expect(hasNames([['a', 'b']])).toBe(false);
});

test('data that were prepared take the place of those that were not', () => {
  const made = {
    channels: ['train', 'validation'].map(name => ({
      name,
      uri: `s3://b/prepared/a/${name}/`,
      rows: 1,
      bytes: 1
    })),
    features: ['x'],
    classes: ['no', 'yes'],
    left_out: [{ column: 'name', why: 'text' }],
    rows: 30
  } as unknown as PrepareAnswer;
  const given = [channel('train', 's3://b/a.csv'), channel('code', 's3://b/c')];
  const next = withChannels(given, made);
  expect(
    next.map(each => [each.ChannelName, each.DataSource.S3DataSource!.S3Uri])
  ).toEqual([
    ['train', 's3://b/prepared/a/train/train.csv'],
    ['validation', 's3://b/prepared/a/validation/validation.csv'],
    ['code', 's3://b/c']
  ]);
  expect(summary(made, trans)).toBe(
    '30 rows were written. Columns that are left out: name. ' +
      'The label is a number now: no = 0, yes = 1.'
  );
});

test('hyperparameters that do not go with the data are named', () => {
  const found = (more: object) => ({
    uri: 's3://b/a.csv',
    size: 100,
    alone: true,
    columns: 3,
    named: false,
    count: 24,
    ...more
  });
  const algorithm = {
    AlgorithmName: 'linear-learner',
    LabelColumns: 1,
    HyperParameters: [
      row('feature_dim', { IsRequired: true }),
      row('mini_batch_size', { DefaultValue: '1000' })
    ]
  } as never;
  expect(suggestions(found({}), algorithm, {})).toEqual([
    { name: 'feature_dim', value: '2' },
    { name: 'mini_batch_size', value: '4', rows: 24 }
  ]);
  const given = { feature_dim: '2', mini_batch_size: '24' };
  expect(suggestions(found({}), algorithm, given)).toEqual([]);
  expect(suggestions(found({ alone: false }), algorithm, {})).toHaveLength(1);
  const other = { ...(algorithm as object), AlgorithmName: 'kmeans' } as never;
  expect(suggestions(found({}), other, {})).toHaveLength(1);
});

describe('hyperparameters', () => {
  const names = (rows: { Name: string }[]) => rows.map(each => each.Name);

  it('are grouped by how likely they are wanted', () => {
    const groups = grouped(ROWS, {});
    expect(names(groups.required)).toEqual(['rounds']);
    expect(names(groups.common)).toEqual(['eta', 'kind']);
    expect(names(groups.others)).toEqual(['slope', 'seed']);
  });

  it('show what is set, and what applies', () => {
    const groups = grouped(ROWS, { kind: 'line', random_state: '1' });
    expect(names(groups.common)).toEqual(['eta', 'kind', 'slope', 'seed']);
  });

  it('say what a number may be', () => {
    expect(allowed(ROWS[1], trans)).toBe('> 0 or auto');
    expect(allowed(ROWS[0], trans)).toBe('');
  });
});

test('messages of the engine are shown without what the form shows anyway', () => {
  expect(
    plain(
      "Value 'a b' at 'trainingJobName' failed to satisfy constraint: Member must fit",
      trans
    )
  ).toBe('Member must fit');
  expect(
    plain(
      "Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
      trans
    )
  ).toBe('This is needed.');
  const draft = { InputDataConfig: [{ ChannelName: 'train' }] } as never;
  expect(
    [
      'InputDataConfig[0].ContentType',
      'HyperParameters.a.b',
      'StoppingCondition.MaxRuntimeInSeconds'
    ].map(path => called(path, draft, trans))
  ).toEqual(['Channel train', 'a.b', 'Max runtime in seconds']);
});

test('whether a job would start is told with figures', () => {
  const capacity = (used: number, waiting = 0) => ({
    Cpus: { Total: 4, Used: used },
    Gpus: { Total: 0, Used: 0 },
    Memory: { TotalInMB: 1, AvailableInMB: 1 },
    Devices: [],
    Leases: [],
    Running: 0,
    RunningJobs: 0,
    Waiting: waiting,
    WaitingRuns: []
  });
  const one = { InstanceType: 'ml.m5.large', Cpus: 2, Gpus: 0 };
  const text = (used: number, hosts = 1, waiting = 0) =>
    fits(capacity(used, waiting), one, hosts, trans).text;
  expect(text(0)).toBe('Starts at once: takes 2 of 4 free CPUs.');
  expect(text(1, 2)).toBe('Waits for 4 CPUs: 3 of 4 are free now.');
  expect(text(0, 1, 1)).toBe('Waits behind 1 job.');
});

import { nullTranslator } from '@jupyterlab/translation';

import {
  plan,
  slug,
  unique,
  type IDraft,
  type IKnown,
  type IServing
} from '../draft';
import { stagesOf } from '../stages';

const trans = nullTranslator.load('');
const known: IKnown = {
  models: ['bank', 'bank-2'],
  endpoints: [
    { name: 'bank', status: 'InService' },
    { name: 'slow', status: 'Updating' }
  ],
  configs: ['bank'],
  role: 'arn:aws:iam::1:role/home',
  bucket: 'home'
};
const artifact = { image: 'xgboost:1', uri: 's3://b/m.tar.gz', role: '' };

const NOTHING: IServing = { production: [], shadows: [] };
const planned = (draft: IDraft, serving = NOTHING) =>
  plan(draft, known, artifact, serving, trans);
const requests = (draft: IDraft, serving = NOTHING) =>
  planned(draft, serving).calls.map(
    each => [each.operation, each.request as any] as const
  );

describe('adaptive batching', () => {
  const asked = (draft: Partial<IDraft>) =>
    requests({ source: { kind: 'job', name: 'job' }, ...draft })[0][1]
      .PrimaryContainer.Environment;

  it('is a variable of the model that is made', () => {
    expect(asked({})).toBeUndefined();
    expect(asked({ batching: true })).toEqual({ STUDIO_BATCHING: 'on' });
    expect(asked({ batching: true, latency: 20 })).toEqual({
      STUDIO_BATCHING: 'on',
      STUDIO_BATCHING_LATENCY_MS: '20'
    });
    const draft: IDraft = { source: { kind: 'job', name: 'job' }, latency: 0 };
    expect(planned(draft).problems).toEqual([]);
    expect(planned({ ...draft, batching: true }).problems[0].field).toBe(
      'latency'
    );
  });
});

describe('an update in stages', () => {
  const update: IDraft = {
    source: { kind: 'model', name: 'bank' },
    target: 'bank'
  };
  const asked = (draft: Partial<IDraft>) =>
    requests({ ...update, ...draft }).pop()![1].DeploymentConfig;
  const shares = (draft: Partial<IDraft>) =>
    stagesOf({ ...update, ...draft }).Stages.map(each => each.Share);

  it('says nothing of what is the default', () => {
    expect(asked({})).toBeUndefined();
    expect(shares({})).toEqual([1]);
    expect(asked({ target: undefined, strategy: 'CANARY' })).toBeUndefined();
  });

  it('asks for what is drawn', () => {
    expect(shares({ strategy: 'CANARY' })).toEqual([0.1, 1]);
    expect(shares({ strategy: 'LINEAR', stepSize: 40 })).toEqual([0.4, 0.8, 1]);
    expect(
      asked({ strategy: 'LINEAR', stepSize: 40, wait: 5, alarms: ['bad'] })
    ).toEqual({
      BlueGreenUpdatePolicy: {
        TrafficRoutingConfiguration: {
          Type: 'LINEAR',
          WaitIntervalInSeconds: 5,
          LinearStepSize: { Type: 'CAPACITY_PERCENT', Value: 40 }
        },
        TerminationWaitInSeconds: 0
      },
      AutoRollbackConfiguration: { Alarms: [{ AlarmName: 'bad' }] }
    });
    expect(asked({ strategy: 'ROLLING', keepOld: 9 })).toEqual({
      RollingUpdatePolicy: {
        MaximumBatchSize: { Type: 'CAPACITY_PERCENT', Value: 50 },
        WaitIntervalInSeconds: 60
      }
    });
  });

  it('names the field that AWS would refuse', () => {
    const wrong = (draft: Partial<IDraft>) =>
      planned({ ...update, ...draft }).problems.map(each => each.field);
    expect(wrong({ strategy: 'LINEAR', stepSize: 9 })).toEqual(['stepSize']);
    expect(wrong({ strategy: 'CANARY', wait: 3601 })).toEqual(['wait']);
    expect(wrong({ keepOld: 1.5 })).toEqual(['keepOld']);
    expect(wrong({ strategy: 'ROLLING', stepSize: 5 })).toEqual([]);
  });
});

describe('plan', () => {
  it('needs no more than a training job: all names are free ones', () => {
    const { calls, problems, made } = planned({
      source: { kind: 'job', name: 'bank' }
    });
    expect(problems).toEqual([]);
    expect(calls.map(each => each.operation)).toEqual([
      'CreateModel',
      'CreateEndpointConfig',
      'CreateEndpoint'
    ]);
    expect(made).toEqual({
      model: 'bank-3',
      config: 'bank-2',
      endpoint: 'bank-2'
    });
    expect((calls[0].request as any).ExecutionRoleArn).toBe(known.role);
  });

  it('makes no model of a model', () => {
    const [config, endpoint] = requests({
      source: { kind: 'model', name: 'bank' }
    });
    expect(config[1].ProductionVariants).toEqual([
      {
        VariantName: 'AllTraffic',
        ModelName: 'bank',
        InstanceType: 'ml.m5.large',
        InitialInstanceCount: 1,
        InitialVariantWeight: 1
      }
    ]);
    expect(endpoint[0]).toBe('CreateEndpoint');
  });

  it('keeps the proportions of what serves when a variant joins it', () => {
    const production = [
      { VariantName: 'a', ModelName: 'x', InitialVariantWeight: 3 },
      { VariantName: 'b', ModelName: 'y', InitialVariantWeight: 1 }
    ];
    const serving = { production, shadows: [] };
    const draft: IDraft = {
      source: { kind: 'model', name: 'a' },
      target: 'bank',
      keep: true,
      share: 20
    };
    const [config, update] = requests(draft, serving);
    const shares = config[1].ProductionVariants.map((each: any) => [
      each.VariantName,
      each.InitialVariantWeight
    ]);
    expect(shares).toEqual([
      ['a', 60],
      ['b', 20],
      ['a-2', 20]
    ]);
    expect(update).toEqual([
      'UpdateEndpoint',
      { EndpointName: 'bank', EndpointConfigName: 'bank-2' }
    ]);
    expect(planned(draft, serving).made.endpoint).toBeUndefined();
    const before = { captured: true };
    const capturing = plan(draft, known, null, serving, trans, before).calls;
    expect(capturing[capturing.length - 1].request).toMatchObject({
      RetainAllVariantProperties: true
    });
  });

  it('asks a shadow too, and leaves what serves as it is', () => {
    const production = [
      { VariantName: 'a', ModelName: 'x', InitialVariantWeight: 4 }
    ];
    const shadows = [{ VariantName: 'bank', ModelName: 'y' }];
    const update: IDraft = {
      source: { kind: 'model', name: 'bank' },
      target: 'bank',
      keep: true,
      shadow: true,
      share: 25
    };
    const [joined] = requests(update, { production, shadows });
    expect(joined[1].ProductionVariants).toEqual(production);
    expect(joined[1].ShadowProductionVariants).toMatchObject([
      shadows[0],
      { VariantName: 'bank-2', ModelName: 'bank', InitialVariantWeight: 1 }
    ]);
    const [fresh] = requests({
      source: { kind: 'model', name: 'bank' },
      beside: 'bank-2',
      shadow: true,
      share: 100
    });
    expect(fresh[1].ProductionVariants).toMatchObject([{ ModelName: 'bank' }]);
    expect(fresh[1].ShadowProductionVariants).toMatchObject([
      { ModelName: 'bank-2', InitialVariantWeight: 1 }
    ]);
  });

  it('records where it is told, else in the bucket of the home', () => {
    const draft: IDraft = {
      source: { kind: 'model', name: 'bank' },
      capture: 20
    };
    const [config] = requests(draft);
    expect(config[1].DataCaptureConfig).toMatchObject({
      InitialSamplingPercentage: 20,
      DestinationS3Uri: 's3://home/bank-2/captured'
    });
    expect(planned(draft).bucket).toBe('home');
    const mine = { ...draft, captureUri: 's3://mine/there' };
    expect(planned(mine).bucket).toBeUndefined();
    const wrong = { ...draft, capture: 0, captureUri: 'there' };
    expect(planned(wrong).problems.map(each => each.field)).toEqual([
      'capture',
      'captureUri'
    ]);
  });

  it('names what is wrong, and on which step', () => {
    const wrong = (draft: IDraft) =>
      planned(draft).problems.map(each => `${each.step} ${each.field}`);
    const source = { kind: 'model', name: 'bank' } as const;
    expect(wrong({})).toEqual(['model source']);
    const data: IDraft = { source: { kind: 'data', name: 's3://b/k' } };
    const unread = plan(data, known, null, NOTHING, trans);
    expect(unread.problems.map(each => each.field)).toEqual(['image']);
    expect(
      wrong({ source: { kind: 'job', name: 'j' }, modelName: 'bank' })
    ).toEqual(['model modelName']);
    expect(wrong({ source, endpointName: 'a b' })).toEqual([
      'traffic endpointName'
    ]);
    expect(wrong({ source, target: 'slow' })).toEqual(['traffic target']);
    expect(wrong({ source, beside: 'bank-2', share: 100 })).toEqual([
      'traffic share'
    ]);
    expect(wrong({ source, instanceType: 'large', count: 0 })).toEqual([
      'where instanceType',
      'where count'
    ]);
  });
});

describe('names', () => {
  it('are valid whatever they are made of', () => {
    const name = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/;
    for (const text of ['--a__b', '<img src=x>', 'é', 'x'.repeat(99), '']) {
      expect(slug(text)).toMatch(name);
      expect(unique(slug(text), [slug(text)])).toMatch(name);
    }
  });

  it('of an artifact come from its job, else from its folder', () => {
    const model = (name: string) =>
      planned({ source: { kind: 'data', name }, image: 'i' }).made.model;
    expect(model('s3://b/out/j1/output/model.tar.gz')).toBe('j1');
    expect(model('s3://b/mine/model.tar.gz')).toBe('mine');
  });
});

describe('an asynchronous endpoint', () => {
  const source: IDraft['source'] = { kind: 'job', name: 'bank' };
  const before = {
    asynchronous: { OutputConfig: { S3OutputPath: 's3://b/answers' } }
  };
  const update = (draft: Partial<IDraft>, known_ = {}) =>
    plan(
      { source, target: 'bank', ...draft },
      known,
      artifact,
      NOTHING,
      trans,
      known_
    );
  const config = (made: ReturnType<typeof plan>) =>
    (made.calls[1].request as any).AsyncInferenceConfig;
  const wrong = (made: ReturnType<typeof plan>) =>
    made.problems.map(each => each.field);

  it('answers into the bucket of the home, which is made', () => {
    const made = planned({ source, asynchronous: {} });
    expect(config(made)).toEqual({
      OutputConfig: {
        S3OutputPath: 's3://home/bank-2/answers',
        S3FailurePath: 's3://home/bank-2/failures'
      },
      ClientConfig: { MaxConcurrentInvocationsPerInstance: 4 }
    });
    expect([made.bucket, made.problems]).toEqual(['home', []]);
  });

  it('stores no failures where nobody wants them', () => {
    const chosen = { output: 's3://mine', failure: '', most: 1 };
    const made = planned({ source, asynchronous: chosen });
    expect(config(made).OutputConfig).toEqual({ S3OutputPath: 's3://mine' });
    expect([made.bucket, made.problems]).toEqual([undefined, []]);
  });

  it('goes on to be one when it is updated, and none becomes one', () => {
    expect(config(update({}, before))).toEqual(before.asynchronous);
    expect(config(update({}))).toBeUndefined();
    expect(wrong(update({ asynchronous: {} }, before))).toEqual([]);
    expect(wrong(update({ asynchronous: {} }))).toEqual(['asynchronous']);
    expect(wrong(update({ serverless: {} }, before))).toEqual(['asynchronous']);
  });

  it('names what would be refused', () => {
    const refused = (asynchronous: IDraft['asynchronous'], more = {}) =>
      wrong(planned({ source, asynchronous, ...more }));
    expect(refused({ output: 'answers', failure: 'x' })).toEqual([
      'output',
      'failure'
    ]);
    expect(refused({ most: 0 })).toEqual(['atOnce']);
    expect(refused({}, { capture: 5 })).toEqual(['asynchronous']);
    expect(refused({}, { beside: 'bank-2', shadow: true })).toEqual([
      'asynchronous'
    ]);
    expect(refused({}, { beside: 'bank-2' })).toEqual([]);
  });
});

describe('a serverless endpoint', () => {
  const source = { kind: 'model', name: 'bank' } as const;
  const wrong = (draft: IDraft) =>
    planned({ source, ...draft }).problems.map(each => each.field);

  it('has a size and no instances, and a tag that says when it sleeps', () => {
    const [config, endpoint] = requests({
      source,
      serverless: { warm: 1, idle: 60 }
    });
    expect(config[1].ProductionVariants).toEqual([
      {
        VariantName: 'AllTraffic',
        ModelName: 'bank',
        ServerlessConfig: {
          MemorySizeInMB: 2048,
          MaxConcurrency: 5,
          ProvisionedConcurrency: 1
        },
        InitialVariantWeight: 1
      }
    ]);
    expect(endpoint[1].Tags).toEqual([
      { Key: 'studio:idle-seconds', Value: '60' }
    ]);
  });

  it('is refused what AWS refuses', () => {
    expect(wrong({ serverless: {} })).toEqual([]);
    expect(wrong({ serverless: { most: 201 } })).toEqual(['most']);
    expect(wrong({ serverless: { warm: 6 } })).toEqual(['warm']);
    expect(wrong({ serverless: { idle: 0 } })).toEqual(['idle']);
    expect(wrong({ serverless: {}, beside: 'bank-2' })).toEqual(['serverless']);
    expect(wrong({ serverless: {}, capture: 5 })).toEqual(['serverless']);
  });
});

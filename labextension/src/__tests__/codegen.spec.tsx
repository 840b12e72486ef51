/// <reference types="node" />
import * as fs from 'fs';
import * as path from 'path';

import { type ICall, LANGUAGES } from '../codegen';
import { python, snake } from '../codegen/python';
import { requestOf } from '../codegen/requests';
import { yaml } from '../codegen/texts';

// tests/codegen runs these files, so what is compared here is known to work. After a change:
// UPDATE_PROGRAMS=1 npm test -- codegen
const PROGRAMS = path.join(__dirname, '../../../tests/codegen/programs');
const SUFFIX: Record<string, string> = {
  cli: 'sh',
  yaml: 'yaml',
  json: 'json'
};

const IMAGE =
  '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5';
const ROLE = 'arn:aws:iam::000000000000:role/StudioExecutionRole';

const training = (name: string): ICall => ({
  operation: 'CreateTrainingJob',
  request: {
    TrainingJobName: name,
    AlgorithmSpecification: {
      TrainingImage: IMAGE,
      TrainingInputMode: 'File',
      MetricDefinitions: undefined
    },
    RoleArn: ROLE,
    HyperParameters: { num_round: '3', objective: 'reg:squarederror' },
    InputDataConfig: ['train', 'validation'].map(channel => ({
      ChannelName: channel,
      DataSource: {
        S3DataSource: {
          S3DataType: 'S3Prefix',
          S3Uri: 's3://generated-code/train/',
          S3DataDistributionType: 'FullyReplicated'
        }
      },
      ContentType: 'text/csv'
    })),
    OutputDataConfig: { S3OutputPath: 's3://generated-code/output' },
    ResourceConfig: {
      InstanceType: 'ml.m5.large',
      InstanceCount: 1,
      VolumeSizeInGB: 5
    },
    StoppingCondition: {
      MaxRuntimeInSeconds: 600,
      MaxWaitTimeInSeconds: 900
    },
    EnableManagedSpotTraining: true,
    CheckpointConfig: { S3Uri: `s3://generated-code/checkpoints/${name}` },
    Environment: { GREETING: 'it\'s "quoted" \\ $HOME\n☃ true' },
    Tags: [
      { Key: 'note', Value: 'one: 100' },
      { Key: 'yes', Value: '1e3' }
    ]
  }
});

const deployment = (name: string): ICall[] => [
  {
    operation: 'CreateModel',
    request: {
      ModelName: name,
      ExecutionRoleArn: ROLE,
      PrimaryContainer: {
        Image: IMAGE,
        ModelDataUrl:
          's3://generated-code/output/generated-boto3/output/model.tar.gz'
      }
    }
  },
  {
    operation: 'CreateEndpointConfig',
    request: {
      EndpointConfigName: name,
      ProductionVariants: [
        {
          VariantName: 'AllTraffic',
          ModelName: name,
          InstanceType: 'ml.m5.large',
          InitialInstanceCount: 1,
          InitialVariantWeight: 1
        }
      ]
    }
  },
  {
    operation: 'CreateEndpoint',
    request: { EndpointName: name, EndpointConfigName: name }
  }
];

describe.each(LANGUAGES)('$name', ({ id, text }) => {
  it.each([
    ['train', [training(`generated-${id}`)]],
    ['deploy', deployment(`generated-${id}`)]
  ])('writes the program to %s', (what, calls) => {
    const file = path.join(PROGRAMS, `${what}_${id}.${SUFFIX[id] ?? 'py'}`);
    const code = text(calls);
    if (code === null) {
      expect([what, id]).toEqual(['deploy', 'sdk3']);
      return;
    }
    if (process.env['UPDATE_PROGRAMS']) {
      fs.writeFileSync(file, code);
    }
    expect(code).toBe(fs.readFileSync(file, 'utf8'));
  });
});

test('the SDK is told that an endpoint answers to S3, and what it has no words for', () => {
  const calls = deployment('later');
  Object.assign(calls[1].request, {
    AsyncInferenceConfig: { OutputConfig: { S3OutputPath: 's3://b/answers' } },
    ShadowProductionVariants: []
  });
  const sdk2 = LANGUAGES.find(({ id }) => id === 'sdk2')!.text(calls);
  expect(sdk2).toContain(
    'async_inference_config_dict={"OutputConfig": {"S3OutputPath": "s3://b/answers"}},'
  );
  expect(sdk2).toContain('# The SDK takes no ShadowProductionVariants:');
});

test('names become what botocore makes of them', () => {
  expect(
    ['CreateTrainingJob', 'UpdateEndpointWeightsAndCapacities'].map(snake)
  ).toEqual(['create_training_job', 'update_endpoint_weights_and_capacities']);
});

test('Python is broken where a line would be too long', () => {
  const long = 'x'.repeat(80);
  expect(python({ a: [1, true, null], b: long })).toBe(
    `{\n    "a": [1, True, None],\n    "b": "${long}",\n}`
  );
});

test('YAML quotes what it would read as something else', () => {
  const values = [
    'true',
    '1e3',
    'a: b',
    '',
    '- x',
    '#',
    's3://a/b',
    'null',
    '~'
  ];
  const text = yaml([{ operation: 'CreateModel', request: { values } }]);
  expect(text.split('\n').slice(1, -1)).toEqual([
    '  - "true"',
    '  - "1e3"',
    '  - "a: b"',
    '  - ""',
    '  - "- x"',
    '  - "#"',
    '  - s3://a/b',
    '  - "null"',
    '  - "~"'
  ]);
});

test('the request of a job is what was asked, without what AWS adds', () => {
  const { request } = training('first') as { request: any };
  const described = {
    ...JSON.parse(JSON.stringify(request)),
    TrainingJobArn: 'arn',
    TrainingJobStatus: 'Completed',
    SecondaryStatus: 'Completed',
    CreationTime: 1,
    ModelArtifacts: { S3ModelArtifacts: 's3://b/m' },
    OutputDataConfig: {
      KmsKeyId: '',
      CompressionType: 'GZIP',
      ...request.OutputDataConfig
    },
    EnableNetworkIsolation: false,
    EnableInterContainerTrafficEncryption: false,
    Tags: undefined
  };
  described.AlgorithmSpecification.EnableSageMakerMetricsTimeSeries = false;
  const own = [{ Name: 'train:rmse', Regex: 'rmse=(.*)' }];
  described.AlgorithmSpecification.MetricDefinitions = own;
  expect(requestOf(described, request.Tags, own)).toEqual(
    JSON.parse(JSON.stringify(request))
  );
});

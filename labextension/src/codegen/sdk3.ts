import type { sagemaker } from '../wire';
import { Call, python, type PyValue } from './python';
import { type ICall } from './requests';
import { unsaid } from './unsaid';

/** A program of version 3 of AWS's `sagemaker` SDK; null for calls that it has no words for. */
export function sdk3(calls: ICall[]): string | null {
  const [first] = calls;
  if (calls.length !== 1 || first.operation !== 'CreateTrainingJob') {
    return null;
  }
  return training(first.request as sagemaker.CreateTrainingJobRequest);
}

function training(job: sagemaker.CreateTrainingJobRequest): string | null {
  const algorithm = job.AlgorithmSpecification!;
  const channels = job.InputDataConfig ?? [];
  if (
    algorithm.ContainerEntrypoint ||
    job.ResourceConfig?.InstanceGroups ||
    channels.some(detailed)
  ) {
    return null;
  }
  const configs = new Configs();
  const trainer = new Call('ModelTrainer', arguments_(job, configs));
  const train = new Call('trainer.train', {
    input_data_config: channels.length
      ? channels.map(channel => inputData(channel, configs))
      : undefined
  });
  const metrics = algorithm.MetricDefinitions?.map(each =>
    configs.call('MetricDefinition', { name: each.Name, regex: each.Regex })
  );
  return [
    'from sagemaker.train import ModelTrainer',
    imported('sagemaker.train.configs', configs.names),
    '',
    `trainer = ${python(trainer, 0, 88)}`,
    ...(metrics
      ? [`trainer.with_metric_definitions(${python(metrics, 0, 88)})`]
      : []),
    python(train, 0, channels.length ? 88 : 0),
    ...unsaid(job, SAID),
    ''
  ].join('\n');
}

/** Members of the request that the program above says. */
const SAID = [
  'TrainingJobName',
  'AlgorithmSpecification',
  'RoleArn',
  'HyperParameters',
  'InputDataConfig',
  'OutputDataConfig',
  'ResourceConfig',
  'StoppingCondition',
  'Tags',
  'EnableNetworkIsolation',
  'EnableInterContainerTrafficEncryption',
  'EnableManagedSpotTraining',
  'CheckpointConfig',
  'Environment'
];

function arguments_(
  job: sagemaker.CreateTrainingJobRequest,
  configs: Configs
): { [name: string]: PyValue | undefined } {
  const output = job.OutputDataConfig;
  return {
    training_image: job.AlgorithmSpecification!.TrainingImage,
    training_input_mode: job.AlgorithmSpecification!.TrainingInputMode,
    role: job.RoleArn,
    base_job_name: job.TrainingJobName,
    compute: configs.some('Compute', {
      instance_type: job.ResourceConfig?.InstanceType,
      instance_count: job.ResourceConfig?.InstanceCount,
      volume_size_in_gb: job.ResourceConfig?.VolumeSizeInGB,
      enable_managed_spot_training: job.EnableManagedSpotTraining
    }),
    stopping_condition: configs.some('StoppingCondition', {
      max_runtime_in_seconds: job.StoppingCondition?.MaxRuntimeInSeconds,
      max_wait_time_in_seconds: job.StoppingCondition?.MaxWaitTimeInSeconds
    }),
    networking: configs.some('Networking', {
      enable_network_isolation: job.EnableNetworkIsolation,
      enable_inter_container_traffic_encryption:
        job.EnableInterContainerTrafficEncryption
    }),
    output_data_config: configs.some('OutputDataConfig', {
      s3_output_path: output.S3OutputPath,
      kms_key_id: output.KmsKeyId,
      compression_type: output.CompressionType
    }),
    checkpoint_config: configs.some('CheckpointConfig', {
      s3_uri: job.CheckpointConfig?.S3Uri,
      local_path: job.CheckpointConfig?.LocalPath
    }),
    hyperparameters: job.HyperParameters,
    environment: job.Environment,
    tags: job.Tags?.map(tag =>
      configs.call('Tag', { key: tag.Key, value: tag.Value })
    )
  };
}

function inputData(channel: sagemaker.Channel, configs: Configs): PyValue {
  const source = channel.DataSource.S3DataSource!;
  const plain =
    source.S3DataType === 'S3Prefix' &&
    (source.S3DataDistributionType ?? 'FullyReplicated') === 'FullyReplicated';
  return configs.call('InputData', {
    channel_name: channel.ChannelName,
    data_source: plain
      ? source.S3Uri
      : configs.call('S3DataSource', {
          s3_data_type: source.S3DataType,
          s3_uri: source.S3Uri,
          s3_data_distribution_type: source.S3DataDistributionType,
          attribute_names: source.AttributeNames
        }),
    content_type: channel.ContentType
  });
}

/** Whether a channel says more than the SDK's InputData does. */
function detailed(channel: sagemaker.Channel): boolean {
  return !!(
    channel.InputMode ||
    channel.ShuffleConfig ||
    (channel.CompressionType ?? 'None') !== 'None' ||
    (channel.RecordWrapperType ?? 'None') !== 'None'
  );
}

/** An import of many names, a line each where one line would be too long. */
function imported(module: string, names: string[]): string {
  const flat = `from ${module} import ${names.join(', ')}`;
  return flat.length <= 88
    ? flat
    : `from ${module} import (\n${names.map(name => `    ${name},\n`).join('')})`;
}

/** Makes calls of the SDK's configuration classes, and knows which are to be imported. */
class Configs {
  call(name: string, args: { [name: string]: PyValue | undefined }): Call {
    this._names.add(name);
    return new Call(name, args);
  }

  /** The call; undefined when no argument has a value. */
  some(
    name: string,
    args: { [name: string]: PyValue | undefined }
  ): Call | undefined {
    const given = Object.values(args).some(value => value !== undefined);
    return given ? this.call(name, args) : undefined;
  }

  get names(): string[] {
    return [...this._names].sort();
  }

  private _names = new Set<string>();
}

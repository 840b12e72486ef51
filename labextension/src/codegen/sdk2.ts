import type { sagemaker } from '../wire';
import { Call, python, type PyValue } from './python';
import { document, type ICall } from './requests';
import { unsaid } from './unsaid';

/** A program of version 2 of AWS's `sagemaker` SDK; null for calls that it has no words for. */
export function sdk2(calls: ICall[]): string | null {
  const [first] = calls;
  if (calls.length === 1 && first.operation === 'CreateTrainingJob') {
    return training(first.request as sagemaker.CreateTrainingJobRequest);
  }
  return deployment(calls);
}

function training(job: sagemaker.CreateTrainingJobRequest): string {
  const algorithm = job.AlgorithmSpecification!;
  const resources = job.ResourceConfig ?? {};
  const estimator = new Call('Estimator', {
    image_uri: algorithm.TrainingImage,
    role: job.RoleArn,
    instance_count: resources.InstanceCount,
    instance_type: resources.InstanceType,
    instance_groups: groups(resources),
    volume_size: resources.VolumeSizeInGB,
    keep_alive_period_in_seconds: resources.KeepAlivePeriodInSeconds,
    max_run: job.StoppingCondition?.MaxRuntimeInSeconds,
    max_wait: job.StoppingCondition?.MaxWaitTimeInSeconds,
    use_spot_instances: job.EnableManagedSpotTraining,
    input_mode: notDefault(algorithm.TrainingInputMode, 'File'),
    output_path: job.OutputDataConfig.S3OutputPath,
    output_kms_key: job.OutputDataConfig.KmsKeyId,
    disable_output_compression:
      job.OutputDataConfig.CompressionType === 'NONE' || undefined,
    checkpoint_s3_uri: job.CheckpointConfig?.S3Uri,
    checkpoint_local_path: job.CheckpointConfig?.LocalPath,
    container_entry_point: algorithm.ContainerEntrypoint,
    container_arguments: algorithm.ContainerArguments,
    metric_definitions: algorithm.MetricDefinitions?.map(document),
    enable_network_isolation: job.EnableNetworkIsolation,
    encrypt_inter_container_traffic: job.EnableInterContainerTrafficEncryption,
    environment: job.Environment,
    hyperparameters: job.HyperParameters,
    tags: job.Tags?.map(document)
  });
  const channels = job.InputDataConfig ?? [];
  const inputs = Object.fromEntries(
    channels.map(channel => [channel.ChannelName, trainingInput(channel)])
  );
  const fit = new Call('estimator.fit', {
    inputs: channels.length ? inputs : undefined,
    job_name: job.TrainingJobName,
    experiment_config: job.ExperimentConfig && document(job.ExperimentConfig)
  });
  return [
    'from sagemaker.estimator import Estimator',
    ...(channels.length ? ['from sagemaker.inputs import TrainingInput'] : []),
    ...(resources.InstanceGroups
      ? ['from sagemaker.instance_group import InstanceGroup']
      : []),
    ...(channels.some(channel => channel.ShuffleConfig)
      ? ['from sagemaker.inputs import ShuffleConfig']
      : []),
    '',
    `estimator = ${python(estimator, 0, 88)}`,
    python(fit, 0, 88),
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
  'ExperimentConfig',
  'Environment'
];

function groups(config: sagemaker.ResourceConfig): PyValue | undefined {
  return config.InstanceGroups?.map(
    group =>
      new Call('InstanceGroup', {
        instance_group_name: group.InstanceGroupName,
        instance_type: group.InstanceType,
        instance_count: group.InstanceCount
      })
  );
}

function trainingInput(channel: sagemaker.Channel): PyValue {
  const source = channel.DataSource.S3DataSource!;
  return new Call('TrainingInput', {
    s3_data: source.S3Uri,
    content_type: channel.ContentType,
    s3_data_type: notDefault(source.S3DataType, 'S3Prefix'),
    distribution: notDefault(source.S3DataDistributionType, 'FullyReplicated'),
    attribute_names: source.AttributeNames,
    instance_groups: source.InstanceGroupNames,
    compression: notDefault(channel.CompressionType, 'None'),
    record_wrapping: notDefault(channel.RecordWrapperType, 'None'),
    input_mode: channel.InputMode,
    shuffle_config:
      channel.ShuffleConfig &&
      new Call('ShuffleConfig', { seed: channel.ShuffleConfig.Seed })
  });
}

function deployment(calls: ICall[]): string | null {
  const of = <T>(operation: ICall['operation']) =>
    calls.find(call => call.operation === operation)?.request as T | undefined;
  const config = of<sagemaker.CreateEndpointConfigInput>(
    'CreateEndpointConfig'
  );
  const endpoint = of<sagemaker.CreateEndpointInput>('CreateEndpoint');
  if (!config || !endpoint) {
    return null;
  }
  const models = calls
    .filter(call => call.operation === 'CreateModel')
    .map(call => call.request as sagemaker.CreateModelInput);
  const create = (model: sagemaker.CreateModelInput) =>
    new Call('session.create_model', {
      name: model.ModelName,
      role: model.ExecutionRoleArn,
      container_defs: model.PrimaryContainer
        ? document(model.PrimaryContainer)
        : model.Containers?.map(document),
      enable_network_isolation: model.EnableNetworkIsolation,
      tags: model.Tags?.map(document)
    });
  const serve = new Call('session.endpoint_from_production_variants', {
    name: endpoint.EndpointName,
    production_variants: config.ProductionVariants?.map(document),
    data_capture_config_dict:
      config.DataCaptureConfig && document(config.DataCaptureConfig),
    async_inference_config_dict:
      config.AsyncInferenceConfig && document(config.AsyncInferenceConfig),
    tags: endpoint.Tags?.map(document)
  });
  return [
    'from sagemaker import Session',
    '',
    'session = Session()',
    ...models.map(model => python(create(model), 0, 88)),
    python(serve, 0, 88),
    ...unsaid(config, [
      'EndpointConfigName',
      'ProductionVariants',
      'DataCaptureConfig',
      'AsyncInferenceConfig',
      'Tags'
    ]),
    ...unsaid(endpoint, ['EndpointName', 'EndpointConfigName', 'Tags']),
    ''
  ].join('\n');
}

function notDefault(
  value: string | undefined,
  usual: string
): string | undefined {
  return value === usual ? undefined : value;
}

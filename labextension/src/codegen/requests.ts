import type { PartialJSONObject } from '@lumino/coreutils';

import type { sagemaker } from '../wire';

/** A call of one of SageMaker's operations, in AWS's spelling. */
export interface ICall {
  operation:
    | 'CreateTrainingJob'
    | 'CreateProcessingJob'
    | 'CreateTransformJob'
    | 'CreateModel'
    | 'CreateEndpointConfig'
    | 'CreateEndpoint'
    | 'UpdateEndpoint'
    | 'UpdateEndpointWeightsAndCapacities';
  request: object;
}

/** A request as plain JSON; members that are undefined are gone. */
export function document(request: object): PartialJSONObject {
  return JSON.parse(JSON.stringify(request)) as PartialJSONObject;
}

/** What a description says of the request; `ownMetrics` are those that AWS has added. */
export function requestOf(
  job: sagemaker.DescribeTrainingJobResponse,
  tags: sagemaker.Tag[] = [],
  ownMetrics: sagemaker.MetricDefinition[] = []
): sagemaker.CreateTrainingJobRequest {
  const {
    EnableSageMakerMetricsTimeSeries,
    MetricDefinitions: metrics = [],
    ...algorithm
  } = job.AlgorithmSpecification ?? { TrainingInputMode: 'File' };
  const given = metrics.filter(
    each =>
      !ownMetrics.some(
        own => own.Name === each.Name && own.Regex === each.Regex
      )
  );
  const request: sagemaker.CreateTrainingJobRequest = {
    TrainingJobName: job.TrainingJobName,
    AlgorithmSpecification: {
      ...algorithm,
      ...(given.length && { MetricDefinitions: given }),
      ...(EnableSageMakerMetricsTimeSeries && {
        EnableSageMakerMetricsTimeSeries
      })
    },
    RoleArn: job.RoleArn ?? '',
    HyperParameters: job.HyperParameters,
    InputDataConfig: job.InputDataConfig,
    OutputDataConfig: withoutDefaults(job.OutputDataConfig, {
      KmsKeyId: '',
      CompressionType: 'GZIP'
    }) as sagemaker.OutputDataConfig,
    ResourceConfig: job.ResourceConfig,
    VpcConfig: job.VpcConfig,
    StoppingCondition: job.StoppingCondition,
    CheckpointConfig: job.CheckpointConfig,
    Environment: job.Environment,
    ExperimentConfig: job.ExperimentConfig,
    RetryStrategy: job.RetryStrategy,
    Tags: tags.length ? tags : undefined
  };
  for (const flag of FLAGS) {
    if (job[flag]) {
      request[flag] = true;
    }
  }
  return document(request) as unknown as sagemaker.CreateTrainingJobRequest;
}

const FLAGS = [
  'EnableNetworkIsolation',
  'EnableInterContainerTrafficEncryption',
  'EnableManagedSpotTraining'
] as const;

/** Members that a description has although nobody asked for them. */
export function withoutDefaults(
  given: object | undefined,
  defaults: Record<string, unknown>
): object {
  return Object.fromEntries(
    Object.entries(given ?? {}).filter(
      ([name, value]) => defaults[name] !== value
    )
  );
}

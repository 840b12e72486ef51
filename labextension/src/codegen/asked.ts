import type { Client } from '../core/client';
import type { sagemaker } from '../wire';
import { document, requestOf } from './requests';

/**
 * The request that a job was made with, tags included; only its name has to change to make it
 * again. What its algorithm measures by itself is left out: AWS refuses requests that say it.
 */
export async function askedOf(
  client: Client,
  job: sagemaker.DescribeTrainingJobResponse,
  signal?: AbortSignal
): Promise<sagemaker.CreateTrainingJobRequest> {
  const image = job.AlgorithmSpecification?.TrainingImage ?? '';
  const [{ Tags: tags = [] }, { MetricDefinitions: own }] = await Promise.all([
    client
      .call(
        'sagemaker',
        'ListTags',
        { ResourceArn: job.TrainingJobArn },
        signal
      )
      .catch(() => ({ Tags: [] })),
    client
      .call('studio', 'DescribeAlgorithm', { TrainingImage: image }, signal)
      .catch(() => ({ MetricDefinitions: [] })) // an image of one's own
  ]);
  return requestOf(job, tags, own);
}

/** The same of a processing job. */
export async function askedOfProcessing(
  client: Client,
  job: sagemaker.DescribeProcessingJobResponse,
  signal?: AbortSignal
): Promise<sagemaker.CreateProcessingJobRequest> {
  const { Tags: tags = [] } = await client
    .call(
      'sagemaker',
      'ListTags',
      { ResourceArn: job.ProcessingJobArn },
      signal
    )
    .catch(() => ({ Tags: [] }));
  return document({
    ProcessingJobName: job.ProcessingJobName,
    AppSpecification: job.AppSpecification,
    RoleArn: job.RoleArn,
    ProcessingInputs: job.ProcessingInputs,
    ProcessingOutputConfig: job.ProcessingOutputConfig,
    ProcessingResources: job.ProcessingResources,
    StoppingCondition: job.StoppingCondition,
    Environment: job.Environment,
    NetworkConfig: job.NetworkConfig,
    ExperimentConfig: job.ExperimentConfig,
    Tags: tags.length ? tags : undefined
  }) as unknown as sagemaker.CreateProcessingJobRequest;
}

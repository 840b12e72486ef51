import type { Client } from '../core/client';
import type { sagemaker } from '../wire';
import { document, requestOf, withoutDefaults } from './requests';

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
  const [tags, { MetricDefinitions: own }] = await Promise.all([
    tagsOf(client, job.TrainingJobArn, signal),
    client
      .call('studio', 'DescribeAlgorithm', { TrainingImage: image }, signal)
      .catch(() => ({ MetricDefinitions: [] })) // an image of one's own
  ]);
  return requestOf(job, tags ?? [], own);
}

/** The same of a processing job. */
export async function askedOfProcessing(
  client: Client,
  job: sagemaker.DescribeProcessingJobResponse,
  signal?: AbortSignal
): Promise<sagemaker.CreateProcessingJobRequest> {
  const tags = await tagsOf(client, job.ProcessingJobArn, signal);
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
    Tags: tags
  }) as unknown as sagemaker.CreateProcessingJobRequest;
}

/** The same of a transform job. */
export async function askedOfTransform(
  client: Client,
  job: sagemaker.DescribeTransformJobResponse,
  signal?: AbortSignal
): Promise<sagemaker.CreateTransformJobRequest> {
  const tags = await tagsOf(client, job.TransformJobArn, signal);
  const processing = withoutDefaults(job.DataProcessing, {
    InputFilter: '$',
    OutputFilter: '$',
    JoinSource: 'None'
  });
  return document({
    TransformJobName: job.TransformJobName,
    ModelName: job.ModelName,
    MaxConcurrentTransforms: job.MaxConcurrentTransforms,
    ModelClientConfig: job.ModelClientConfig,
    MaxPayloadInMB: job.MaxPayloadInMB,
    BatchStrategy: job.BatchStrategy,
    Environment: job.Environment,
    TransformInput: withoutDefaults(job.TransformInput, {
      CompressionType: 'None',
      SplitType: 'None'
    }),
    TransformOutput: withoutDefaults(job.TransformOutput, {
      KmsKeyId: '',
      AssembleWith: 'None'
    }),
    TransformResources: job.TransformResources,
    DataProcessing: Object.keys(processing).length ? processing : undefined,
    ExperimentConfig: job.ExperimentConfig,
    Tags: tags
  }) as unknown as sagemaker.CreateTransformJobRequest;
}

/** The tags of a job; undefined without any. */
async function tagsOf(
  client: Client,
  arn: string,
  signal?: AbortSignal
): Promise<sagemaker.Tag[] | undefined> {
  const { Tags: tags = [] } = await client
    .call('sagemaker', 'ListTags', { ResourceArn: arn }, signal)
    .catch(() => ({ Tags: [] }));
  return tags.length ? tags : undefined;
}

import { Call, python, snake } from './python';
import { document, type ICall } from './requests';

const WAITERS: Record<string, [string, string]> = {
  CreateTrainingJob: ['training_job_completed_or_stopped', 'TrainingJobName'],
  CreateProcessingJob: [
    'processing_job_completed_or_stopped',
    'ProcessingJobName'
  ],
  CreateTransformJob: [
    'transform_job_completed_or_stopped',
    'TransformJobName'
  ],
  CreateEndpoint: ['endpoint_in_service', 'EndpointName'],
  UpdateEndpoint: ['endpoint_in_service', 'EndpointName'],
  UpdateEndpointWeightsAndCapacities: ['endpoint_in_service', 'EndpointName']
};

/** A program of boto3 that makes the calls and waits for what they begin. */
export function boto3(calls: ICall[]): string {
  const lines = ['import boto3', '', 'sagemaker = boto3.client("sagemaker")'];
  for (const { operation, request } of calls) {
    const given = document(request);
    const call = new Call(`sagemaker.${snake(operation)}`, given);
    // One argument a line, however short: people edit these.
    lines.push('', python(call, 0, 88));
    const waiter = WAITERS[operation];
    if (waiter) {
      const name = new Call('wait', { [waiter[1]]: given[waiter[1]] });
      lines.push(`sagemaker.get_waiter("${waiter[0]}").${python(name)}`);
    }
  }
  return lines.join('\n') + '\n';
}

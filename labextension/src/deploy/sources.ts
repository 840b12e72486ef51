import { useLive, useStudio } from '../components/hooks';
import type { Client } from '../core/client';
import { ApiError } from '../core/errors';
import { jobOf } from '../core/lineage';
import { searchNewest } from '../core/search';
import type { sagemaker } from '../wire';
import type { IArtifact, IBefore, IDraft, IKnown, IServing } from './draft';

const MOST = 1000;
const NEW: IBefore = {};
const NOTHING: IServing = { production: [], shadows: [] };

/** The names that are taken, and the role of the home. */
export function useKnown(): ReturnType<typeof useLive<IKnown>> {
  const { client } = useStudio();
  return useLive(
    signal => known(client, signal),
    event =>
      event.type === 'resource' &&
      (event.Kind === 'model' ||
        event.Kind === 'endpoint' ||
        event.Kind === 'endpoint-config'),
    [client]
  );
}

async function known(client: Client, signal: AbortSignal): Promise<IKnown> {
  const [models, endpoints, configs, defaults] = await Promise.all([
    searchNewest(client, 'Model', MOST, signal),
    searchNewest(client, 'Endpoint', MOST, signal),
    configNames(client, signal),
    client.call('studio', 'DescribeDefaults', {}, signal)
  ]);
  return {
    models: models.records.flatMap(each => each.Model?.Model?.ModelName ?? []),
    endpoints: endpoints.records.flatMap(each =>
      each.Endpoint
        ? [
            {
              name: each.Endpoint.EndpointName,
              status: each.Endpoint.EndpointStatus
            }
          ]
        : []
    ),
    configs,
    role: defaults.RoleArn,
    bucket: defaults.Bucket
  };
}

async function configNames(
  client: Client,
  signal: AbortSignal
): Promise<string[]> {
  const found: string[] = [];
  let token: string | undefined;
  do {
    const page: sagemaker.ListEndpointConfigsOutput = await client.call(
      'sagemaker',
      'ListEndpointConfigs',
      { MaxResults: 100, NextToken: token },
      signal
    );
    found.push(...page.EndpointConfigs.map(each => each.EndpointConfigName));
    token = page.NextToken;
  } while (token && found.length < MOST);
  return found;
}

/** Image and artifact of what is deployed; undefined for a model, which has its own. */
export function useArtifact(
  draft: IDraft
): ReturnType<typeof useLive<IArtifact | null>> {
  const { client } = useStudio();
  const { source, image } = draft;
  return useLive(
    async (signal): Promise<IArtifact | null> => {
      if (source?.kind === 'job' && source.name) {
        return ofJob(
          await client.call(
            'sagemaker',
            'DescribeTrainingJob',
            { TrainingJobName: source.name },
            signal
          )
        );
      }
      if (source?.kind !== 'data' || !source.name) {
        return null;
      }
      return image
        ? { image, uri: source.name, role: '' }
        : writer(client, source.name, signal);
    },
    event =>
      event.type === 'resource' &&
      event.Kind === 'training-job' &&
      event.Name === source?.name,
    [client, source?.kind, source?.name, image]
  );
}

/** The artifact with the image of the job that wrote it, where that is known. */
async function writer(
  client: Client,
  uri: string,
  signal: AbortSignal
): Promise<IArtifact | null> {
  const job = jobOf(uri);
  if (!job) {
    return null;
  }
  try {
    const request = { TrainingJobName: job };
    const found = ofJob(
      await client.call('sagemaker', 'DescribeTrainingJob', request, signal)
    );
    return found?.uri === uri ? found : null;
  } catch (error) {
    if (error instanceof ApiError && error.status < 500) {
      return null;
    }
    throw error;
  }
}

function ofJob(job: sagemaker.DescribeTrainingJobResponse): IArtifact | null {
  const image = job.AlgorithmSpecification?.TrainingImage;
  return image && job.TrainingJobStatus === 'Completed'
    ? {
        image,
        uri: job.ModelArtifacts.S3ModelArtifacts,
        role: job.RoleArn ?? ''
      }
    : null;
}

/** The variants that an endpoint serves, as a configuration would name them. */
export function useServing(endpoint: string | undefined): IServing {
  const { client } = useStudio();
  const { value } = useLive(
    async (signal): Promise<IServing> => {
      if (!endpoint) {
        return NOTHING;
      }
      const told = await client.call(
        'studio',
        'DescribeDeployment',
        { EndpointName: endpoint },
        signal
      );
      const those = (shadow: boolean) =>
        told.Variants.filter(each => !!each.Shadow === shadow).map(each => ({
          VariantName: each.VariantName,
          ModelName: each.ModelName,
          ...(each.Serverless
            ? { ServerlessConfig: each.Serverless }
            : {
                InstanceType: each.InstanceType,
                InitialInstanceCount: each.InstanceCount
              }),
          InitialVariantWeight: each.Weight
        }));
      return { production: those(false), shadows: those(true) };
    },
    event =>
      event.type === 'resource' &&
      event.Kind === 'endpoint' &&
      event.Name === endpoint,
    [client, endpoint]
  );
  return value ?? NOTHING;
}

/** What an endpoint that is updated goes on to do. */
export function useBefore(endpoint: string | undefined): IBefore {
  const { client } = useStudio();
  const { value } = useLive(
    async (signal): Promise<IBefore> => {
      if (!endpoint) {
        return {};
      }
      const told = await client.call(
        'sagemaker',
        'DescribeEndpoint',
        { EndpointName: endpoint },
        signal
      );
      return {
        captured: told.DataCaptureConfig?.EnableCapture,
        asynchronous: told.AsyncInferenceConfig
      };
    },
    event =>
      event.type === 'resource' &&
      event.Kind === 'endpoint' &&
      event.Name === endpoint,
    [client, endpoint]
  );
  return value ?? NEW;
}

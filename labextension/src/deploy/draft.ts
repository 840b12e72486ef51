import type { TranslationBundle } from '@jupyterlab/translation';

import type { ICall } from '../codegen';
import { jobOf } from '../core/lineage';
import { parseS3 } from '../core/s3';
import type { sagemaker } from '../wire';
import { answersOf } from './answers';
import { problems } from './problems';
import { configOf, type Strategy } from './stages';
import { variants } from './variants';

/** Where the model comes from: its name, `GROUP/VERSION`, the name of a training job, or the URI of a
 * model.tar.gz. */
export interface ISource {
  kind: 'model' | 'package' | 'job' | 'data';
  name: string;
}

/** What the user chose so far; what is absent has a default. Part of the page's arguments. */
export interface IDraft {
  source?: ISource;
  /** Image of a model.tar.gz. */
  image?: string;
  modelName?: string;
  /** Whether requests that wait are predicted together. */
  batching?: boolean;
  /** Milliseconds that the model may take for those. */
  latency?: number;
  instanceType?: string;
  /** It has servers only while somebody asks; absent: instances. */
  serverless?: IServerless;
  /** It answers to S3, later; absent: at once. */
  asynchronous?: IAsynchronous;
  count?: number;
  /** Name of the endpoint that is updated; "" or absent: a new one. */
  target?: string;
  endpointName?: string;
  /** Model that shares the requests of a new endpoint. */
  beside?: string;
  /** Keep what the endpoint serves, and share its requests. */
  keep?: boolean;
  /** The newcomer is asked what the others are, and answers nobody. */
  shadow?: boolean;
  /** Per cent of the requests for the model that is deployed, where it shares them, or that a shadow is asked too. */
  share?: number;
  /** Per cent of the requests that are recorded; absent: none. */
  capture?: number;
  /** Where what is recorded goes. */
  captureUri?: string;
  /** How an update moves the requests. */
  strategy?: Strategy;
  /** Per cent in a step of it. */
  stepSize?: number;
  /** Seconds after each step. */
  wait?: number;
  /** Seconds for which the old servers are kept at the end. */
  keepOld?: number;
  /** Names of alarms that take the update back. */
  alarms?: string[];
}

/** The size of a serverless endpoint; what is absent has a default. */
export interface IServerless {
  /** MiB, for each server. */
  memory?: number;
  /** Requests at once. */
  most?: number;
  /** Requests for which servers are always there. */
  warm?: number;
  /** Seconds without requests after which it sleeps; absent: as the home says. */
  idle?: number;
}

/** Where an asynchronous endpoint answers; what is absent has a default. */
export interface IAsynchronous {
  /** URI of a folder for answers. */
  output?: string;
  /** URI of a folder for what went wrong; "": that is not stored. */
  failure?: string;
  /** Requests that an instance is sent at once. */
  most?: number;
}

/** What an endpoint that is updated goes on to do. */
export interface IBefore {
  /** Its requests are captured. */
  captured?: boolean;
  /** It answers to S3. */
  asynchronous?: sagemaker.AsyncInferenceConfig;
}

/** What has to be known of the home to fill in and judge a draft. */
export interface IKnown {
  models: string[];
  endpoints: { name: string; status: string }[];
  configs: string[];
  /** The role of a home, for models that are made here. */
  role: string;
  /** The bucket of a home, for answers and for what is recorded. */
  bucket: string;
}

/** What an endpoint serves, as a configuration would name it. */
export interface IServing {
  production: sagemaker.ProductionVariant[];
  shadows: sagemaker.ProductionVariant[];
}

/** Of a job or an artifact: what its model is made of. */
export interface IArtifact {
  image: string;
  uri: string;
  role: string;
}

export type Step = 'model' | 'where' | 'traffic';

/** Calls that carry out a draft, what they make, and what is wrong with it, step by step. */
export interface IPlan {
  calls: ICall[];
  endpoint: string;
  /** Names of what is made: it goes again if the deployment fails. */
  made: { model?: string; config: string; endpoint?: string };
  problems: { step: Step; field: string; text: string }[];
  /** The bucket of the home, where something is put there: it may have to be made. */
  bucket?: string;
}

export const DEFAULT_TYPE = 'ml.m5.large';
export const DEFAULT_SHARE = 10;
/** Milliseconds that the model server takes where nothing is said. */
export const DEFAULT_LATENCY = 50;
export const DEFAULT_MEMORY = 2048;
export const DEFAULT_MOST = 5;
const IDLE_TAG = 'studio:idle-seconds';

/** Of what a configuration says, an update that has this keeps only what is captured. */
const KEEP_CAPTURE: Partial<sagemaker.UpdateEndpointInput> = {
  RetainAllVariantProperties: true,
  ExcludeRetainedVariantProperties: [
    { VariantPropertyType: 'DesiredWeight' },
    { VariantPropertyType: 'DesiredInstanceCount' }
  ]
};

/** The names that a draft has, chosen or given. */
export function names(
  draft: IDraft,
  known: IKnown
): { model: string; config: string; endpoint: string } {
  const base = stem(draft.source);
  const model =
    draft.source?.kind === 'model'
      ? draft.source.name
      : (draft.modelName ?? unique(base, known.models));
  const taken = known.endpoints.map(each => each.name);
  const endpoint = draft.target || (draft.endpointName ?? unique(base, taken));
  return { model, endpoint, config: unique(endpoint, known.configs) };
}

/** The calls of a draft, and its problems. `serving` and `before`: the variants of the endpoint
 * to update, and what it does. */
export function plan(
  draft: IDraft,
  known: IKnown,
  artifact: IArtifact | null,
  serving: IServing,
  trans: TranslationBundle,
  before: IBefore = {}
): IPlan {
  const named = names(draft, known);
  const { model, config, endpoint } = named;
  const calls: ICall[] = [];
  const makes = draft.source?.kind !== 'model';
  const container = containerOf(draft, artifact);
  if (makes && container) {
    calls.push({
      operation: 'CreateModel',
      request: {
        ModelName: model,
        ExecutionRoleArn: artifact?.role || known.role,
        PrimaryContainer: container
      }
    });
  }
  const settings: sagemaker.CreateEndpointConfigInput = {
    EndpointConfigName: config,
    ...variants(draft, model, serving),
    ...answersOf(draft, endpoint, known, before),
    ...(before.captured ? {} : captureOf(draft, endpoint, known))
  };
  calls.push({ operation: 'CreateEndpointConfig', request: settings });
  const policy = draft.target ? configOf(draft) : undefined;
  calls.push({
    operation: draft.target ? 'UpdateEndpoint' : 'CreateEndpoint',
    request: {
      EndpointName: endpoint,
      EndpointConfigName: config,
      ...(draft.target ? {} : tagsOf(draft)),
      ...(draft.target && before.captured ? KEEP_CAPTURE : {}),
      ...(policy ? { DeploymentConfig: policy } : {})
    }
  });
  return {
    calls,
    endpoint,
    made: {
      model: makes ? model : undefined,
      config,
      endpoint: draft.target ? undefined : endpoint
    },
    bucket: written(settings).includes(known.bucket) ? known.bucket : undefined,
    problems: problems(draft, known, artifact, named, before, trans)
  };
}

/** The buckets that a configuration has something put into. */
function written(settings: sagemaker.CreateEndpointConfigInput): string[] {
  const answers = settings.AsyncInferenceConfig?.OutputConfig;
  const uris = [
    settings.DataCaptureConfig?.DestinationS3Uri,
    answers?.S3OutputPath,
    answers?.S3FailurePath
  ];
  return uris.flatMap(uri => parseS3(uri ?? '')?.bucket ?? []);
}

/** Where requests and answers are recorded unless somebody says. */
export function captureUri(
  draft: IDraft,
  endpoint: string,
  known: IKnown
): string {
  return draft.captureUri ?? `s3://${known.bucket}/${endpoint}/captured`;
}

/** What the configuration says of recording. */
function captureOf(
  draft: IDraft,
  endpoint: string,
  known: IKnown
): Partial<sagemaker.CreateEndpointConfigInput> {
  return draft.capture === undefined
    ? {}
    : {
        DataCaptureConfig: {
          EnableCapture: true,
          InitialSamplingPercentage: draft.capture,
          DestinationS3Uri: captureUri(draft, endpoint, known),
          CaptureOptions: [{ CaptureMode: 'Input' }, { CaptureMode: 'Output' }],
          CaptureContentTypeHeader: {
            CsvContentTypes: ['text/csv'],
            JsonContentTypes: ['application/json']
          }
        }
      };
}

/** How long a new endpoint stays awake, where somebody said so. */
function tagsOf(draft: IDraft): Partial<sagemaker.CreateEndpointInput> {
  const idle = draft.serverless?.idle;
  return idle === undefined
    ? {}
    : { Tags: [{ Key: IDLE_TAG, Value: `${idle}` }] };
}

/** What the model that is made here has for a container, once that is known. */
function containerOf(
  draft: IDraft,
  artifact: IArtifact | null
): sagemaker.ContainerDefinition | undefined {
  const { source, batching, latency = DEFAULT_LATENCY } = draft;
  const environment = batching && {
    Environment: {
      STUDIO_BATCHING: 'on',
      ...(latency === DEFAULT_LATENCY
        ? {}
        : { STUDIO_BATCHING_LATENCY_MS: `${latency}` })
    }
  };
  if (source?.kind === 'package') {
    return { ModelPackageName: source.name, ...environment };
  }
  return artifact
    ? { Image: artifact.image, ModelDataUrl: artifact.uri, ...environment }
    : undefined;
}

/** What things of this source are called by default. */
function stem(source: ISource | undefined): string {
  if (source?.kind !== 'data') {
    return slug(source?.name ?? 'endpoint');
  }
  const folders = source.name.split('/').slice(0, -1);
  return slug(jobOf(source.name) || (folders.pop() ?? ''));
}

/** A text as a name: letters, digits and single hyphens, short enough to get a number. */
export function slug(text: string): string {
  const made = text
    .replace(/[^a-zA-Z0-9]+/g, '-')
    .slice(0, 56)
    .replace(/^-+|-+$/g, '');
  return made || 'model';
}

/** The name, or the first of name-2, name-3, ... that is not taken. */
export function unique(name: string, taken: string[]): string {
  const known = new Set(taken);
  let made = name;
  for (let number = 2; known.has(made); number++) {
    made = `${name.slice(0, 58)}-${number}`;
  }
  return made;
}

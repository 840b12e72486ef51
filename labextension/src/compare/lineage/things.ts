import type { TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { imageName, jobOf } from '../../core/lineage';
import { parseS3 } from '../../core/s3';
import {
  bucketIcon,
  dataIcon,
  deployIcon,
  endpointIcon,
  experimentIcon,
  jobIcon,
  modelIcon,
  studioIcon
} from '../../icons';
import { CommandIDs } from '../../tokens';
import { COMPONENT } from '../rows';
import type { Vertex } from './classes';

const READABLE = /\.(csv|tsv|parquet|jsonl?|ndjson)(\.gz)?$/i;
const RESOURCE = /^arn:aws[a-z-]*:sagemaker:[^:]*:\d*:([a-z-]+)\/(.+)$/;

/** What a thing of lineage is, in words. */
export function typeOf(thing: Vertex, trans: TranslationBundle): string {
  const words: Record<string, string> = {
    DataSet: trans.__('Data'),
    TrainingJob: trans.__('Training job'),
    ExperimentTrialComponent: trans.__('Trial component'),
    Image: trans.__('Image'),
    ModelDeployment: trans.__('Deployment'),
    Endpoint: trans.__('Endpoint'),
    Checkpoint: trans.__('Checkpoints')
  };
  if (thing.Type === 'Model') {
    return thing.SourceUri?.startsWith('arn:')
      ? trans.__('Model')
      : trans.__('Model data');
  }
  return words[thing.Type] ?? thing.Type;
}

/** What a thing is called: the name that it was given, or else that of what it stands for. */
export function nameOf(thing: Vertex): string {
  const { SourceUri: source = '' } = thing;
  const resource = RESOURCE.exec(source);
  if (thing.Kind === COMPONENT) {
    // Called after its job, unless somebody gave it a name.
    return (thing.Name ?? lastOf(thing.Arn)).replace(/-aws-training-job$/, '');
  }
  if (resource && (thing.Kind === 'context' || thing.Kind === 'action')) {
    return resource[2];
  }
  if (thing.Name) {
    return thing.Name;
  }
  if (thing.Type === 'Image') {
    return imageName(source);
  }
  const job = jobOf(source);
  return job ? `${job}/…/model.tar.gz` : shortOf(source || thing.Arn);
}

/** The command that shows what a thing stands for; null where there is no page. */
export function pageOf(
  thing: Vertex
): [string, ReadonlyPartialJSONObject] | null {
  if (thing.Kind === COMPONENT) {
    return [CommandIDs.openComponent, { name: lastOf(thing.Arn) }];
  }
  const { SourceUri: source = '' } = thing;
  const [, kind, name] = RESOURCE.exec(source) ?? [];
  const pages: Record<string, string> = {
    endpoint: CommandIDs.openEndpoint,
    model: CommandIDs.openModel,
    'processing-job': CommandIDs.openProcessingJob,
    'training-job': CommandIDs.openJob,
    'transform-job': CommandIDs.openTransformJob
  };
  if (kind in pages) {
    return [pages[kind], { name }];
  }
  const place = parseS3(source);
  if (!place) {
    return null;
  }
  if (READABLE.test(source)) {
    return [CommandIDs.openData, { uri: source }];
  }
  const prefix = place.key.slice(0, place.key.lastIndexOf('/') + 1);
  return [CommandIDs.openObjects, { bucket: place.bucket, prefix }];
}

/** The sign of a thing. */
export function iconOf(thing: Vertex): LabIcon {
  if (thing.Kind === COMPONENT) {
    return thing.Type === 'TrainingJob' ? jobIcon : experimentIcon;
  }
  const icons: Record<string, LabIcon> = {
    DataSet: dataIcon,
    Model: modelIcon,
    ModelDeployment: deployIcon,
    Endpoint: endpointIcon,
    Checkpoint: bucketIcon
  };
  return icons[thing.Type] ?? studioIcon;
}

function lastOf(arn: string): string {
  return RESOURCE.exec(arn)?.[2] ?? arn;
}

/** `s3://bucket/a/b/c.csv` -> `b/c.csv`. */
function shortOf(uri: string): string {
  const parts = uri.replace(/\/+$/, '').split('/').filter(Boolean);
  return parts.slice(-2).join('/') || uri;
}

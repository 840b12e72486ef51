import type { TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { queryOf } from '../experiments/model';
import {
  endpointIcon,
  experimentIcon,
  jobIcon,
  modelIcon,
  processingIcon,
  scheduleIcon,
  transformIcon
} from '../icons';
import { CommandIDs } from '../tokens';
import type { Branch } from './model';

/** What a branch of the tree says, and where it leads. */
export interface IBranchTexts {
  label: string;
  icon: LabIcon;
  table: string;
  /** What opens one of a name. */
  page: (name: string) => [string, ReadonlyPartialJSONObject];
  kind: 'job' | Exclude<Branch, 'training-job'>;
  none: string;
  first: [string, ReadonlyPartialJSONObject];
}

/** Of each branch. */
export function texts(trans: TranslationBundle): Record<Branch, IBranchTexts> {
  return {
    'training-job': {
      label: trans.__('Jobs'),
      icon: jobIcon,
      table: CommandIDs.openJobs,
      page: name => [CommandIDs.openJob, { name }],
      kind: 'job',
      none: trans.__('No job yet: make the first…'),
      first: [CommandIDs.newJob, {}]
    },
    'processing-job': {
      label: trans.__('Processing'),
      icon: processingIcon,
      table: CommandIDs.openProcessingJobs,
      page: name => [CommandIDs.openProcessingJob, { name }],
      kind: 'processing-job',
      none: trans.__('No processing job yet: make the first…'),
      first: [CommandIDs.newProcessingJob, {}]
    },
    'transform-job': {
      label: trans.__('Transform'),
      icon: transformIcon,
      table: CommandIDs.openTransformJobs,
      page: name => [CommandIDs.openTransformJob, { name }],
      kind: 'transform-job',
      none: trans.__('No transform job yet: make the first…'),
      first: [CommandIDs.newTransformJob, {}]
    },
    schedule: {
      label: trans.__('Schedules'),
      icon: scheduleIcon,
      table: CommandIDs.openSchedules,
      page: name => [CommandIDs.openSchedules, { selected: name }],
      kind: 'schedule',
      none: trans.__('No schedule yet: how to begin…'),
      first: [CommandIDs.openSchedules, {}]
    },
    experiment: {
      label: trans.__('Experiments'),
      icon: experimentIcon,
      table: CommandIDs.openExperiments,
      page: name => [CommandIDs.compare, { query: queryOf(name) }],
      kind: 'experiment',
      none: trans.__('No experiment yet: how to begin…'),
      first: [CommandIDs.openExperiments, {}]
    },
    model: {
      label: trans.__('Models'),
      icon: modelIcon,
      table: CommandIDs.openModels,
      page: name => [CommandIDs.openModel, { name }],
      kind: 'model',
      none: trans.__('No model yet: train one…'),
      first: [CommandIDs.newJob, {}]
    },
    'model-package-group': {
      label: trans.__('Model groups'),
      icon: modelIcon,
      table: CommandIDs.openModelGroups,
      page: name => [CommandIDs.openModelGroup, { name }],
      kind: 'model-package-group',
      none: trans.__('No model is registered yet: how to begin…'),
      first: [CommandIDs.openModelGroups, {}]
    },
    endpoint: {
      label: trans.__('Endpoints'),
      icon: endpointIcon,
      table: CommandIDs.openEndpoints,
      page: name => [CommandIDs.openEndpoint, { name }],
      kind: 'endpoint',
      none: trans.__('No endpoint yet: deploy a model…'),
      first: [CommandIDs.deploy, {}]
    }
  };
}

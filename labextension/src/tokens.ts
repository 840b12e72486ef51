import type { CommandRegistry } from '@lumino/commands';
import { Token } from '@lumino/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Capacity } from './core/capacity';
import type { Client } from './core/client';
import type { Documents } from './core/documents';
import type { Feed } from './core/feed';

/** What every panel gets: the way to the control plane, its events, and the main area. */
export interface IStudio {
  readonly client: Client;
  readonly feed: Feed;
  /** The load of the machine, as last told. */
  readonly capacity: Capacity;
  readonly documents: Documents;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}

export const IStudio = new Token<IStudio>(
  'jupyter-ml-studio:IStudio',
  'The client, the events and the documents of Studio.'
);

/** Every action of Studio; the arguments are plain JSON. */
export namespace CommandIDs {
  export const openJobs = 'studio:open-jobs';
  export const openJob = 'studio:open-job';
  export const newJob = 'studio:new-job';
  export const stopJobs = 'studio:stop-jobs';
  export const deleteJobs = 'studio:delete-jobs';
  export const runNotebook = 'studio:run-notebook';
  export const runSelected = 'studio:run-selected';
  export const runOpen = 'studio:run-open-notebook';
  export const openOutput = 'studio:open-notebook-output';
  export const openSchedules = 'studio:open-schedules';
  export const scheduleJob = 'studio:schedule-job';
  export const runSchedule = 'studio:run-schedule';
  export const pauseSchedules = 'studio:pause-schedules';
  export const resumeSchedules = 'studio:resume-schedules';
  export const deleteSchedules = 'studio:delete-schedules';
  export const openProcessingJobs = 'studio:open-processing-jobs';
  export const openProcessingJob = 'studio:open-processing-job';
  export const newProcessingJob = 'studio:new-processing-job';
  export const openTransformJobs = 'studio:open-transform-jobs';
  export const openTransformJob = 'studio:open-transform-job';
  export const newTransformJob = 'studio:new-transform-job';
  export const openCompute = 'studio:open-compute';
  export const openImages = 'studio:open-images';
  export const buildImage = 'studio:build-image';
  export const openExperiments = 'studio:open-experiments';
  export const newExperiment = 'studio:new-experiment';
  export const deleteExperiments = 'studio:delete-experiments';
  export const openComponent = 'studio:open-component';
  export const deleteComponents = 'studio:delete-components';
  export const compare = 'studio:compare';
  export const saveView = 'studio:save-view';
  export const undoView = 'studio:undo-view';
  export const redoView = 'studio:redo-view';
  export const openModels = 'studio:open-models';
  export const openModel = 'studio:open-model';
  export const deleteModels = 'studio:delete-models';
  export const openModelGroups = 'studio:open-model-groups';
  export const openModelGroup = 'studio:open-model-group';
  export const newModelGroup = 'studio:new-model-group';
  export const deleteModelGroups = 'studio:delete-model-groups';
  export const registerModel = 'studio:register-model';
  export const openEndpoints = 'studio:open-endpoints';
  export const openEndpoint = 'studio:open-endpoint';
  export const deleteEndpoints = 'studio:delete-endpoints';
  export const deploy = 'studio:deploy';
  export const openObjects = 'studio:open-objects';
  export const openData = 'studio:open-data';
  export const insertLoader = 'studio:insert-loader';
  export const openCellJob = 'studio:open-cell-job';
  export const openSource = 'studio:open-source';
  export const insertMenu = 'studio:insert-menu';
  export const openTutorial = 'studio:open-tutorial';
  export const copyLink = 'studio:copy-link';
  export const chooseFile = 'studio:choose-file';
  export const insertCode = 'studio:insert-code';
}

/** What is dragged from one panel to another or onto a notebook. */
export const DRAG_MIME = 'application/x-studio';

/** The thing under a drag; the name of an object is its S3 URI. */
export interface IDragged {
  kind: 'job' | 'model' | 'endpoint' | 'object' | 'component';
  name: string;
}

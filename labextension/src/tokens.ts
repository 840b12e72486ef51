import type { CommandRegistry } from '@lumino/commands';
import { Token } from '@lumino/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Client } from './core/client';
import type { Documents } from './core/documents';
import type { Feed } from './core/feed';

/** What every panel gets: the way to the control plane, its events, and the main area. */
export interface IStudio {
  readonly client: Client;
  readonly feed: Feed;
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
  export const openExperiments = 'studio:open-experiments';
  export const openModels = 'studio:open-models';
  export const openModel = 'studio:open-model';
  export const deleteModels = 'studio:delete-models';
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
  kind: 'job' | 'model' | 'endpoint' | 'object';
  name: string;
}

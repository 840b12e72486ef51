import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { newJobIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';
import type { IArgs } from './draft';

/** The form of a new training job. */
export const newJob: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:new-job',
  description: 'Adds the form of a new training job.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette],
  activate: (
    _app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null
  ) => {
    const { trans } = studio;
    studio.documents.register(
      {
        command: CommandIDs.newJob,
        label: trans.__('New Training Job'),
        caption: trans.__('Train a model on data in S3'),
        icon: newJobIcon,
        properties: {
          from: {
            type: 'string',
            description: trans.__('Name of a job to copy')
          },
          algorithm: {
            type: 'string',
            description: trans.__('Name of an algorithm to begin with')
          },
          channel: {
            type: 'string',
            description: trans.__('S3 URI of the data to train on')
          },
          validation: {
            type: 'string',
            description: trans.__('S3 URI of the data to validate with')
          },
          request: {
            type: 'object',
            description: trans.__(
              'What has been written, as CreateTrainingJob takes it'
            )
          },
          code: {
            type: 'string',
            description: trans.__('The form of code shown')
          }
        },
        // One form at a time, and one for each job that is copied: nothing written is lost.
        key: args => (args as IArgs).from ?? '',
        title: args =>
          args['from']
            ? trans.__('New job like %1', args['from'])
            : trans.__('New Training Job'),
        page: async () =>
          (await import(/* webpackChunkName: "newjob" */ './page')).NewJob
      },
      studio
    );
    palette?.addItem({
      command: CommandIDs.newJob,
      args: { isPalette: true },
      category: trans.__('Studio')
    });
  }
};

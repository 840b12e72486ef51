import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';

import { jobIcon, processingIcon, transformIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';

/** The pages of jobs. */
export const job: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:job',
  description: 'Adds the pages of training, processing and transform jobs.',
  autoStart: true,
  requires: [IStudio],
  activate: (_app: JupyterFrontEnd, studio: IStudio): void => {
    const { trans } = studio;
    studio.documents.register(
      {
        command: CommandIDs.openJob,
        label: trans.__('Open Training Job'),
        caption: trans.__('Show a training job: phases, metrics, log, results'),
        icon: jobIcon,
        properties: {
          name: {
            type: 'string',
            description: trans.__('Name of the training job')
          },
          tab: { type: 'string', enum: ['overview', 'log', 'provenance'] },
          log: {
            type: 'object',
            description: trans.__('What the log shows')
          },
          charts: {
            type: 'object',
            description: trans.__('How the charts are drawn')
          }
        },
        key: args => args['name'] as string,
        title: args => args['name'] as string,
        page: async () =>
          (await import(/* webpackChunkName: "job" */ './page')).JobPage
      },
      studio
    );
    studio.documents.register(
      {
        command: CommandIDs.openProcessingJob,
        label: trans.__('Open Processing Job'),
        caption: trans.__('Show a processing job: log, inputs, outputs'),
        icon: processingIcon,
        properties: {
          name: {
            type: 'string',
            description: trans.__('Name of the processing job')
          },
          log: {
            type: 'object',
            description: trans.__('What the log shows')
          }
        },
        key: args => args['name'] as string,
        title: args => args['name'] as string,
        page: async () =>
          (await import(/* webpackChunkName: "job" */ './processing'))
            .ProcessingJobPage
      },
      studio
    );
    studio.documents.register(
      {
        command: CommandIDs.openTransformJob,
        label: trans.__('Open Transform Job'),
        caption: trans.__('Show a transform job: progress, files, log'),
        icon: transformIcon,
        properties: {
          name: {
            type: 'string',
            description: trans.__('Name of the transform job')
          },
          log: {
            type: 'object',
            description: trans.__('What the log shows')
          }
        },
        key: args => args['name'] as string,
        title: args => args['name'] as string,
        page: async () =>
          (await import(/* webpackChunkName: "job" */ './transform'))
            .TransformJobPage
      },
      studio
    );
  }
};

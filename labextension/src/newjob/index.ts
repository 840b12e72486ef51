import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import type { IDocumentType } from '../core/documents';
import { newJobIcon, processingIcon, transformIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';

/** The forms of new jobs. */
export const newJob: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:new-job',
  description: 'Adds the forms of new training, processing and transform jobs.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette],
  activate: (
    _app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null
  ) => {
    const { trans } = studio;
    for (const make of [training, processing, transform]) {
      const form = make(studio);
      studio.documents.register(form, studio);
      palette?.addItem({
        command: form.command,
        args: { isPalette: true },
        category: trans.__('Studio')
      });
    }
  }
};

function training(studio: IStudio): IDocumentType {
  const { trans } = studio;
  return {
    ...common(studio, 'CreateTrainingJob', trans.__('New Training Job'), {
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
      }
    }),
    command: CommandIDs.newJob,
    caption: trans.__('Train a model on data in S3'),
    icon: newJobIcon,
    page: async () =>
      (await import(/* webpackChunkName: "newjob" */ './page')).NewJob
  };
}

function processing(studio: IStudio): IDocumentType {
  const { trans } = studio;
  return {
    ...common(studio, 'CreateProcessingJob', trans.__('New Processing Job'), {
      input: {
        type: 'string',
        description: trans.__('S3 URI of the files to process')
      }
    }),
    command: CommandIDs.newProcessingJob,
    caption: trans.__('Run a script on files from S3'),
    icon: processingIcon,
    page: async () =>
      (await import(/* webpackChunkName: "newjob" */ './processing'))
        .NewProcessingJob
  };
}

function transform(studio: IStudio): IDocumentType {
  const { trans } = studio;
  return {
    ...common(studio, 'CreateTransformJob', trans.__('New Transform Job'), {
      model: {
        type: 'string',
        description: trans.__('Name of the model that is asked')
      },
      input: {
        type: 'string',
        description: trans.__('S3 URI of the files to transform')
      }
    }),
    command: CommandIDs.newTransformJob,
    key: args => ((args['from'] ?? args['model']) as string | undefined) ?? '',
    caption: trans.__('Ask a model about every record of files in S3'),
    icon: transformIcon,
    page: async () =>
      (await import(/* webpackChunkName: "newjob" */ './transform'))
        .NewTransformJob
  };
}

/** What the forms have; `operation` takes what is written in it. */
function common(
  { trans }: IStudio,
  operation: string,
  label: string,
  properties: ReadonlyJSONObject
): Pick<IDocumentType, 'label' | 'properties' | 'key' | 'title'> {
  return {
    label,
    properties: {
      from: {
        type: 'string',
        description: trans.__('Name of a job to copy')
      },
      ...properties,
      request: {
        type: 'object',
        description: trans.__(
          'What has been written, as %1 takes it',
          operation
        )
      },
      code: {
        type: 'string',
        description: trans.__('The form of code shown')
      }
    },
    // One form at a time, and one for each job that is copied: nothing written is lost.
    key: args => (args['from'] as string | undefined) ?? '',
    title: args =>
      args['from'] ? trans.__('New job like %1', args['from']) : label
  };
}

import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import React from 'react';

import { confirmed } from '../core/confirm';
import type { StudioView } from '../core/documents';
import { notifyError } from '../core/errors';
import { experimentIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';

/** The page of a trial component. */
export const component: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:component',
  description: 'Adds the page of a trial component.',
  autoStart: true,
  requires: [IStudio, IRenderMimeRegistry],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    rendermime: IRenderMimeRegistry
  ): void => {
    const { trans } = studio;
    studio.documents.register(
      {
        command: CommandIDs.openComponent,
        label: trans.__('Open Trial Component'),
        caption: trans.__(
          'Show a trial component: parameters, metrics, artifacts, notes'
        ),
        icon: experimentIcon,
        properties: {
          name: {
            type: 'string',
            description: trans.__('Name of the trial component')
          },
          tab: { type: 'string', enum: ['overview', 'lineage', 'provenance'] },
          charts: {
            type: 'object',
            description: trans.__('How the charts are drawn')
          }
        },
        key: args => args['name'] as string,
        title: args => args['name'] as string,
        page: async () => {
          const { ComponentPage } = await import('./page');
          return (props: { view: StudioView }) => (
            <ComponentPage view={props.view} rendermime={rendermime} />
          );
        }
      },
      studio
    );
    app.commands.addCommand(CommandIDs.deleteComponents, {
      label: trans.__('Delete Trial Component'),
      caption: trans.__('Delete trial components; their jobs and files stay'),
      describedBy: {
        args: {
          type: 'object',
          properties: { names: { type: 'array', items: { type: 'string' } } },
          required: ['names']
        }
      },
      execute: args => remove(studio, args['names'] as string[])
    });
  }
};

/** Delete components after asking; true when all are gone. */
async function remove(studio: IStudio, names: string[]): Promise<boolean> {
  const { trans, client } = studio;
  const sure = await confirmed(
    trans._n(
      'Delete the trial component?',
      'Delete %1 trial components?',
      names.length
    ),
    trans.__(
      'Their parameters, metrics and notes are gone for good. Jobs, and files in S3, stay.'
    ),
    trans.__('Delete'),
    names
  );
  if (!sure) {
    return false;
  }
  const what = trans._n(
    'The trial component was not deleted',
    'Not all trial components were deleted',
    names.length
  );
  try {
    const answer = await client.call('studio', 'DeleteTrialComponents', {
      Names: names
    });
    const [first] = answer.Errors;
    if (first) {
      const rest = answer.Failed - 1;
      const more = rest > 0 ? ` (+${rest})` : '';
      notifyError(what, `${first.Name}: ${first.Message}${more}`);
    }
    return answer.Errors.length === 0;
  } catch (error) {
    notifyError(what, error);
    return false;
  }
}

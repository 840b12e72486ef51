import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';

import { notifyError } from '../core/errors';
import { newJobIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';

/** Makes jobs of notebooks and scripts, and opens what came of them. */
export const notebookJob: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:notebook-job',
  description: 'Runs notebooks and scripts as jobs, now or by a schedule.',
  autoStart: true,
  requires: [IStudio],
  optional: [IFileBrowserFactory, INotebookTracker, IDocumentManager],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    files: IFileBrowserFactory | null,
    notebooks: INotebookTracker | null,
    documents: IDocumentManager | null
  ): void => {
    const { trans } = studio;
    studio.documents.register(
      {
        command: CommandIDs.runNotebook,
        label: trans.__('Run as Job…'),
        caption: trans.__('Run a notebook or a script as a job'),
        icon: newJobIcon,
        properties: {
          path: {
            type: 'string',
            description: 'The notebook or script, as Jupyter calls it.'
          },
          run: { type: 'object', description: 'What has been chosen.' }
        },
        key: args => args['path'] as string,
        title: args =>
          trans.__('Run %1', (args['path'] as string).split('/').pop()!),
        page: async () => (await import('./page')).runPage(app.serviceManager)
      },
      studio
    );
    addCommands(app, studio, files, notebooks, documents);
  }
};

function addCommands(
  app: JupyterFrontEnd,
  studio: IStudio,
  files: IFileBrowserFactory | null,
  notebooks: INotebookTracker | null,
  documents: IDocumentManager | null
): void {
  const { commands } = app;
  const { trans } = studio;
  const run = async (path: string) => {
    const open = notebooks?.find(each => each.context.path === path);
    if (open?.context.model.dirty) {
      await open.context.save(); // what is run is what is on disk
    }
    await commands.execute(CommandIDs.runNotebook, { path });
  };
  commands.addCommand(CommandIDs.runSelected, {
    label: trans.__('Run as Job…'),
    caption: trans.__('Run the selected notebook or script as a job'),
    icon: newJobIcon,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => {
      const [item] = files?.tracker.currentWidget?.selectedItems() ?? [];
      return item && run(item.path);
    }
  });
  commands.addCommand(CommandIDs.runOpen, {
    label: trans.__('Run as Job…'),
    caption: trans.__('Run this notebook as a job, now or by a schedule'),
    icon: newJobIcon,
    describedBy: { args: { type: 'object', properties: {} } },
    isEnabled: () => !!notebooks?.currentWidget,
    execute: () => run(notebooks!.currentWidget!.context.path)
  });
  commands.addCommand(CommandIDs.openOutput, {
    label: trans.__('Open Output of a Notebook Job'),
    caption: trans.__(
      'Copy what there is of the notebook of a job, and open it'
    ),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          name: { type: 'string', description: 'Name of the job.' },
          uri: { type: 'string', description: 'S3 URI of its notebook.' }
        },
        required: ['name', 'uri']
      }
    },
    isVisible: args => 'uri' in args,
    isEnabled: () => documents !== null,
    execute: async args => {
      const name = args['name'] as string;
      const { openOutput } = await import('./open');
      try {
        await openOutput(studio, documents!, name, args['uri'] as string);
      } catch (error) {
        notifyError(trans.__('The output of %1 cannot be opened', name), error);
      }
    }
  });
}

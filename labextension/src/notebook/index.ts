import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import type { CodeCell } from '@jupyterlab/cells';
import { IDocumentManager } from '@jupyterlab/docmanager';
import {
  INotebookTracker,
  NotebookActions,
  type NotebookPanel
} from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { notifyError } from '../core/errors';
import { studioIcon } from '../icons';
import { CommandIDs, type IDragged, IStudio } from '../tokens';
import { takeDrops, whyNot } from './drops';
import { openSlash, watchSlashes } from './slash-keys';

const ID = 'jupyter-ml-studio:notebook';

/** Joins notebooks and Studio: cells that load things, and things that cells started. */
export const notebook: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Inserts cells that load things, and shows the jobs of cells.',
  autoStart: true,
  requires: [IStudio, INotebookTracker],
  optional: [IDocumentManager, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    notebooks: INotebookTracker,
    documents: IDocumentManager | null,
    registry: ISettingRegistry | null
  ): void => {
    let settings: ISettingRegistry.ISettings | undefined;
    void registry
      ?.load(ID)
      .then(loaded => (settings = loaded))
      .catch(() => undefined); // without them everything is as by default
    takeDrops(studio, notebooks);
    showBadges(studio, notebooks);
    watchSlashes(
      studio,
      notebooks,
      () => settings?.get('slashMenu').composite !== false
    );
    addCommands(app, studio, notebooks, documents);
  }
};

/** Show below each cell the jobs that it started. */
function showBadges(studio: IStudio, notebooks: INotebookTracker): void {
  const show = async (panel: NotebookPanel) => {
    const { Badges } = await import('./badges');
    if (!panel.isDisposed) {
      const badges = new Badges(studio, notebooks, panel);
      panel.disposed.connect(() => badges.dispose());
    }
  };
  notebooks.forEach(panel => void show(panel));
  notebooks.widgetAdded.connect((_, panel) => void show(panel));
}

function addCommands(
  app: JupyterFrontEnd,
  studio: IStudio,
  notebooks: INotebookTracker,
  documents: IDocumentManager | null
): void {
  const { commands } = app;
  const { client, trans } = studio;
  commands.addCommand(CommandIDs.insertLoader, {
    label: trans.__('Insert into Notebook'),
    caption: trans.__('Insert a cell that loads this into the notebook'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          kind: { enum: ['job', 'model', 'endpoint', 'object'] },
          name: {
            type: 'string',
            description: 'Its name; of an object its S3 URI.'
          }
        },
        required: ['kind', 'name']
      }
    },
    execute: async args => {
      const thing = args as unknown as IDragged;
      try {
        const { loader } = await import('./loaders');
        const code = await loader(client, thing);
        await commands.execute(CommandIDs.insertCode, { code });
      } catch (error) {
        notifyError(whyNot(trans, thing), error);
      }
    }
  });
  commands.addCommand(CommandIDs.insertMenu, {
    label: trans.__('Insert from Studio'),
    caption: trans.__(
      'Insert a cell that loads a job, a model, an endpoint or data ("/" in an empty cell)'
    ),
    icon: studioIcon,
    describedBy: { args: { type: 'object', properties: {} } },
    isEnabled: () => notebooks.currentWidget !== null,
    execute: () => {
      const { content } = notebooks.currentWidget!;
      const { activeCell } = content;
      if (
        activeCell?.model.type !== 'code' ||
        activeCell.model.sharedModel.getSource()
      ) {
        NotebookActions.insertBelow(content);
      }
      content.mode = 'edit';
      const cell = content.activeCell as CodeCell;
      cell.model.sharedModel.setSource('/');
      cell.editor?.setCursorPosition({ line: 0, column: 1 });
      return openSlash(studio, cell);
    }
  });
  commands.addCommand(CommandIDs.openCellJob, {
    label: args => `${args['name'] as string}: ${args['status'] as string}`,
    caption: trans.__('Open a job that the cell started'),
    describedBy: {
      args: {
        type: 'object',
        properties: { name: { type: 'string' }, status: { type: 'string' } },
        required: ['name']
      }
    },
    isVisible: args => 'name' in args,
    execute: args =>
      commands.execute(CommandIDs.openJob, { name: args['name'] as string })
  });
  commands.addCommand(CommandIDs.openSource, {
    label: trans.__('Open Where It Was Started'),
    caption: trans.__('Open the notebook at the cell, or the script'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          path: { type: 'string', description: 'Path on the machine.' },
          cell: { type: 'string', description: 'Id of a cell.' }
        },
        required: ['path']
      }
    },
    isVisible: args => 'path' in args,
    isEnabled: () => documents !== null,
    execute: async args => {
      const path = args['path'] as string;
      const cell = (args['cell'] as string | undefined) ?? '';
      try {
        const { openSource } = await import('./source');
        await openSource(client, documents!, path, cell);
      } catch (error) {
        notifyError(trans.__('%1 cannot be opened', path), error);
      }
    }
  });
}

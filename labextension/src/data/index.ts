import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { FileDialog } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';

import { dataIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';
import { nameOf, sourceOf } from './state';

/** Registers data visualization, and the commands that it needs of JupyterLab. */
export const data: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:data',
  description: 'Shows data sets: profiles, rows, charts, comparisons.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette, IDocumentManager, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null,
    manager: IDocumentManager | null,
    notebooks: INotebookTracker | null
  ) => {
    const { trans } = studio;
    studio.documents.register(
      {
        command: CommandIDs.openData,
        label: trans.__('Data Visualization'),
        caption: trans.__('Look at a CSV, Parquet or JSON lines file'),
        icon: dataIcon,
        properties: {
          uri: {
            type: 'string',
            description: 'The S3 URI of an object, or of a folder of them'
          },
          path: {
            type: 'string',
            description: 'A file or folder below the root of the Jupyter server'
          },
          tab: {
            type: 'string',
            enum: [
              'overview',
              'columns',
              'rows',
              'relations',
              'charts',
              'compare'
            ]
          },
          target: { type: 'string', description: 'The column to predict' },
          charts: { type: 'array', items: { type: 'object' } },
          other: { type: 'object', description: 'What to compare with' }
        },
        key: args => {
          const source = sourceOf(args);
          return source ? (source.uri ?? `file:${source.path}`) : '';
        },
        title: args => nameOf(args) || trans.__('Data'),
        page: async () => (await import('./page')).DataPage
      },
      studio
    );
    app.commands.addCommand(CommandIDs.chooseFile, {
      label: trans.__('Choose a File'),
      caption: trans.__('Ask for a file, and return its path'),
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => manager !== null,
      isVisible: () => false,
      execute: async () => {
        const { value } = await FileDialog.getOpenFiles({
          manager: manager!,
          title: trans.__('Choose data')
        });
        return value?.[0]?.path ?? null;
      }
    });
    app.commands.addCommand(CommandIDs.insertCode, {
      label: trans.__('Insert Code as Notebook Cell'),
      caption: trans.__('Put code below the selected cell of a notebook'),
      describedBy: {
        args: {
          type: 'object',
          properties: { code: { type: 'string' } },
          required: ['code']
        }
      },
      isEnabled: () => notebooks !== null,
      isVisible: () => false,
      execute: async args => {
        const { insertCode } = await import('./notebook');
        await insertCode(app, notebooks!, args['code'] as string, trans);
      }
    });
    palette?.addItem({
      command: CommandIDs.openData,
      category: trans.__('Studio')
    });
  }
};

import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { computeIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';

/** The machine: what it has, who holds it, who waits. */
export const compute: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:compute',
  description:
    'Shows CPUs, GPUs and memory, who holds them, and the queue of those who wait.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette],
  activate: (
    _app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null
  ): void => {
    const { trans } = studio;
    studio.documents.register(
      {
        command: CommandIDs.openCompute,
        label: trans.__('Compute'),
        caption: trans.__(
          'Show who uses CPUs and GPUs, and who waits for them'
        ),
        icon: computeIcon,
        properties: {
          widths: {
            type: 'object',
            description: trans.__('Widths of the columns')
          }
        },
        key: () => '',
        title: () => trans.__('Compute'),
        page: async () =>
          (await import(/* webpackChunkName: "compute" */ './page')).ComputePage
      },
      studio
    );
    palette?.addItem({
      command: CommandIDs.openCompute,
      category: trans.__('Studio'),
      args: { isPalette: true }
    });
  }
};

import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { imageIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';
import { build } from './build';

/** Images: what their URIs run as, and those that can be built here. */
export const images: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:images',
  description: 'Shows what image URIs run as, and builds images.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null
  ): void => {
    const { trans } = studio;
    studio.documents.register(
      {
        command: CommandIDs.openImages,
        label: trans.__('Images'),
        caption: trans.__('Show what image URIs run as, and build images'),
        icon: imageIcon,
        properties: {
          filter: {
            type: 'string',
            description: trans.__('What patterns and targets must contain')
          }
        },
        key: () => '',
        title: () => trans.__('Images'),
        page: async () =>
          (await import(/* webpackChunkName: "images" */ './page')).ImagesPage
      },
      studio
    );
    app.commands.addCommand(CommandIDs.buildImage, {
      label: args =>
        args['name']
          ? trans.__('Build the Image %1…', args['name'])
          : trans.__('Build Images…'),
      caption: trans.__('Build images in a terminal, which shows the log'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            name: {
              type: 'string',
              description: trans.__('Which one; all when absent.')
            }
          }
        }
      },
      isEnabled: () => app.commands.hasCommand('terminal:create-new'),
      execute: args => build(studio, args['name'] as string | undefined)
    });
    for (const command of [CommandIDs.openImages, CommandIDs.buildImage]) {
      palette?.addItem({
        command,
        category: trans.__('Studio'),
        args: { isPalette: true }
      });
    }
  }
};

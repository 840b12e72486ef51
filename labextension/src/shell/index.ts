import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';

import { notifyError } from '../core/errors';
import { studioIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';
import { addItemCommands } from './items';
import { type INoticeSettings, Notices } from './notices';
import { StatusItem } from './status';

const ID = 'jupyter-ml-studio:shell';
const TUTORIALS = ['salary', 'bank'];

/** What belongs to no panel: launcher, status bar, notices, context menus, the tutorial. */
export const shell: JupyterFrontEndPlugin<void> = {
  id: ID,
  description:
    'Adds Studio to the launcher, the status bar and the menus, and tells of failed jobs.',
  autoStart: true,
  requires: [IStudio],
  optional: [
    ILauncher,
    ICommandPalette,
    IStatusBar,
    ISettingRegistry,
    IDefaultFileBrowser
  ],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    launcher: ILauncher | null,
    palette: ICommandPalette | null,
    statusBar: IStatusBar | null,
    settings: ISettingRegistry | null,
    files: IDefaultFileBrowser | null
  ): void => {
    const { commands } = app;
    const { trans } = studio;
    addItemCommands(app, studio);
    commands.addCommand(CommandIDs.openTutorial, {
      label: args =>
        args['isLauncher']
          ? trans.__('Tutorial')
          : trans.__('Open Tutorial Notebook'),
      caption: trans.__(
        'Copy a notebook that trains, deploys and predicts, and open it'
      ),
      icon: args => (args['isPalette'] ? undefined : studioIcon),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            name: {
              type: 'string',
              enum: TUTORIALS,
              description: 'Which one; salary when absent.'
            }
          }
        }
      },
      execute: async args => {
        const { openTutorial } = await import('./tutorial');
        const folder = files?.model.path ?? '';
        const name = (args['name'] as string | undefined) ?? TUTORIALS[0];
        try {
          await openTutorial(app, name, folder);
        } catch (error) {
          notifyError(trans.__('The tutorial could not be copied'), error);
        }
      }
    });
    const category = trans.__('Studio');
    palette?.addItem({
      command: CommandIDs.openTutorial,
      category,
      args: { isPalette: true }
    });
    const cards = [
      CommandIDs.newJob,
      CommandIDs.newProcessingJob,
      CommandIDs.newTransformJob,
      CommandIDs.deploy,
      CommandIDs.openData,
      CommandIDs.openExperiments,
      CommandIDs.compare,
      CommandIDs.openCompute,
      CommandIDs.openTutorial
    ];
    cards.forEach((command, rank) =>
      launcher?.add({ command, category, rank, args: { isLauncher: true } })
    );
    statusBar?.registerStatusItem(ID, {
      item: new StatusItem(studio),
      align: 'left',
      rank: 90
    });
    const notices = new Notices(studio);
    void settings?.load(ID).then(loaded => {
      const apply = () =>
        notices.configure(loaded.composite as unknown as INoticeSettings);
      loaded.changed.connect(apply);
      apply();
    });
  }
};

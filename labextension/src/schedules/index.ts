import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { scheduleIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';

const NAMES = {
  type: 'object',
  properties: { names: { type: 'array', items: { type: 'string' } } },
  required: ['names']
};

/** The list of schedules, and what can be done with them. */
export const schedules: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:schedules',
  description: 'Lists schedules; pauses, starts, changes and deletes them.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null
  ): void => {
    const { commands } = app;
    const { trans } = studio;
    studio.documents.register(
      {
        command: CommandIDs.openSchedules,
        label: trans.__('Schedules'),
        caption: trans.__('What starts by the clock: next times and outcomes'),
        icon: scheduleIcon,
        properties: {
          filter: { type: 'string', description: 'Part of a name.' },
          selected: {
            type: 'string',
            description: 'The schedule that is shown beside the list.'
          },
          sort: { type: 'string' },
          descending: { type: 'boolean' },
          widths: { type: 'object' }
        },
        key: () => '',
        title: () => trans.__('Schedules'),
        page: async () => (await import('./page')).SchedulesPage
      },
      studio
    );
    commands.addCommand(CommandIDs.scheduleJob, {
      label: trans.__('Schedule a Job…'),
      caption: trans.__('Make a job again and again'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            kind: {
              type: 'string',
              description: trans.__('Of which jobs; training jobs when absent.')
            },
            name: {
              type: 'string',
              description: trans.__('Name of a job that is like it.')
            }
          },
          required: ['name']
        }
      },
      isVisible: args => 'name' in args,
      execute: async args => {
        const { scheduleJob } = await import('./new');
        const { kind = '', name } = args as { kind?: string; name: string };
        await scheduleJob(studio, kind, name);
      }
    });
    commands.addCommand(CommandIDs.runSchedule, {
      label: trans.__('Run Now'),
      caption: trans.__('Start what a schedule starts, now and once'),
      describedBy: {
        args: {
          type: 'object',
          properties: { name: { type: 'string' } },
          required: ['name']
        }
      },
      execute: async args =>
        (await import('./actions')).runNow(studio, args['name'] as string)
    });
    for (const enabled of [false, true]) {
      const command = enabled
        ? CommandIDs.resumeSchedules
        : CommandIDs.pauseSchedules;
      commands.addCommand(command, {
        label: enabled
          ? trans.__('Resume Schedules')
          : trans.__('Pause Schedules'),
        caption: enabled
          ? trans.__('Let schedules go on; the times of the pause are over')
          : trans.__('Let schedules start nothing for a while'),
        describedBy: { args: NAMES },
        execute: async args => {
          const { setEnabled } = await import('./actions');
          await setEnabled(studio, args['names'] as string[], enabled);
        }
      });
    }
    commands.addCommand(CommandIDs.deleteSchedules, {
      label: trans.__('Delete Schedules…'),
      caption: trans.__('Delete schedules; the jobs they started are kept'),
      describedBy: { args: NAMES },
      execute: async args => {
        const { deleteSchedules } = await import('./actions');
        await deleteSchedules(studio, args['names'] as string[]);
      }
    });
    palette?.addItem({
      command: CommandIDs.openSchedules,
      category: trans.__('Studio'),
      args: { isPalette: true }
    });
  }
};

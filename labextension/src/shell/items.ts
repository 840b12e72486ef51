import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { queryOf } from '../experiments/model';
import { type IJobKind, JOB_KINDS } from '../jobs/kinds';
import { CommandIDs, type IStudio } from '../tokens';

/** The thing that a context menu was opened on, as its element says in `data-studio-…`. */
export interface IItem {
  /** job, model, schedule, bucket, object …; the name of data is a URI. */
  kind: string;
  name: string;
  status: string;
  /** All that are selected, if this one is among them. */
  names: string[];
}

type Run = [string, ReadonlyPartialJSONObject];

interface IItemCommand {
  id: string;
  label: string;
  /** What it runs for the item; null where it makes no sense. */
  run: (item: IItem) => Run | null;
}

const JOBS: Record<string, IJobKind> = Object.fromEntries(
  JOB_KINDS.map(each => [each.item, each])
);
const WORKING = ['InProgress', 'Stopping'];

/**
 * Commands for the context menus of `schema/shell.json`: each finds the thing under the menu and
 * runs the command of the panel that can do it.
 */
export function addItemCommands(app: JupyterFrontEnd, studio: IStudio): void {
  for (const { id, label, run } of itemCommands(studio)) {
    const now = (): Run | null => {
      const item = itemUnder(app);
      return item && run(item);
    };
    const options: CommandRegistry.ICommandOptions = {
      label,
      describedBy: { args: { type: 'object', properties: {} } },
      isVisible: () => {
        const found = now();
        return found !== null && app.commands.hasCommand(found[0]);
      },
      execute: () => {
        const found = now();
        return found && app.commands.execute(...found);
      }
    };
    app.commands.addCommand(id, options);
  }
  app.commands.addCommand('studio:copy-item', {
    label: studio.trans.__('Copy Name or URI'),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => Clipboard.copyToSystem(itemUnder(app)?.name ?? '')
  });
}

/** What each command of a context menu runs. */
export function itemCommands(studio: IStudio): IItemCommand[] {
  const { trans } = studio;
  return [
    { id: 'studio:open-item', label: trans.__('Open'), run: opened },
    {
      id: 'studio:clone-item',
      label: trans.__('Clone…'),
      run: ({ kind, name }) =>
        kind in JOBS ? [JOBS[kind].form, { from: name }] : null
    },
    {
      id: 'studio:schedule-item',
      label: trans.__('Schedule…'),
      run: ({ kind, name }) =>
        kind in JOBS && JOBS[kind].scheduled
          ? [CommandIDs.scheduleJob, { kind: JOBS[kind].kind, name }]
          : null
    },
    {
      id: 'studio:train-item',
      label: trans.__('Train on This…'),
      run: ({ kind, name }) =>
        ['bucket', 'folder', 'object'].includes(kind) && !isModel(name)
          ? [CommandIDs.newJob, { channel: name }]
          : null
    },
    { id: 'studio:deploy-item', label: trans.__('Deploy…'), run: deployed },
    {
      id: 'studio:insert-item',
      label: trans.__('Insert into Notebook'),
      run: ({ kind, name }) =>
        ['job', 'model', 'endpoint', 'object', 'component'].includes(kind)
          ? [CommandIDs.insertLoader, { kind, name }]
          : null
    },
    {
      id: 'studio:run-item',
      label: trans.__('Run Now'),
      run: ({ kind, name }) =>
        kind === 'schedule' ? [CommandIDs.runSchedule, { name }] : null
    },
    {
      id: 'studio:pause-item',
      label: trans.__('Pause'),
      run: ({ kind, names, status }) =>
        kind === 'schedule' && status === 'ENABLED'
          ? [CommandIDs.pauseSchedules, { names }]
          : null
    },
    {
      id: 'studio:resume-item',
      label: trans.__('Resume'),
      run: ({ kind, names, status }) =>
        kind === 'schedule' && status === 'DISABLED'
          ? [CommandIDs.resumeSchedules, { names }]
          : null
    },
    {
      id: 'studio:stop-item',
      label: trans.__('Stop…'),
      run: ({ kind, names, status }) =>
        kind in JOBS && (WORKING.includes(status) || names.length > 1)
          ? [CommandIDs.stopJobs, { kind: JOBS[kind].kind, names }]
          : null
    },
    { id: 'studio:delete-item', label: trans.__('Delete…'), run: deleted }
  ];
}

function opened({ kind, name }: IItem): Run | null {
  const { bucket, prefix } = place(name);
  const runs: Record<string, Run> = {
    job: [CommandIDs.openJob, { name }],
    'processing-job': [CommandIDs.openProcessingJob, { name }],
    'transform-job': [CommandIDs.openTransformJob, { name }],
    model: [CommandIDs.openModel, { name }],
    endpoint: [CommandIDs.openEndpoint, { name }],
    component: [CommandIDs.openComponent, { name }],
    schedule: [CommandIDs.openSchedules, { selected: name }],
    experiment: [CommandIDs.compare, { query: queryOf(name) }],
    bucket: [CommandIDs.openObjects, { bucket, prefix }],
    folder: [CommandIDs.openObjects, { bucket, prefix }],
    object: [CommandIDs.openData, { uri: name }]
  };
  return runs[kind] ?? null;
}

function deployed({ kind, name, status }: IItem): Run | null {
  if (kind === 'model') {
    return [CommandIDs.deploy, { model: name }];
  }
  if (kind === 'job' && status === 'Completed') {
    return [CommandIDs.deploy, { job: name }];
  }
  return kind === 'object' && isModel(name)
    ? [CommandIDs.deploy, { data: name }]
    : null;
}

function deleted({ kind, names, status }: IItem): Run | null {
  const runs: Record<string, Run> = {
    model: [CommandIDs.deleteModels, { names }],
    endpoint: [CommandIDs.deleteEndpoints, { names }],
    schedule: [CommandIDs.deleteSchedules, { names }],
    experiment: [CommandIDs.deleteExperiments, { names }]
  };
  const over = !WORKING.includes(status) || names.length > 1;
  if (kind in JOBS && JOBS[kind].remove && over) {
    return [CommandIDs.deleteJobs, { kind: JOBS[kind].kind, names }];
  }
  return runs[kind] ?? null;
}

function itemUnder(app: JupyterFrontEnd): IItem | null {
  const node = app.contextMenuHitTest(
    each => each.dataset?.['studioKind'] !== undefined
  );
  if (!node) {
    return null;
  }
  const { studioKind, studioName, studioStatus, studioNames } = node.dataset;
  const name = studioName ?? '';
  return {
    kind: studioKind ?? '',
    name,
    status: studioStatus ?? '',
    names: studioNames ? (JSON.parse(studioNames) as string[]) : [name]
  };
}

function place(uri: string): { bucket: string; prefix: string } {
  const [bucket, ...rest] = uri.replace(/^s3:\/\//, '').split('/');
  return { bucket, prefix: rest.join('/') };
}

function isModel(uri: string): boolean {
  return uri.endsWith('.tar.gz');
}

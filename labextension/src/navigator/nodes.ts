import type { TranslationBundle } from '@jupyterlab/translation';
import { fileIcon, folderIcon, type LabIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { bytes } from '../components/format';
import type { Live } from '../core/live';
import { bucketIcon, computeIcon, imageIcon } from '../icons';
import { CommandIDs, type IDragged } from '../tokens';
import type { studio } from '../wire';
import { type IBranchTexts, texts } from './branches';
import { type Branch, MOST_ROWS, type NavigatorModel } from './model';

/** One line of the tree. */
export interface INode {
  id: string;
  level: number;
  label: string;
  icon?: LabIcon;
  /** What context menus ask for: job, model, endpoint, bucket, folder or object. */
  kind?: string;
  name?: string;
  status?: string;
  /** Its status has no dot: context menus ask for it. */
  quiet?: boolean;
  /** More about it, for the tip. */
  detail?: string;
  /** What stands at the right. */
  aside?: string;
  /** When it was made, in milliseconds: stands at the right as people say it. */
  at?: number;
  expanded?: boolean;
  open?: [string, ReadonlyPartialJSONObject];
  dragged?: IDragged;
  /** It says something, and is no thing. */
  remark?: boolean;
}

const MOST_KEYS = 100;
const STATUSLESS: Branch[] = [
  'model',
  'model-package-group',
  'experiment',
  'schedule'
];
// What a notebook has a loader for.
const CARRIED: Branch[] = ['training-job', 'model', 'endpoint'];
const PAUSED = 'DISABLED';

/** The lines of the tree as it is open now. */
export function nodes(
  model: NavigatorModel,
  trans: TranslationBundle
): INode[] {
  return [
    ...data(model, trans),
    ...branch(model, trans, 'training-job'),
    ...branch(model, trans, 'processing-job'),
    ...branch(model, trans, 'transform-job'),
    ...branch(model, trans, 'schedule'),
    ...branch(model, trans, 'experiment'),
    ...branch(model, trans, 'model'),
    ...branch(model, trans, 'model-package-group'),
    ...branch(model, trans, 'endpoint'),
    machine(model, trans),
    {
      id: 'images',
      level: 1,
      label: trans.__('Images'),
      icon: imageIcon,
      open: [CommandIDs.openImages, {}]
    }
  ];
}

/** The machine: whether it works, and how many wait for it. */
function machine(model: NavigatorModel, trans: TranslationBundle): INode {
  const load = model.capacity.value;
  return {
    id: 'compute',
    level: 1,
    label: trans.__('Compute'),
    icon: computeIcon,
    status: load?.RunningJobs ? 'InProgress' : undefined,
    aside: load?.Waiting
      ? trans._n(
          '%1 waits',
          '%1 wait',
          load.Waiting,
          load.Waiting.toLocaleString()
        )
      : undefined,
    detail: load && trans._n('%1 job runs', '%1 jobs run', load.RunningJobs),
    open: [CommandIDs.openCompute, {}]
  };
}

function branch(
  model: NavigatorModel,
  trans: TranslationBundle,
  kind: Branch
): INode[] {
  const text = texts(trans)[kind];
  const expanded = model.isExpanded(kind);
  const count = model.count(kind);
  const found = model.rows(kind)?.value;
  const root: INode = {
    id: kind,
    level: 1,
    label: text.label,
    icon: text.icon,
    status: worst(count),
    detail: statuses(count),
    aside: counted(count?.Total, model.filter ? found?.total : undefined),
    expanded,
    open: all(model, kind, text)
  };
  return expanded
    ? [root, ...leaves(model, trans, kind, text, count?.Total)]
    : [root];
}

function leaves(
  model: NavigatorModel,
  trans: TranslationBundle,
  kind: Branch,
  text: IBranchTexts,
  total: number | undefined
): INode[] {
  const live = model.rows(kind);
  const found = live?.value;
  if (!found) {
    return [pending(kind, 2, live, trans)];
  }
  const lines: INode[] = found.rows.map(row => leaf(kind, text, row, trans));
  if (!lines.length && !total) {
    return [{ ...remark(kind, 2, text.none), open: text.first }];
  }
  if (!lines.length) {
    return [remark(kind, 2, trans.__('None is called like that'))];
  }
  if (found.total > MOST_ROWS) {
    const more = trans.__(
      '%1 of %2: show all…',
      lines.length,
      found.total.toLocaleString()
    );
    lines.push({ ...remark(kind, 2, more), open: all(model, kind, text) });
  }
  return lines;
}

/** Opens the table with what the tree is filtered by. */
function all(
  { filter }: NavigatorModel,
  kind: Branch,
  text: IBranchTexts
): NonNullable<INode['open']> {
  const name = kind.endsWith('-job') ? 'text' : 'filter';
  return [text.table, filter ? { [name]: filter } : {}];
}

function leaf(
  kind: Branch,
  text: IBranchTexts,
  row: studio.ResourceRow,
  trans: TranslationBundle
): INode {
  return {
    id: `${kind}/${row.Name}`,
    level: 2,
    label: row.DisplayName ?? row.Name,
    kind: text.kind,
    name: row.Name,
    status: row.Status,
    // Models and experiments have no status that says anything, schedules two of their own.
    quiet: STATUSLESS.includes(kind),
    detail: row.FailureReason ?? row.StatusMessage ?? row.Description,
    ...(kind === 'schedule'
      ? { aside: row.Status === PAUSED ? trans.__('paused') : undefined }
      : { at: row.CreationTime * 1000 }),
    open: text.page(row.Name),
    ...(CARRIED.includes(kind) && {
      dragged: { kind: text.kind as IDragged['kind'], name: row.Name }
    })
  };
}

function data(model: NavigatorModel, trans: TranslationBundle): INode[] {
  const live = model.buckets;
  const wanted = model.filter.toLowerCase();
  const every = live?.value;
  const found = every?.filter(each => each.name.includes(wanted));
  const expanded = model.isExpanded('data');
  const root: INode = {
    id: 'data',
    level: 1,
    label: trans.__('Data'),
    icon: bucketIcon,
    aside: counted(every?.length, wanted ? found?.length : undefined),
    expanded,
    open: [CommandIDs.openObjects, {}]
  };
  if (!expanded) {
    return [root];
  }
  if (!found) {
    return [root, pending('data', 2, live, trans)];
  }
  if (!found.length) {
    const none = every!.length
      ? remark('data', 2, trans.__('None is called like that'))
      : remark('data', 2, trans.__('No bucket yet: make the first…'));
    return [
      root,
      every!.length ? none : { ...none, open: [CommandIDs.openObjects, {}] }
    ];
  }
  return [
    root,
    ...found.flatMap(each => place(model, trans, each.name, '', 2))
  ];
}

/** A bucket or a folder, and what lies in it if it is open. */
function place(
  model: NavigatorModel,
  trans: TranslationBundle,
  bucket: string,
  prefix: string,
  level: number
): INode[] {
  const path = prefix ? `${bucket}/${prefix}` : bucket;
  const expanded = model.isExpanded(`data/${path}`);
  const uri = `s3://${bucket}/${prefix}`;
  const self: INode = {
    id: `data/${path}`,
    level,
    label: prefix ? last(prefix) : bucket,
    icon: prefix ? folderIcon : bucketIcon,
    kind: prefix ? 'folder' : 'bucket',
    name: uri,
    detail: uri,
    expanded,
    open: [CommandIDs.openObjects, { bucket, prefix }],
    dragged: { kind: 'object', name: uri }
  };
  if (!expanded) {
    return [self];
  }
  const live = model.folder(path);
  const found = live?.value;
  if (!found) {
    return [self, pending(path, level + 1, live, trans)];
  }
  const below = found.folders
    .slice(0, MOST_KEYS)
    .flatMap(each => place(model, trans, bucket, each, level + 1));
  const objects = found.objects
    .filter(each => each.key !== prefix)
    .slice(0, MOST_KEYS)
    .map(each => object(bucket, each.key, each.size, each.modified, level + 1));
  const lines = [...below, ...objects];
  const all = found.folders.length + found.objects.length;
  if (!lines.length) {
    lines.push(remark(path, level + 1, trans.__('Empty')));
  } else if (
    found.next ||
    found.folders.length > MOST_KEYS ||
    found.objects.length > MOST_KEYS
  ) {
    const more = found.next
      ? trans.__('The first of more than %1: show all…', all.toLocaleString())
      : trans.__('The first of %1: show all…', all.toLocaleString());
    lines.push({ ...remark(path, level + 1, more), open: self.open });
  }
  return [self, ...lines];
}

function object(
  bucket: string,
  key: string,
  size: number,
  at: number,
  level: number
): INode {
  const uri = `s3://${bucket}/${key}`;
  return {
    id: `data/${bucket}/${key}`,
    level,
    label: last(key),
    icon: fileIcon,
    kind: 'object',
    name: uri,
    detail: `${uri}\n${new Date(at).toLocaleString()}`,
    aside: bytes(size),
    open: [CommandIDs.openData, { uri }],
    dragged: { kind: 'object', name: uri }
  };
}

function remark(parent: string, level: number, label: string): INode {
  return { id: `remark:${parent}`, level, label, remark: true };
}

function pending(
  parent: string,
  level: number,
  live: Live<unknown> | undefined,
  trans: TranslationBundle
): INode {
  const failed = live && live.error !== null && !live.loading;
  const text = failed ? trans.__('Not available') : trans.__('Loading…');
  return remark(parent, level, text);
}

/** "12", or "3 of 12" where a filter hides some. */
function counted(
  total: number | undefined,
  shown: number | undefined
): string | undefined {
  if (total === undefined) {
    return undefined;
  }
  const all = total.toLocaleString();
  return shown === undefined || shown === total
    ? all
    : `${shown.toLocaleString()}/${all}`;
}

/** The status that a branch shows while it is closed: what goes on now. */
function worst(count: studio.ResourceCount | undefined): string | undefined {
  const by = count?.CountsByStatus ?? {};
  return ['InProgress', 'Stopping', 'Creating', 'Updating', 'Deleting'].find(
    status => by[status]
  );
}

function statuses(count: studio.ResourceCount | undefined): string | undefined {
  return (
    count &&
    Object.entries(count.CountsByStatus)
      .map(([status, number]) => `${status || '–'}: ${number.toLocaleString()}`)
      .join('\n')
  );
}

/** The last part of a key; of a folder with its "/". */
function last(key: string): string {
  return key.slice(key.lastIndexOf('/', key.length - 2) + 1);
}

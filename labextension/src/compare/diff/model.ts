import type { TranslationBundle } from '@jupyterlab/translation';

import { duration, number } from '../../components/format';
import type { studio } from '../../wire';
import { byName } from '../../components/names';

/** One value of one component. */
export interface ICell {
  text: string;
  number?: number;
}

/** A line of the diff: a section's head, or one thing with its value in every component. */
export interface IDiffRow {
  id: string;
  section: string;
  label: string;
  /** One a component, in their order; absent where a component has none. */
  cells: (ICell | undefined)[];
  /** Whether all components have the same. */
  same: boolean;
  /** Of a head: how many of its lines differ, and how many there are. */
  counts?: { differing: number; total: number };
}

/** A text of a component that is compared line by line. */
export interface IText {
  id: string;
  label: string;
  text: string;
}

type Detail = studio.TrialComponentDetail;
type Values = [label: string, cell: ICell | undefined][];

/** All that components have, as lines: sections one after another, each led by its head. */
export function diffRows(
  details: Detail[],
  trans: TranslationBundle
): IDiffRow[] {
  const sections: [string, string, (detail: Detail) => Values][] = [
    ['general', trans.__('General'), detail => general(detail, trans)],
    ['parameters', trans.__('Parameters'), parameters],
    ['metrics', trans.__('Metrics'), it => metrics(it, false)],
    ['tags', trans.__('Tags'), tags],
    ['inputs', trans.__('Inputs'), it => artifacts(it.InputArtifacts)],
    ['outputs', trans.__('Outputs'), it => artifacts(it.OutputArtifacts)],
    ['code', trans.__('Code'), detail => code(detail, trans)],
    ['environment', trans.__('Environment'), environment],
    ['packages', trans.__('Packages'), packages],
    ['system', trans.__('Machine'), it => metrics(it, true)]
  ];
  return sections.flatMap(([id, label, values]) =>
    sectionOf(id, label, details.map(values))
  );
}

/** Those that differ, with the heads of their sections; the heads alone of sections that are closed. */
export function visibleRows(
  rows: IDiffRow[],
  options: { hideSame: boolean; closed: ReadonlySet<string>; find: string }
): IDiffRow[] {
  const wanted = options.find.toLowerCase();
  const fits = (row: IDiffRow) =>
    !row.counts &&
    (!options.hideSame || !row.same) &&
    (!wanted ||
      row.label.toLowerCase().includes(wanted) ||
      row.cells.some(cell => cell?.text.toLowerCase().includes(wanted)));
  const led = new Set(rows.filter(fits).map(row => row.section));
  return rows.filter(row =>
    row.counts
      ? led.has(row.section)
      : fits(row) && !options.closed.has(row.section)
  );
}

/** The index of the next line that differs, after or before one, round the ends; -1 for none. */
export function nextDifference(
  rows: IDiffRow[],
  from: number,
  forward: boolean
): number {
  const count = rows.length;
  for (let i = 1; i <= count; i++) {
    const at = (from + (forward ? i : count - i) + count) % count;
    if (!rows[at].counts && !rows[at].same) {
      return at;
    }
  }
  return -1;
}

/** Places of the least and the greatest number of a line; null where they are all the same or few. */
export function extremes(
  row: IDiffRow
): { least: number; greatest: number } | null {
  if (row.same || row.section !== 'metrics') {
    return null;
  }
  const numbers = row.cells.map(cell => cell?.number ?? NaN);
  const finite = numbers.filter(Number.isFinite);
  const [least, greatest] = [Math.min(...finite), Math.max(...finite)];
  return finite.length > 1 && least < greatest
    ? { least: numbers.indexOf(least), greatest: numbers.indexOf(greatest) }
    : null;
}

/** Whether the value at a place is another than that of the first component, the base. */
export function differs(row: IDiffRow, at: number): boolean {
  return at > 0 && row.cells[at]?.text !== row.cells[0]?.text;
}

/** Texts of a component that are compared line by line. */
export function textsOf(detail: Detail, trans: TranslationBundle): IText[] {
  const { Cell: cell, Git: git, Python: python } = detail.Provenance ?? {};
  const list = (python?.Packages ?? []).map(it => `${it.Name}==${it.Version}`);
  return [
    { id: 'cell', label: trans.__('Cell'), text: cell?.Source ?? '' },
    {
      id: 'patch',
      label: trans.__('What was not committed'),
      text: git?.Patch ?? ''
    },
    { id: 'packages', label: trans.__('Packages'), text: list.join('\n') },
    { id: 'note', label: trans.__('Note'), text: detail.Note }
  ];
}

function sectionOf(id: string, label: string, every: Values[]): IDiffRow[] {
  const order = [...new Set(every.flatMap(values => values.map(([it]) => it)))];
  const found = every.map(values => new Map(values));
  const rows = order.map(name => {
    const cells = found.map(values => values.get(name));
    return {
      id: `${id}/${name}`,
      section: id,
      label: name,
      cells,
      same: cells.every(cell => cell?.text === cells[0]?.text)
    };
  });
  const counts = {
    differing: rows.filter(row => !row.same).length,
    total: rows.length
  };
  const head = { id, section: id, label, cells: [], same: true, counts };
  return rows.length ? [head, ...rows] : [];
}

function general(detail: Detail, trans: TranslationBundle): Values {
  const { StartTime: start, EndTime: end } = detail;
  return said([
    [trans.__('Status'), detail.Status],
    [trans.__('Message'), detail.StatusMessage],
    [
      trans.__('Experiments'),
      listed(detail.Trials.map(each => each.ExperimentName))
    ],
    [trans.__('Trials'), listed(detail.Trials.map(each => each.TrialName))],
    [trans.__('Source'), detail.SourceArn],
    [trans.__('Owner'), detail.Owner],
    [trans.__('Started'), start && new Date(1000 * start).toLocaleString()],
    [
      trans.__('Duration'),
      start && end
        ? { text: duration(end - start), number: end - start }
        : undefined
    ],
    [trans.__('Note'), detail.Note],
    [trans.__('Starred'), detail.Starred ? trans.__('yes') : undefined]
  ]);
}

function parameters(detail: Detail): Values {
  return inOrder(Object.entries(detail.Parameters)).map(([name, value]) => [
    name,
    value.NumberValue !== undefined
      ? { text: String(value.NumberValue), number: value.NumberValue }
      : { text: value.StringValue ?? '' }
  ]);
}

/** What was logged, or what the machine said of itself. */
function metrics(detail: Detail, system: boolean): Values {
  const wanted = detail.Metrics.filter(
    each => each.MetricName.startsWith('system/') === system
  );
  const every = wanted.map((each): [string, typeof each] => [
    each.MetricName,
    each
  ]);
  return inOrder(every).flatMap(([name, it]) => {
    const values: Values = [[name, numeric(it.Last)]];
    if (it.Count > 1) {
      values.push([`${name} · min`, numeric(it.Minimum)]);
      values.push([`${name} · max`, numeric(it.Maximum)]);
    }
    return values;
  });
}

function tags(detail: Detail): Values {
  return inOrder(detail.Tags.map(each => [each.Key, { text: each.Value }]));
}

function artifacts(found: Detail['InputArtifacts']): Values {
  return inOrder(
    Object.entries(found).map(([name, it]) => [name, { text: it.Value }])
  );
}

function code(detail: Detail, trans: TranslationBundle): Values {
  const { Path: path, Git: git, Cell: cell } = detail.Provenance ?? {};
  const patch = git?.Patch;
  const lines = (text: string) =>
    trans._n('%1 line', '%1 lines', text.split('\n').length);
  return said([
    [trans.__('File'), path],
    [
      trans.__('Cell'),
      cell?.Source ? `${lines(cell.Source)} #${digest(cell.Source)}` : undefined
    ],
    [trans.__('Repository'), git?.Remote ?? detail.Repository],
    [trans.__('Branch'), git?.Branch],
    [trans.__('Commit'), git?.Commit ?? detail.CommitId],
    [trans.__('Subject'), git?.Subject],
    [
      trans.__('Not committed'),
      patch ? `${lines(patch)} #${digest(patch)}` : undefined
    ]
  ]);
}

/** What lies in these is told by other sections. */
const ELSEWHERE = new Set([
  'Kind',
  'Path',
  'Folder',
  'Cell',
  'Git',
  'RecordedAt'
]);

/** All else that provenance says, however deep: `Python.Version`, `Hardware.CpuModel`. */
function environment(detail: Detail): Values {
  const found: Values = [];
  const walk = (path: string, value: unknown) => {
    if (Array.isArray(value) && value.some(each => typeof each === 'object')) {
      return;
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      Object.entries(value).forEach(([key, each]) =>
        walk(`${path}.${key}`, each)
      );
    } else if (value !== undefined && value !== null && value !== '') {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      found.push([path, { text }]);
    }
  };
  for (const [key, value] of Object.entries(detail.Provenance ?? {})) {
    if (!ELSEWHERE.has(key)) {
      walk(key, value);
    }
  }
  return found;
}

function packages(detail: Detail): Values {
  return inOrder(
    (detail.Provenance?.Python?.Packages ?? []).map(each => [
      each.Name,
      { text: each.Version }
    ])
  );
}

function said(values: [string, ICell | string | number | undefined][]): Values {
  return values
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([label, value]) => [
      label,
      typeof value === 'object' ? value : { text: String(value) }
    ]);
}

function listed(names: string[]): string | undefined {
  return [...new Set(names)].sort().join(', ') || undefined;
}

function numeric(value: number | undefined): ICell | undefined {
  return value === undefined
    ? undefined
    : { text: number(value), number: value };
}

function inOrder<T>(entries: [string, T][]): [string, T][] {
  return entries.sort(([one], [other]) => byName(one, other));
}

/** A short sign by which texts are told from each other. */
function digest(text: string): string {
  let hash = 5381;
  for (let i = 0; i < text.length; i++) {
    hash = (Math.imul(hash, 33) ^ text.charCodeAt(i)) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}

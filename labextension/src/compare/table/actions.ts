import {
  Clipboard,
  Dialog,
  InputDialog,
  Notification,
  showDialog
} from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { confirmed } from '../../core/confirm';
import { notifyError } from '../../core/errors';
import { CommandIDs, type IStudio } from '../../tokens';
import type { studio } from '../../wire';
import { MOST } from '../rows';
import { forgotten, type IViewState } from '../state';
import type { IViewStore } from '../store';

type Changes = Omit<studio.UpdateTrialComponentsRequest, 'Names' | 'Query'>;

const MOST_AT_ONCE = 1000;
const MOST_TOLD = 3;

/** Change marks, tags or trials of components; what failed is told. */
export async function update(
  it: IStudio,
  names: readonly string[],
  changes: Changes
): Promise<void> {
  await each(it, it.trans.__('Not changed'), names, Names =>
    it.client.call('studio', 'UpdateTrialComponents', { Names, ...changes })
  );
}

/** Ask, then delete components; the view keeps nothing of them. */
export async function remove(
  it: IStudio,
  store: IViewStore,
  names: readonly string[]
): Promise<boolean> {
  const { trans } = it;
  const sure = await confirmed(
    trans._n(
      'Delete this trial component?',
      'Delete %1 trial components?',
      names.length
    ),
    trans.__(
      'Their parameters, metrics and tags are deleted and cannot be brought back. Files that they wrote to S3 are kept.'
    ),
    trans.__('Delete'),
    [...names]
  );
  if (sure) {
    await each(it, trans.__('Not deleted'), names, Names =>
      it.client.call('studio', 'DeleteTrialComponents', { Names })
    );
    store.change(forgotten(names));
  }
  return sure;
}

/** Ask for a tag and put it on components. */
export async function addTag(
  it: IStudio,
  names: readonly string[]
): Promise<void> {
  const { trans } = it;
  const { value } = await InputDialog.getText({
    title: titled(it, trans.__('Add a tag'), names),
    label: trans.__('key=value, such as team=risk'),
    pattern: '[^=]+(=.*)?',
    required: true
  });
  if (value) {
    const [Key, ...rest] = value.split('=');
    const Value = rest.join('=').trim();
    await update(it, names, { AddTags: [{ Key: Key.trim(), Value }] });
  }
}

/** Ask for the key of a tag and take it from components. */
export async function removeTag(
  it: IStudio,
  names: readonly string[]
): Promise<void> {
  const { client, trans } = it;
  const { Fields, Total } = await client.call(
    'studio',
    'ListTrialComponentFields',
    { Kinds: ['tag'], Names: names.slice(0, MOST), Limit: MOST_AT_ONCE }
  );
  if (!Total) {
    Notification.info(
      trans._n(
        'The component has no tag.',
        'None of the components has a tag.',
        names.length
      )
    );
    return;
  }
  const { value } = await InputDialog.getItem({
    title: titled(it, trans.__('Remove a tag'), names),
    items: Fields.map(({ Name }) => Name),
    editable: true
  });
  if (value) {
    await update(it, names, { RemoveTags: [value] });
  }
}

/** Ask for a trial and put components into it. */
export async function addToTrial(
  it: IStudio,
  names: readonly string[]
): Promise<void> {
  const { client, trans } = it;
  const { TrialSummaries = [] } = await client.call('sagemaker', 'ListTrials', {
    MaxResults: 100,
    SortBy: 'CreationTime',
    SortOrder: 'Descending'
  });
  const { value } = await InputDialog.getItem({
    title: titled(it, trans.__('Add to a trial'), names),
    label: trans.__('The name of a trial; the newest are listed.'),
    items: TrialSummaries.map(each => each.TrialName ?? ''),
    editable: true
  });
  if (value) {
    await update(it, names, { AddToTrial: value });
  }
}

/** Ask for a note in Markdown, which takes the place of the one that there is. */
export async function annotate(
  it: IStudio,
  names: readonly string[],
  note: string
): Promise<void> {
  const { trans } = it;
  const body = new NoteBody(trans.__('Markdown; empty for none'), note);
  const { button, value } = await showDialog({
    title: titled(it, trans.__('Note'), names),
    body,
    focusNodeSelector: 'textarea',
    buttons: [
      Dialog.cancelButton(),
      Dialog.okButton({ label: trans.__('Keep') })
    ]
  });
  if (button.accept) {
    await update(it, names, { Note: value ?? '' });
  }
}

class NoteBody extends Widget implements Dialog.IBodyWidget<string> {
  constructor(label: string, text: string) {
    super();
    this.addClass('jp-StudioTable-note');
    const head = document.createElement('label');
    head.textContent = label;
    this._area.value = text;
    this._area.rows = 8;
    head.appendChild(this._area);
    this.node.appendChild(head);
  }

  getValue(): string {
    return this._area.value;
  }

  private _area = document.createElement('textarea');
}

/** Put a cell into a notebook that reads what the table shows into a DataFrame. */
export function openInNotebook(
  it: IStudio,
  view: Pick<IViewState, 'query' | 'names'>,
  fields: readonly string[]
): void {
  const code = frameCode(view, fields);
  void it.commands.execute(CommandIDs.insertCode, { code });
}

/** Python that reads the components of a view. */
export function frameCode(
  { query, names }: Pick<IViewState, 'query' | 'names'>,
  fields: readonly string[]
): string {
  const listed = (name: string, texts: readonly string[]) => [
    `    ${name}=[`,
    ...texts.map(text => `        ${JSON.stringify(text)},`),
    '    ],'
  ];
  return [
    'import studio',
    '',
    'df = studio.query(',
    `    ${JSON.stringify(query)},`,
    ...listed('fields', fields),
    ...(names ? listed('names', names) : []),
    ')',
    'df'
  ].join('\n');
}

/** Copy lines of cells in the form that spreadsheets take. */
export function copyCells(rows: readonly (readonly string[])[]): void {
  const text = rows
    .map(row => row.map(cell => cell.replace(/[\t\r\n]+/g, ' ')).join('\t'))
    .join('\n');
  Clipboard.copyToSystem(text);
}

async function each(
  it: IStudio,
  failed: string,
  names: readonly string[],
  act: (names: string[]) => Promise<{ Errors: studio.TrialComponentError[] }>
): Promise<void> {
  const errors: studio.TrialComponentError[] = [];
  try {
    for (let at = 0; at < names.length; at += MOST_AT_ONCE) {
      const found = await act(names.slice(at, at + MOST_AT_ONCE));
      errors.push(...found.Errors);
    }
  } catch (error) {
    notifyError(failed, error);
  }
  if (errors.length) {
    const texts = errors
      .slice(0, MOST_TOLD)
      .map(({ Name, Message }) => `${Name}: ${Message}`);
    const rest = errors.length - texts.length;
    notifyError(
      failed,
      texts.join(' ') + (rest ? it.trans.__(' … and %1 more', rest) : '')
    );
  }
}

function titled(
  { trans }: IStudio,
  title: string,
  names: readonly string[]
): string {
  return names.length === 1
    ? `${title}: ${names[0]}`
    : `${title}: ${trans.__('%1 components', names.length.toLocaleString())}`;
}

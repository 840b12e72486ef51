import type {
  Completion,
  CompletionContext,
  CompletionResult
} from '@codemirror/autocomplete';
import type { TranslationBundle } from '@jupyterlab/translation';

import { number } from '../../components/format';
import type { Client } from '../../core/client';
import type { studio } from '../../wire';
import { quoted } from './tokens';
import { KINDS, type Wanted, wantedAt } from './wanted';

const MOST = 100;
const WORDS = ['and', 'or', 'not', 'in', 'is None', 'True', 'False', 'None'];
const FUNCTIONS = [
  'has',
  'ago',
  'abs',
  'ceil',
  'exp',
  'floor',
  'len',
  'log',
  'log10',
  'max',
  'min',
  'sqrt'
];
const ASPECTS = [
  'last',
  'min',
  'max',
  'mean',
  'std',
  'count',
  'step',
  'time',
  'min_step',
  'max_step'
];
const TESTS = [
  'contains',
  'startswith',
  'endswith',
  'matches',
  'lower',
  'upper'
];

/** What completes a query where the cursor is: fields and values as the server has them. */
export async function complete(
  client: Client,
  trans: TranslationBundle,
  context: CompletionContext
): Promise<CompletionResult | null> {
  const wanted = wantedAt(context.state.doc.toString(), context.pos);
  if (!wanted || (!context.explicit && quiet(wanted))) {
    return null;
  }
  const options = await optionsFor(client, trans, wanted);
  return context.aborted ? null : { from: wanted.from, options, filter: false };
}

/** The completions of a place. */
export async function optionsFor(
  client: Client,
  trans: TranslationBundle,
  wanted: Wanted
): Promise<Completion[]> {
  switch (wanted.what) {
    case 'field':
      return fields(client, trans, wanted.typed, [KINDS[wanted.kind]]);
    case 'aspect':
      return [
        ...(wanted.kind === 'metric' ? named(ASPECTS, 'property') : []),
        ...(wanted.kind === 'metric' ? [] : calls(TESTS, 'method'))
      ].filter(each => each.label.startsWith(wanted.typed));
    case 'value':
      return values(client, trans, wanted.field, wanted.typed);
    case 'any':
      return [
        ...(await fields(client, trans, wanted.typed)),
        ...[...calls(FUNCTIONS, 'function'), ...named(WORDS, 'keyword')].filter(
          each => wanted.typed && each.label.startsWith(wanted.typed)
        )
      ];
  }
}

/** Where nothing is typed yet, only values are offered unasked. */
function quiet(wanted: Wanted): boolean {
  return wanted.what === 'any' && !wanted.typed;
}

async function fields(
  client: Client,
  trans: TranslationBundle,
  typed: string,
  kinds?: string[]
): Promise<Completion[]> {
  const { Fields, Total } = await client.call(
    'studio',
    'ListTrialComponentFields',
    {
      ...(typed && { Contains: typed }),
      ...(kinds && { Kinds: kinds }),
      Limit: MOST
    }
  );
  const found = Fields.map(each => ({
    label: each.Field,
    type: each.Kind === 'attribute' ? 'variable' : 'property',
    detail: describe(each, trans),
    // What begins as it is typed comes first.
    boost: each.Name.startsWith(typed) ? 1 : 0
  }));
  found.sort((a, b) => b.boost - a.boost);
  return Total > Fields.length
    ? [...found, rest(trans, Fields.length, Total)]
    : found;
}

function describe(
  field: studio.TrialComponentField,
  trans: TranslationBundle
): string {
  const range =
    field.Minimum !== undefined &&
    field.Maximum !== undefined &&
    field.Type === 'Number'
      ? `${number(field.Minimum)} … ${number(field.Maximum)} · `
      : '';
  return `${range}${trans.__('%1 with a value', field.Components.toLocaleString())}`;
}

async function values(
  client: Client,
  trans: TranslationBundle,
  field: string,
  typed: string
): Promise<Completion[]> {
  const { Fields } = await client.call('studio', 'ListTrialComponentFields', {
    Fields: [field],
    Values: true
  });
  return (Fields[0]?.Values ?? [])
    .filter(each => each.Text.toLowerCase().includes(typed.toLowerCase()))
    .map(each => ({
      label: quoted(each.Text),
      type: 'constant',
      detail: trans._n('%1 component', '%1 components', each.Count)
    }));
}

/** Says that there is more than is offered; it completes nothing. */
function rest(
  trans: TranslationBundle,
  shown: number,
  total: number
): Completion {
  const label = trans.__(
    '%1 of %2: go on typing',
    shown,
    total.toLocaleString()
  );
  return { label, type: 'text', apply: () => undefined, boost: -99 };
}

function named(words: string[], type: string): Completion[] {
  return words.map(label => ({ label, type }));
}

function calls(words: string[], type: string): Completion[] {
  return words.map(label => ({
    label: `${label}()`,
    type,
    apply: (view, _, from, to) =>
      view.dispatch({
        changes: { from, to, insert: `${label}()` },
        selection: { anchor: from + label.length + 1 }
      })
  }));
}

import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  completionStatus
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import {
  bracketMatching,
  StreamLanguage,
  syntaxHighlighting
} from '@codemirror/language';
import { type Diagnostic, linter } from '@codemirror/lint';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, keymap, placeholder, tooltips } from '@codemirror/view';
import {
  jupyterEditorTheme,
  jupyterHighlightStyle
} from '@jupyterlab/codemirror';

import type { IStudio } from '../../tokens';
import type { studio } from '../../wire';
import { complete } from './complete';
import { pastQueries } from './past';
import { first, type IToken, placeOf } from './tokens';

const CHECK_MS = 250;

/** What the editor tells. */
export interface IEditorOptions {
  studio: IStudio;
  label: string;
  hint: string;
  /** Ask this: Enter was pressed. */
  onAsk: (query: string) => void;
  /** The text was checked; no errors when it can be asked. */
  onChecked: (problems: studio.CheckQueryResponse, query: string) => void;
  /** Escape was pressed with nothing to close. */
  onLeave: () => void;
}

/** A line in which a query is written: coloured, completed, errors underlined where they are. */
export function makeEditor(
  parent: HTMLElement,
  text: string,
  options: IEditorOptions
): EditorView {
  return new EditorView({
    parent,
    state: EditorState.create({ doc: text, extensions: extensions(options) })
  });
}

/** Show another text, unless it is there. */
export function showText(view: EditorView, text: string): void {
  if (view.state.doc.toString() !== text) {
    view.dispatch({
      changes: { from: 0, to: view.state.doc.length, insert: text },
      selection: { anchor: text.length }
    });
  }
}

function extensions(options: IEditorOptions): Extension {
  const { client, trans } = options.studio;
  return [
    keymap.of([
      { key: 'Tab', run: acceptCompletion },
      ...completionKeymap,
      ...keys(options),
      ...closeBracketsKeymap,
      ...historyKeymap,
      ...defaultKeymap
    ]),
    history(),
    bracketMatching(),
    closeBrackets(),
    EditorView.lineWrapping,
    EditorState.transactionFilter.of(oneLine),
    EditorView.contentAttributes.of({
      tabindex: '0',
      'aria-label': options.label,
      'aria-multiline': 'false'
    }),
    placeholder(options.hint),
    StreamLanguage.define(LANGUAGE),
    syntaxHighlighting(jupyterHighlightStyle),
    jupyterEditorTheme,
    // A pane clips what is too large for it: the lists lie above everything.
    tooltips({ parent: document.body }),
    autocompletion({
      override: [context => complete(client, trans, context)],
      icons: false,
      tooltipClass: () => 'jp-StudioQuery-tip'
    }),
    linter(view => check(view, options), { delay: CHECK_MS })
  ];
}

/** Line ends become blanks: a query that is pasted may have some. */
function oneLine(
  transaction: Parameters<
    Parameters<typeof EditorState.transactionFilter.of>[0]
  >[0]
) {
  if (!transaction.docChanged || transaction.newDoc.lines === 1) {
    return transaction;
  }
  const flat = transaction.newDoc.toString().replace(/\s*\n\s*/g, ' ');
  return {
    changes: { from: 0, to: transaction.startState.doc.length, insert: flat },
    selection: {
      anchor: Math.min(flat.length, transaction.newSelection.main.head)
    }
  };
}

function keys(options: IEditorOptions) {
  // -1: the text that is written now; others are of the past, the newest first.
  let at = -1;
  let draft = '';
  const step = (by: number) => (view: EditorView) => {
    if (completionStatus(view.state) === 'active') {
      return false;
    }
    const past = pastQueries();
    draft = at < 0 ? view.state.doc.toString() : draft;
    const to = Math.max(-1, Math.min(past.length - 1, at + by));
    if (to !== at) {
      at = to;
      showText(view, at < 0 ? draft : past[at]);
    }
    return true;
  };
  return [
    {
      key: 'Enter',
      run: (view: EditorView) => {
        at = -1;
        options.onAsk(view.state.doc.toString().trim());
        return true;
      }
    },
    { key: 'ArrowUp', run: step(1) },
    { key: 'ArrowDown', run: step(-1) },
    {
      key: 'Escape',
      run: () => {
        options.onLeave();
        return true;
      }
    }
  ];
}

/** What is wrong with the text, where it is wrong. */
async function check(
  view: EditorView,
  options: IEditorOptions
): Promise<Diagnostic[]> {
  const text = view.state.doc.toString();
  const found = await checked(options.studio, text);
  if (view.state.doc.toString() !== text) {
    return [];
  }
  options.onChecked(found, text);
  return diagnostics(text, found);
}

/** What the server says of a query; nothing where it does not answer. */
export async function checked(
  { client }: IStudio,
  text: string
): Promise<studio.CheckQueryResponse> {
  const none = { Errors: [], Warnings: [], Fields: [] };
  return text.trim()
    ? client.call('studio', 'CheckQuery', { Query: text }).catch(() => none)
    : none;
}

/** Problems as the editor marks them: never of no width, so that each can be seen. */
export function diagnostics(
  text: string,
  found: studio.CheckQueryResponse
): Diagnostic[] {
  const mark =
    (severity: Diagnostic['severity']) => (it: studio.QueryProblem) => {
      const from = Math.min(
        placeOf(text, it.Start),
        Math.max(0, text.length - 1)
      );
      const to = Math.min(
        text.length,
        Math.max(placeOf(text, it.End), from + 1)
      );
      return { from, to, severity, message: it.Message };
    };
  return [
    ...found.Errors.map(mark('error')),
    ...found.Warnings.map(mark('warning'))
  ];
}

const TAGS: Partial<Record<IToken['kind'], string>> = {
  text: 'string',
  number: 'number',
  word: 'keyword',
  name: 'variableName',
  sign: 'operator',
  bracket: 'punctuation'
};

const LANGUAGE = {
  token(stream: { string: string; pos: number }): string | null {
    const [kind, word] = first(stream.string.slice(stream.pos));
    stream.pos += word.length;
    return TAGS[kind] ?? null;
  }
};

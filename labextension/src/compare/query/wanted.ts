import { type IToken, tokens, unquoted } from './tokens';

/** Kinds of fields that are written `kind.name`, and what the server calls them. */
export const KINDS: Record<string, string> = {
  metric: 'metric',
  param: 'parameter',
  tag: 'tag'
};

/** What can be written at a place of a query; it replaces the text from `from` on. */
export type Wanted =
  /** A field of a kind: after `metric.` or within `metric["`. */
  | { what: 'field'; kind: string; typed: string; from: number }
  /** An aspect of a metric, or a test of a text: after a field and a dot. */
  | { what: 'aspect'; kind: string; typed: string; from: number }
  /** A value of a field. */
  | { what: 'value'; field: string; typed: string; from: number }
  /** The beginning of anything. */
  | { what: 'any'; typed: string; from: number };

const ASKS = ['==', '!=', 'in', ','];

/** What can be written where the cursor is; null where nothing sensible can. */
export function wantedAt(query: string, cursor: number): Wanted | null {
  const before = tokens(query.slice(0, cursor));
  const spaced = before.at(-1)?.kind === 'space';
  const words = before.filter(token => token.kind !== 'space');
  const last = words.at(-1);
  if (!last) {
    return { what: 'any', typed: '', from: cursor };
  }
  if (last.kind === 'text' && !spaced) {
    return inText(query, words, last);
  }
  if (last.kind === 'number' && !spaced) {
    return null;
  }
  const typing = (last.kind === 'name' || last.kind === 'word') && !spaced;
  const typed = typing ? last.text : '';
  const from = typing ? last.start : cursor;
  const rest = typing ? words.slice(0, -1) : words;
  if (rest.at(-1)?.text === '.' && !(spaced && !typing)) {
    return afterDot(query, rest.slice(0, -1), typed, from);
  }
  const field = asks(query, rest);
  if (field) {
    return { what: 'value', field, typed, from };
  }
  return { what: 'any', typed, from };
}

function inText(query: string, words: IToken[], last: IToken): Wanted | null {
  const closed = last.text.length > 1 && last.text.endsWith(last.text[0]);
  if (closed) {
    return null;
  }
  const typed = unquoted(last.text);
  const rest = words.slice(0, -1);
  const kind = rest.at(-2)?.text ?? '';
  if (rest.at(-1)?.text === '[' && kind in KINDS) {
    return { what: 'field', kind, typed, from: rest.at(-2)!.start };
  }
  const field = asks(query, rest);
  return field ? { what: 'value', field, typed, from: last.start } : null;
}

function afterDot(
  query: string,
  path: IToken[],
  typed: string,
  from: number
): Wanted | null {
  const last = path.at(-1);
  if (last && last.text in KINDS) {
    return { what: 'field', kind: last.text, typed, from: last.start };
  }
  const field = fieldBefore(query, path);
  return field
    ? { what: 'aspect', kind: field.split(/[.[]/)[0], typed, from }
    : null;
}

/** The field whose value is asked for by what stands before; null where none is. */
function asks(query: string, words: IToken[]): string | null {
  let rest = words;
  const last = rest.at(-1);
  if (last?.text === '[' || last?.text === '(' || last?.text === ',') {
    const open = rest.map(each => '[('.includes(each.text)).lastIndexOf(true);
    rest = rest.slice(0, Math.max(0, open));
    if (rest.at(-1)?.text !== 'in') {
      return null;
    }
  }
  const sign = rest.at(-1)?.text ?? '';
  if (!ASKS.includes(sign)) {
    return null;
  }
  const left =
    rest.at(-2)?.text === 'not' ? rest.slice(0, -2) : rest.slice(0, -1);
  return fieldBefore(query, left);
}

/** The field that ends the words: `metric["val/loss"].min`, `status`. */
function fieldBefore(query: string, words: IToken[]): string | null {
  let at = words.length - 1;
  const end = words[at]?.end;
  const isPart = (token: IToken | undefined) =>
    token !== undefined &&
    (token.kind === 'name' || token.text === ']' || token.text === '[');
  if (end === undefined || !isPart(words[at])) {
    return null;
  }
  while (at > 0) {
    const [here, before] = [words[at], words[at - 1]];
    const goesOn =
      here.text === '.' ||
      before.text === '.' ||
      here.text === ']' ||
      here.text === '[' ||
      (here.kind === 'text' && before.text === '[');
    if (!goesOn || before.kind === 'word') {
      break;
    }
    at--;
  }
  return query.slice(words[at].start, end);
}

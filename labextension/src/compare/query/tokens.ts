/** A word of a query, with where it is (in UTF-16 units, as the editor counts). */
export interface IToken {
  kind:
    | 'space'
    | 'text'
    | 'number'
    | 'word'
    | 'name'
    | 'sign'
    | 'bracket'
    | 'other';
  text: string;
  start: number;
  end: number;
}

/** What each kind looks like, at the beginning of what is left; an open text goes to the end. */
const RULES: [IToken['kind'], RegExp][] = [
  ['space', /^\s+/],
  ['text', /^(?:"(?:[^"\\]|\\.)*(?:"|$)|'(?:[^'\\]|\\.)*(?:'|$))/s],
  ['number', /^(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/],
  ['word', /^(?:and|or|not|in|is|None|True|False)(?![\p{L}\p{N}_])/u],
  ['name', /^[\p{L}_][\p{L}\p{N}_]*/u],
  ['sign', /^(?:[<>=!]=|\/\/|\*\*|[-+*/%<>])/],
  ['bracket', /^[()[\].,]/],
  ['other', /^./su]
];

/** The words of a query; together they are the whole text. */
export function tokens(text: string): IToken[] {
  const found: IToken[] = [];
  let at = 0;
  while (at < text.length) {
    const [kind, word] = first(text.slice(at));
    found.push({ kind, text: word, start: at, end: at + word.length });
    at += word.length;
  }
  return found;
}

/** The kind and the text of the first word. */
export function first(text: string): [IToken['kind'], string] {
  for (const [kind, rule] of RULES) {
    const match = rule.exec(text);
    if (match) {
      return [kind, match[0]];
    }
  }
  return ['other', text];
}

/** A text as a query writes it. */
export function quoted(text: string): string {
  const escaped = text
    .replace(/[\\"]/g, '\\$&')
    .replace(/\n/g, '\\n')
    .replace(/\t/g, '\\t')
    .replace(/\r/g, '\\r');
  return `"${escaped}"`;
}

/** What a text of a query says; of one that is still open, as far as it goes. */
export function unquoted(text: string): string {
  const quote = text[0];
  const open = text.length < 2 || !text.endsWith(quote);
  const NAMED: Record<string, string> = { n: '\n', t: '\t', r: '\r' };
  return text
    .slice(1, open ? undefined : -1)
    .replace(/\\(.)/gs, (_, it: string) => NAMED[it] ?? it);
}

/**
 * The conditions that all must hold: the parts between the outermost `and`s.
 *
 * A query with an `or` beside them is one condition.
 */
export function clauses(query: string): string[] {
  let depth = 0;
  let start = 0;
  const found: string[] = [];
  for (const token of tokens(query)) {
    if (token.kind === 'bracket') {
      depth += '(['.includes(token.text)
        ? 1
        : ')]'.includes(token.text)
          ? -1
          : 0;
    } else if (depth === 0 && token.kind === 'word') {
      if (token.text === 'or') {
        return [query.trim()];
      }
      if (token.text === 'and') {
        found.push(query.slice(start, token.start).trim());
        start = token.end;
      }
    }
  }
  return [...found, query.slice(start).trim()].filter(Boolean);
}

/** The query with one condition more. */
export function withClause(query: string, clause: string): string {
  const parts = clauses(query);
  if (parts.includes(clause)) {
    return query;
  }
  return joined([...parts, clause]);
}

/** The query without one of its conditions. */
export function withoutClause(query: string, clause: string): string {
  return joined(clauses(query).filter(each => each !== clause));
}

function joined(parts: string[]): string {
  const alone = parts.length < 2;
  return parts
    .map(part => (alone || !hasOr(part) ? part : `(${part})`))
    .join(' and ');
}

/** Whether an `or` stands outside of brackets. */
function hasOr(part: string): boolean {
  let depth = 0;
  return tokens(part).some(token => {
    if (token.kind === 'bracket') {
      depth += '(['.includes(token.text)
        ? 1
        : ')]'.includes(token.text)
          ? -1
          : 0;
    }
    return depth === 0 && token.kind === 'word' && token.text === 'or';
  });
}

/** Places of the server, in code points, as places in the text. */
export function placeOf(text: string, codePoints: number): number {
  let at = 0;
  for (let i = 0; i < codePoints && at < text.length; i++) {
    at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  }
  return at;
}

/** A piece of a line that looks alike. */
export interface ISpan {
  text: string;
  /** CSS classes; "" for plain text. */
  className: string;
}

/* eslint-disable no-control-regex */
const ESCAPE =
  /\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\|$)|[PX^_][^\x1b]*(?:\x1b\\|$)|[ -/]*[0-~]?)/g;
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f-\x9f]/g;
/* eslint-enable no-control-regex */
// A log line must not turn what stands around it.
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

interface IStyle {
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
  inverse?: boolean;
  /** 0 to 7: black, red, green, yellow, blue, magenta, cyan, white. */
  front?: number;
  back?: number;
}

/** A line as a terminal shows it: colours as classes, what moves the cursor left out. */
export function spans(line: string): ISpan[] {
  const found: ISpan[] = [];
  let style: IStyle = {};
  let at = 0;
  const add = (text: string) => {
    if (text) {
      found.push({ text: visible(text), className: classes(style) });
    }
  };
  for (const match of line.matchAll(ESCAPE)) {
    add(line.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[2] === 'm') {
      style = changed(style, match[1]);
    }
  }
  add(line.slice(at));
  return found;
}

/** The text of a line alone. */
export function bare(line: string): string {
  return visible(line.replace(ESCAPE, ''));
}

/** Control characters as terminals echo them: ^C. */
function visible(text: string): string {
  return text
    .replace(CONTROL, character => {
      const code = character.charCodeAt(0);
      return code < 128 ? `^${String.fromCharCode(code ^ 64)}` : '\ufffd';
    })
    .replace(
      BIDI,
      character =>
        `⟨U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`
    );
}

function changed(style: IStyle, parameters: string): IStyle {
  const codes = parameters.split(/[;:]/).map(Number);
  let next = { ...style };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    if (code === 38 || code === 48) {
      const [color, used] = extended(codes.slice(i + 1));
      i += used;
      next = { ...next, [code === 38 ? 'front' : 'back']: color };
    } else {
      next = simple(next, code);
    }
  }
  return next;
}

function simple(style: IStyle, code: number): IStyle {
  if (code >= 30 && code <= 37) {
    return { ...style, front: code - 30 };
  }
  if (code >= 90 && code <= 97) {
    return { ...style, front: code - 90 };
  }
  if (code >= 40 && code <= 47) {
    return { ...style, back: code - 40 };
  }
  if (code >= 100 && code <= 107) {
    return { ...style, back: code - 100 };
  }
  return { ...(code === 0 ? {} : style), ...SIMPLE[code] };
}

const SIMPLE: Record<number, IStyle> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  39: { front: undefined },
  49: { back: undefined }
};

/** The nearest of the eight colours, and how many codes said which. */
function extended(codes: number[]): [number | undefined, number] {
  if (codes[0] === 2) {
    return [nearest(codes[1], codes[2], codes[3]), 4];
  }
  if (codes[0] !== 5) {
    return [undefined, 0];
  }
  const index = codes[1];
  if (index < 16) {
    return [index % 8, 2];
  }
  if (index > 231) {
    return [undefined, 2];
  }
  const cube = index - 16;
  const level = (part: number) => (part % 6) * 51;
  return [
    nearest(
      level(Math.floor(cube / 36)),
      level(Math.floor(cube / 6)),
      level(cube)
    ),
    2
  ];
}

function nearest(red: number, green: number, blue: number): number | undefined {
  const most = Math.max(red, green, blue);
  const bits = [red, green, blue].map(part => part > 0.6 * most);
  // Greys have the colour of text.
  return most - Math.min(red, green, blue) < 40
    ? undefined
    : Number(bits[0]) + 2 * Number(bits[1]) + 4 * Number(bits[2]);
}

function classes(style: IStyle): string {
  const { front, back } = style.inverse
    ? { front: style.back ?? -1, back: style.front ?? -1 }
    : style;
  const names = (['bold', 'dim', 'italic', 'underline'] as const).filter(
    name => style[name]
  );
  return [
    ...names.map(name => `jp-mod-${name}`),
    ...(front === undefined ? [] : [`jp-mod-front${front}`]),
    ...(back === undefined ? [] : [`jp-mod-back${back}`])
  ].join(' ');
}

/** How grave a line is, by the words that loggers and interpreters use. */
export function level(text: string): 'error' | 'warn' | 'debug' | '' {
  if (ERROR.test(text)) {
    return 'error';
  }
  return /\bWARN(ING)?\b|\w[a-z]Warning:/.test(text)
    ? 'warn'
    : /\b(DEBUG|TRACE)\b/.test(text)
      ? 'debug'
      : '';
}

// As the server finds the first error.
const ERROR =
  /Traceback \(most recent call last\)|\b(?:\w*[a-z]|[A-Z]{2,})(?:Error|Exception):|^\W*(?:Error|Exception):|\b(?:ERROR|FATAL|CRITICAL)\b|\b[Oo]ut of memory\b|(?:^|[\s:])Killed\s*$|\bSegmentation fault\b|\bterminate called\b/;

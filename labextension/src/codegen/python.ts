import type { PartialJSONValue } from '@lumino/coreutils';

/** Code as it is: a variable, say. */
export class Raw {
  constructor(readonly text: string) {}
}

/** A call with keyword arguments; those that are undefined are left out. */
export class Call {
  constructor(
    readonly name: string,
    args: { [name: string]: PyValue | undefined }
  ) {
    this.args = Object.entries(args).filter(
      (pair): pair is [string, PyValue] => pair[1] !== undefined
    );
  }

  readonly args: [string, PyValue][];
}

export type PyValue =
  | PartialJSONValue
  | Raw
  | Call
  | PyValue[]
  | { [key: string]: PyValue | undefined };

const WIDTH = 88;

/** A value as Python, broken into lines as formatters do; `used` columns are taken before it. */
export function python(value: PyValue, indent = 0, used = 0): string {
  const flat = oneLine(value);
  return indent + used + flat.length <= WIDTH && !flat.includes('\n')
    ? flat
    : broken(value, flat, indent);
}

/** `CreateTrainingJob` -> `create_training_job`, as botocore and the SDK spell it. */
export function snake(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}

function oneLine(value: PyValue): string {
  const [open, items, close] = parts(value);
  return items === null
    ? open
    : `${open}${items.map(([head, item]) => head + oneLine(item)).join(', ')}${close}`;
}

function broken(value: PyValue, flat: string, indent: number): string {
  const [open, items, close] = parts(value);
  if (items === null || items.length === 0) {
    return flat;
  }
  const inner = indent + 4;
  const lines = items.map(
    ([head, item]) =>
      `${' '.repeat(inner)}${head}${python(item, inner, head.length + 1)},\n`
  );
  return `${open}\n${lines.join('')}${' '.repeat(indent)}${close}`;
}

/** What opens a value, what is in it, each with what stands before it, and what closes it. */
function parts(
  value: PyValue | undefined
): [string, [string, PyValue][] | null, string] {
  if (value instanceof Raw) {
    return [value.text, null, ''];
  }
  if (value instanceof Call) {
    return [
      `${value.name}(`,
      value.args.map(([name, item]) => [`${name}=`, item]),
      ')'
    ];
  }
  if (Array.isArray(value)) {
    return ['[', value.map(item => ['', item]), ']'];
  }
  if (value !== null && typeof value === 'object') {
    const items = Object.entries(value) as [string, PyValue | undefined][];
    return [
      '{',
      items
        .filter((pair): pair is [string, PyValue] => pair[1] !== undefined)
        .map(([key, item]) => [`${JSON.stringify(key)}: `, item]),
      '}'
    ];
  }
  return [plain(value), null, ''];
}

function plain(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  return JSON.stringify(value);
}

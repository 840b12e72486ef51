/** Where a member of a request is: `['InputDataConfig', 0, 'ContentType']`. */
export type Path = ReadonlyArray<string | number>;

/** As faults spell it: `InputDataConfig[0].ContentType`. */
export function spelled(path: Path): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : index ? `.${part}` : part
    )
    .join('');
}

/** The value at a path; undefined where the way ends early. */
export function valueAt(document: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      value !== null && typeof value === 'object'
        ? (value as Record<string | number, unknown>)[part]
        : undefined,
    document
  );
}

/** A copy with another value; undefined removes the member, and structures that it leaves empty. */
export function withValue<T>(document: T, path: Path, value: unknown): T {
  return (changed(document, path, value) ?? {}) as T;
}

function changed(document: unknown, path: Path, value: unknown): unknown {
  if (path.length === 0) {
    return value;
  }
  const [first, ...rest] = path;
  if (typeof first === 'number') {
    const items = [...((document as unknown[] | undefined) ?? [])];
    const item = changed(items[first], rest, value);
    if (item === undefined) {
      items.splice(first, 1);
    } else {
      items[first] = item;
    }
    return items.length ? items : undefined;
  }
  const members = { ...(document as Record<string, unknown> | undefined) };
  const member = changed(members[first], rest, value);
  if (member === undefined) {
    delete members[first];
  } else {
    members[first] = member;
  }
  return Object.keys(members).length ? members : undefined;
}

/** A value of a request as text; what is not there is empty. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
      return String(value);
    case 'undefined':
      return '';
    default:
      return JSON.stringify(value);
  }
}

/** A difference between two documents at a leaf; undefined: not there. */
export interface IChange {
  path: Path;
  before: unknown;
  after: unknown;
}

/** Every leaf that differs, in the order of the members. */
export function changes(
  before: unknown,
  after: unknown,
  path: Path = []
): IChange[] {
  if (isBranch(before) || isBranch(after)) {
    const [a, b] = [before, after].map(value =>
      isBranch(value) ? value : {}
    ) as [Record<string, unknown>, Record<string, unknown>];
    const list = Array.isArray(before ?? after);
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap(key =>
      changes(a[key], b[key], [...path, list ? Number(key) : key])
    );
  }
  return before === after ? [] : [{ path, before, after }];
}

function isBranch(value: unknown): value is object {
  return value !== null && typeof value === 'object';
}

import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Client } from '../../core/client';
import type { studio } from '../../wire';
import { type IComponents, type IValues, query } from '../rows';
import type { IGroup } from './groups';

/** What components are asked for, and in which order. */
export interface IQuestion {
  Query?: string;
  Names?: string[];
  SortBy?: studio.QuerySort[];
}

/** A component in the table. */
export interface IComponentLine {
  components: IComponents;
  at: number;
  level: number;
}

/** How an answer of now differs from what is shown. */
export interface IDifference {
  /** Components more; negative for fewer. */
  fresh: number;
  /** Whether they would stand elsewhere. */
  moved: boolean;
}

/** What a table shows line by line. */
export interface ILines extends IDisposable {
  /** Lines in all; undefined before the first answer. */
  readonly count: number | undefined;
  readonly error: unknown;
  readonly changed: ISignal<ILines, void>;
  line(index: number): ILine | undefined;
  /** See to it that the lines first..last come, with these fields. */
  ensure(first: number, last: number, fields: readonly string[]): void;
  /** The names of the components of the lines first..last, here or not. */
  names(first: number, last: number): Promise<string[]>;
  /** Take new values of what is looked at, where it stands. */
  refresh(): Promise<IDifference>;
  /** Ask anew what is where. What is shown stays until the answer comes. */
  reload(): Promise<void>;
}

/** A group in the table. */
export interface IGroupLine {
  group: IGroup;
  level: number;
}

export type ILine = IComponentLine | IGroupLine;

interface IPage {
  components: IComponents;
  lines: IComponentLine[];
  /** Fields that are on their way. */
  awaited: Set<string>;
}

const SIZE = 250;
const MOST_PAGES = 40;
const PAUSE_MS = 40;

/**
 * Components in an order that stays: pages of them, with the fields that are looked at.
 *
 * Later values are put where the component stands; only `reload` gives them other places.
 */
export class Pages implements ILines {
  constructor(
    private _client: Client,
    private _question: IQuestion,
    private _level = 1
  ) {}

  get count(): number | undefined {
    return this._matched;
  }

  get error(): unknown {
    return this._error;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  line(index: number): IComponentLine | undefined {
    return this._pages.get(Math.floor(index / SIZE))?.lines[index % SIZE];
  }

  ensure(first: number, last: number, fields: readonly string[]): void {
    this._seen = [Math.floor(first / SIZE), Math.floor(last / SIZE)];
    this._fields = fields;
    if (this._matched === undefined) {
      this._fill();
    } else {
      // Of what passes by nothing is asked.
      this._timer ??= setTimeout(() => {
        this._timer = undefined;
        this._fill();
      }, PAUSE_MS);
    }
  }

  async names(first: number, last: number): Promise<string[]> {
    const found = await this._ask(first, last - first + 1, []);
    return [...found.names];
  }

  async refresh(): Promise<IDifference> {
    const age = this._age;
    const pages = [...this._pages].filter(([at]) => this._isSeen(at));
    for (const at of this._pages.keys()) {
      if (!this._isSeen(at)) {
        this._pages.delete(at);
      }
    }
    let moved = false;
    let matched = this._matched ?? 0;
    for (const [at, page] of pages) {
      const { names } = page.components;
      const now = await this._ask(at * SIZE, SIZE, this._fields);
      const stays = begins(now.names, names);
      const next = stays
        ? now
        : merged(page.components, await this._named(names));
      if (age !== this._age || this._isDisposed) {
        return { fresh: 0, moved: false };
      }
      moved ||= !stays;
      matched = now.matched;
      this._keep(at, next);
    }
    const fresh = matched - (this._matched ?? 0);
    if (!moved) {
      this._matched = matched;
    }
    this._emit();
    return { fresh, moved };
  }

  async reload(): Promise<void> {
    this._age++;
    const age = this._age;
    const [first, last] = this._seen;
    try {
      const found = await Promise.all(
        Array.from({ length: last - first + 1 }, (_, i) =>
          this._ask((first + i) * SIZE, SIZE, this._fields)
        )
      );
      if (age !== this._age) {
        return;
      }
      this._pages.clear();
      found.forEach((each, i) => this._keep(first + i, each));
      this._matched = found[0].matched;
      this._error = null;
    } catch (error) {
      this._error = error;
    }
    this._emit();
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._timer);
    Signal.clearData(this);
  }

  private _fill(): void {
    const [first, last] = this._seen;
    for (let at = first; at <= last; at++) {
      if (this._matched === undefined || at * SIZE < this._matched) {
        void this._load(at);
      }
    }
  }

  private async _load(at: number): Promise<void> {
    const age = this._age;
    const page = this._pages.get(at);
    const missing = this._fields.filter(
      field => !page?.components.values.has(field) && !page?.awaited.has(field)
    );
    if (page ? !missing.length : this._loading.has(at)) {
      return;
    }
    try {
      if (page) {
        await this._extend(at, page, missing);
      } else {
        this._loading.add(at);
        const found = await this._ask(at * SIZE, SIZE, missing);
        if (age === this._age) {
          this._matched = found.matched;
          this._keep(at, found);
        }
      }
      this._error = null;
    } catch (error) {
      this._error = error;
    }
    this._loading.delete(at);
    this._emit();
    if (!this._isDisposed && this._isSeen(at) && this._error === null) {
      void this._load(at); // fields that were asked for meanwhile
    }
  }

  /** Fetch more fields of the components of a page. */
  private async _extend(
    at: number,
    page: IPage,
    missing: string[]
  ): Promise<void> {
    missing.forEach(field => page.awaited.add(field));
    try {
      const { names } = page.components;
      const more = await this._named(names, missing);
      const now = this._pages.get(at);
      if (now && begins(now.components.names, names)) {
        this._keep(at, merged(now.components, more), now.awaited);
      }
    } finally {
      missing.forEach(field => page.awaited.delete(field));
    }
  }

  private async _ask(
    Offset: number,
    Limit: number,
    fields: readonly string[]
  ): Promise<IComponents> {
    const place = { Fields: [...fields], Offset, Limit };
    const found = await query(this._client, { ...this._question, ...place });
    return whole(found, fields);
  }

  private async _named(
    names: readonly string[],
    fields = this._fields
  ): Promise<IComponents> {
    const asked = { Names: [...names], Fields: [...fields], Limit: SIZE };
    return whole(await query(this._client, asked), fields);
  }

  private _keep(
    at: number,
    components: IComponents,
    awaited = new Set<string>()
  ): void {
    const lines = components.names.map((_, i) => ({
      components,
      at: i,
      level: this._level
    }));
    this._pages.set(at, { components, lines, awaited });
    if (this._pages.size > MOST_PAGES) {
      for (const each of this._pages.keys()) {
        if (!this._isSeen(each)) {
          this._pages.delete(each);
          break;
        }
      }
    }
  }

  private _isSeen(at: number): boolean {
    return at >= this._seen[0] && at <= this._seen[1];
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private _pages = new Map<number, IPage>();
  private _loading = new Set<number>();
  private _fields: readonly string[] = [];
  private _seen: [number, number] = [0, 0];
  private _matched: number | undefined;
  private _error: unknown = null;
  private _age = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

/** The components with the values of others of the same names, in their own order. */
export function merged(into: IComponents, more: IComponents): IComponents {
  const places = new Map(more.names.map((name, at) => [name, at]));
  const from = into.names.map(name => places.get(name) ?? -1);
  const values = new Map(into.values);
  for (const [field, each] of more.values) {
    values.set(field, taken(each, from));
  }
  const texts = (own: readonly string[], other: readonly string[]) =>
    own.map((text, at) => (from[at] < 0 ? text : other[from[at]]));
  return {
    ...into,
    titles: texts(into.titles, more.titles),
    statuses: texts(into.statuses, more.statuses),
    values
  };
}

function taken(values: IValues, from: readonly number[]): IValues {
  const { numbers, codes } = values;
  return {
    ...values,
    numbers:
      numbers && Float64Array.from(from, at => (at < 0 ? NaN : numbers[at])),
    codes: codes && Int32Array.from(from, at => (at < 0 ? -1 : codes[at]))
  };
}

/** The components with a column for every field, even one that nothing is known of. */
function whole(found: IComponents, fields: readonly string[]): IComponents {
  const values = new Map(found.values);
  for (const field of fields) {
    if (!values.has(field)) {
      values.set(field, { field, numbers: null, texts: null, codes: null });
    }
  }
  return { ...found, values };
}

/** Whether a list begins as the other is. */
function begins(long: readonly string[], short: readonly string[]): boolean {
  return short.every((name, at) => long[at] === name);
}

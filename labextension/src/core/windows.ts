import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

/** Some rows of a long list, and how long it is. */
export interface IWindow<R> {
  rows: ReadonlyArray<R>;
  total: number;
}

/**
 * The rows of a list that the server sorts, filters and pages: only what is looked at is fetched.
 *
 * `invalidate` keeps what is shown until the new rows are there.
 */
export class Windows<R> implements IDisposable {
  constructor(private _options: Windows.IOptions<R>) {}

  /** Rows in all; undefined before the first answer. */
  get total(): number | undefined {
    return this._total;
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

  row(index: number): R | undefined {
    return this._pages.get(Math.floor(index / this._size))?.rows[
      index % this._size
    ];
  }

  /** See to it that the rows first..last are there, or come. */
  ensure(first: number, last: number): void {
    this._seen = [first, last];
    for (
      let page = Math.floor(first / this._size);
      page <= Math.floor(last / this._size);
      page++
    ) {
      if (
        this._pages.get(page)?.age !== this._age &&
        !this._running.has(page)
      ) {
        void this._fetch(page);
      }
    }
  }

  /** The rows may have changed: fetch what is looked at anew. */
  invalidate(): void {
    this._age++;
    this._running.clear();
    this.ensure(...this._seen);
  }

  /** Another question was asked: what is shown stays until the first rows of its answer come. */
  reset(): void {
    this._question++;
    this.invalidate();
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  private async _fetch(page: number): Promise<void> {
    const [age, question] = [this._age, this._question];
    this._running.add(page);
    try {
      const { rows, total } = await this._options.load(
        page * this._size,
        this._size
      );
      // Rows that may have changed since are better than none: of a list that changes all the time
      // no answer would ever be shown otherwise.
      const newer = [...this._pages.values()].some(each => each.age > age);
      if (question !== this._question || newer) {
        return;
      }
      for (const [key, each] of this._pages) {
        if (each.question !== question) {
          this._pages.delete(key);
        }
      }
      this._pages.set(page, { rows, age, question });
      this._total = total;
      this._error = null;
    } catch (error) {
      if (age !== this._age) {
        return;
      }
      this._error = error;
    }
    if (age === this._age) {
      this._running.delete(page);
    }
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private get _size(): number {
    return this._options.size ?? 100;
  }

  private _pages = new Map<
    number,
    { rows: ReadonlyArray<R>; age: number; question: number }
  >();
  private _running = new Set<number>();
  private _age = 0;
  private _question = 0;
  private _seen: [number, number] = [0, 0];
  private _total: number | undefined;
  private _error: unknown = null;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

export namespace Windows {
  export interface IOptions<R> {
    load: (offset: number, limit: number) => Promise<IWindow<R>>;
    /** Rows of one fetch; 100 when absent. */
    size?: number;
  }
}

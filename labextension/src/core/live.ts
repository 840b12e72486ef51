import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Feed, FeedEvent } from './feed';

const PACE_MS = 250;

/**
 * A value fetched once, and again whenever an event says that it changed.
 *
 * One fetch runs at a time, and events cause no more than a few a second; the last of them always
 * causes one. The last value stays while the next is fetched, and while nobody answers.
 */
export class Live<T> implements IDisposable {
  constructor(private _options: Live.IOptions<T>) {
    _options.feed.events.connect(this._onEvent, this);
    void this.refresh();
  }

  /** The last value; undefined before the first. */
  get value(): T | undefined {
    return this._value;
  }

  /** Why the last fetch failed. */
  get error(): unknown {
    return this._error;
  }

  get loading(): boolean {
    return this._running !== null;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Fetch now; resolves when a fetch that began after this call is over. */
  refresh(): Promise<void> {
    if (this._running) {
      this._next ??= this._running.then(() => {
        this._next = null;
        return this._fetch();
      });
      return this._next;
    }
    return this._fetch();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    clearTimeout(this._timer);
    this._abort.abort();
    Signal.disconnectReceiver(this);
    Signal.clearData(this);
  }

  private _fetch(): Promise<void> {
    if (this._isDisposed) {
      return Promise.resolve();
    }
    this._begun = Date.now();
    this._running = this._options.load(this._abort.signal).then(
      value => this._settle(value, null),
      (error: unknown) => this._settle(this._value, error)
    );
    return this._running;
  }

  private _settle(value: T | undefined, error: unknown): void {
    this._running = null;
    if (!this._isDisposed) {
      this._value = value;
      this._error = error;
      this._changed.emit();
    }
  }

  private _onEvent(_: Feed, event: FeedEvent): void {
    const concerns = event.type === 'reset' || this._options.when(event);
    if (concerns && this._timer === undefined) {
      const pause = Math.max(
        0,
        this._begun + (this._options.paceMs ?? PACE_MS) - Date.now()
      );
      this._timer = setTimeout(() => {
        this._timer = undefined;
        void this.refresh();
      }, pause);
    }
  }

  private _value: T | undefined;
  private _error: unknown = null;
  private _running: Promise<void> | null = null;
  private _next: Promise<void> | null = null;
  private _abort = new AbortController();
  private _begun = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

export namespace Live {
  export interface IOptions<T> {
    feed: Feed;
    load: (signal: AbortSignal) => Promise<T>;
    /** Whether an event concerns the value. */
    when: (event: FeedEvent) => boolean;
    /** Least time between two fetches that events cause; 250 ms when absent. */
    paceMs?: number;
  }
}

import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Client } from '../core/client';
import type { Feed, FeedEvent } from '../core/feed';
import { listBuckets, listFolder } from '../core/s3';
import type { ISort } from '../components/grid';
import { byName } from '../components/names';

/** A bucket, a folder or an object of a listing. */
export interface IEntry {
  kind: 'bucket' | 'folder' | 'object';
  /** What is shown: the last part of the key, a folder's with its "/". */
  name: string;
  /** The whole key or prefix; "" of a bucket. */
  key: string;
  size?: number;
  /** Milliseconds since the epoch. */
  modified?: number;
  etag?: string;
}

/** A place in S3: all buckets (`bucket` is ""), or what is below a prefix of one. */
export interface IPlace {
  bucket: string;
  prefix: string;
  /** How names must begin. */
  filter: string;
}

const PAUSE_MS = 500;

/**
 * What is in one place, page by page as it is asked for, and again when an event says that it
 * changed.
 */
export class Listing implements IDisposable {
  constructor(
    private _client: Client,
    feed: Feed,
    readonly place: IPlace
  ) {
    feed.events.connect(this._onEvent, this);
    void this._load(1);
  }

  /** What was fetched so far, in S3's order: folders of each page, then its objects. */
  get entries(): ReadonlyArray<IEntry> {
    return this._entries;
  }

  /** Whether anything was fetched so far. */
  get begun(): boolean {
    return this._pages > 0;
  }

  /** Whether there is nothing that was not fetched. */
  get complete(): boolean {
    return this.begun && this._next === undefined;
  }

  get loading(): boolean {
    return this._running;
  }

  /** Why the last fetch failed. */
  get error(): unknown {
    return this._error;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._abort.signal.aborted;
  }

  /** Fetch one page more. */
  more(): void {
    if (!this._running && !this.complete) {
      void this._load(this._pages + 1);
    }
  }

  /** Fetch all that was fetched anew; soon, and not too often. */
  refresh(): void {
    this._stale = true;
    if (!this._running && this._timer === undefined) {
      this._timer = setTimeout(
        () => {
          this._timer = undefined;
          void this._load(Math.max(1, this._pages));
        },
        Math.max(0, this._loadedAt + PAUSE_MS - Date.now())
      );
    }
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._abort.abort();
      clearTimeout(this._timer);
      Signal.disconnectReceiver(this);
      Signal.clearData(this);
    }
  }

  /** `pages` pages: the first ones when what is there is stale, else only those that are new. */
  private async _load(pages: number): Promise<void> {
    const anew = this._stale;
    this._running = true;
    this._stale = false;
    this._loadedAt = Date.now();
    this._changed.emit();
    try {
      let entries = anew ? [] : this._entries;
      let next = anew ? undefined : this._next;
      let page = anew ? 0 : this._pages;
      do {
        const found = await this._page(next);
        entries = entries.concat(found.entries);
        next = found.next;
        page++;
      } while (page < pages && next !== undefined);
      this._entries = entries;
      this._next = next;
      this._pages = page;
      this._error = null;
    } catch (error) {
      this._stale ||= anew;
      this._error = error;
    }
    if (this.isDisposed) {
      return;
    }
    const again = this._stale && this._error === null;
    this._running = false;
    this._changed.emit();
    if (again) {
      this.refresh();
    }
  }

  private async _page(
    token: string | undefined
  ): Promise<{ entries: IEntry[]; next?: string }> {
    const { bucket, prefix, filter } = this.place;
    const { signal } = this._abort;
    if (!bucket) {
      const buckets = await listBuckets(this._client, signal);
      return {
        entries: buckets
          .filter(({ name }) => name.startsWith(filter))
          .map(({ name, created }) => ({
            kind: 'bucket',
            name,
            key: '',
            modified: created
          }))
      };
    }
    const found = await listFolder(
      this._client,
      bucket,
      prefix + filter,
      token,
      signal
    );
    const entry = (kind: IEntry['kind'], key: string): IEntry => ({
      kind,
      name: key.slice(prefix.length),
      key
    });
    return {
      entries: [
        ...found.folders.map(key => entry('folder', key)),
        ...found.objects
          // The folder itself, which S3's console keeps as an empty object.
          .filter(object => object.key !== prefix)
          .map(object => ({ ...entry('object', object.key), ...object }))
      ],
      next: found.next
    };
  }

  private _onEvent(_: Feed, event: FeedEvent): void {
    if (event.type === 'reset' || this._concerns(event)) {
      this.refresh();
    }
  }

  private _concerns(event: FeedEvent): boolean {
    if (event.type !== 'object') {
      return false;
    }
    const { bucket, prefix } = this.place;
    return bucket
      ? event.Bucket === bucket &&
          (event.Prefix.startsWith(prefix) || prefix.startsWith(event.Prefix))
      : !this._entries.some(entry => entry.name === event.Bucket);
  }

  private _entries: IEntry[] = [];
  private _next: string | undefined;
  private _pages = 0;
  private _running = false;
  private _stale = false;
  private _loadedAt = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _error: unknown = null;
  private _abort = new AbortController();
  private _changed = new Signal<this, void>(this);
}

/** `entries` in another order; folders stay before objects. */
export function sorted(
  entries: ReadonlyArray<IEntry>,
  sort: ISort
): ReadonlyArray<IEntry> {
  const way = sort.descending ? -1 : 1;
  const rank = (entry: IEntry) => (entry.kind === 'object' ? 1 : 0);
  const value = (entry: IEntry) =>
    sort.by === 'size' ? (entry.size ?? -1) : (entry.modified ?? -1);
  return [...entries].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      way * (sort.by === 'name' ? 0 : value(a) - value(b)) ||
      (sort.by === 'name' ? way : 1) * byName(a.name, b.name)
  );
}

import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Capacity } from '../core/capacity';
import type { Client } from '../core/client';
import type { Feed, FeedEvent } from '../core/feed';
import { Live } from '../core/live';
import {
  type IBucket,
  type IFolder,
  listBuckets,
  listFolder
} from '../core/s3';
import type { studio } from '../wire';

/** A kind of resource that the tree has a branch for. */
export type Branch = (typeof BRANCHES)[number];

const BRANCHES = [
  'training-job',
  'processing-job',
  'transform-job',
  'schedule',
  'experiment',
  'model',
  'model-package-group',
  'endpoint'
] as const;

/** What is kept over a reload. */
export type INavigatorState = { expanded: string[] };

/** Rows of a branch, and how many there are. */
export interface IRows {
  rows: studio.ResourceRow[];
  total: number;
}

/** Rows of a branch that are shown; the table has the rest. */
export const MOST_ROWS = 12;

/**
 * What the tree shows: counts, the newest of each kind, buckets and the folders that are open.
 *
 * Only what is open is fetched, and only while somebody looks (`active`).
 */
export class NavigatorModel implements IDisposable {
  constructor(
    private _client: Client,
    private _feed: Feed,
    readonly capacity: Capacity
  ) {
    capacity.changed.connect(this._onCapacity, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Whether the tree is in view. */
  get active(): boolean {
    return this._active;
  }
  set active(active: boolean) {
    if (active === this._active) {
      return;
    }
    this._active = active;
    if (active) {
      this._counts ??= this._live(
        signal => this._client.call('studio', 'CountResources', {}, signal),
        event => event.type === 'resource'
      );
      this._sources().forEach(each => void each.refresh());
      this._settle();
    }
  }

  /** What names must contain. */
  get filter(): string {
    return this._filter;
  }
  set filter(filter: string) {
    if (filter !== this._filter) {
      this._filter = filter;
      this._rows.forEach(each => void each.refresh());
      this._settle();
    }
  }

  get state(): INavigatorState {
    return { expanded: [...this._expanded] };
  }
  set state(state: INavigatorState) {
    this._expanded = new Set(state.expanded);
    this._settle();
  }

  isExpanded(id: string): boolean {
    return this._expanded.has(id) || (this._filter !== '' && !id.includes('/'));
  }

  toggle(id: string, expanded = !this._expanded.has(id)): void {
    if (expanded) {
      this._expanded.add(id);
    } else {
      this._expanded.delete(id);
    }
    this._settle();
  }

  /** How many there are of a kind, by status; undefined before it is known. */
  count(kind: Branch): studio.ResourceCount | undefined {
    return this._counts?.value?.Counts.find(each => each.Kind === kind);
  }

  rows(kind: Branch): Live<IRows> | undefined {
    return this._rows.get(kind);
  }

  get buckets(): Live<IBucket[]> | undefined {
    return this._buckets;
  }

  /** What lies below `bucket/prefix`, if that is open. */
  folder(path: string): Live<IFolder> | undefined {
    return this._folders.get(path);
  }

  /** Why nothing is there, when nothing is. */
  get error(): unknown {
    return this._counts?.error ?? null;
  }

  refresh(): void {
    this._sources().forEach(each => void each.refresh());
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    Signal.disconnectReceiver(this);
    this._sources().forEach(each => each.dispose());
    Signal.clearData(this);
  }

  private _onCapacity(): void {
    if (this._active) {
      this._changed.emit();
    }
  }

  /** See to it that there is a source for all that is open, and for nothing else. */
  private _settle(): void {
    if (!this._active || this._isDisposed) {
      return;
    }
    for (const kind of BRANCHES) {
      keep(this._rows, kind, this.isExpanded(kind), () => this._branch(kind));
    }
    if (this.isExpanded('data')) {
      this._buckets ??= this._live(
        signal => listBuckets(this._client, signal),
        event => event.type === 'object' && event.Prefix === ''
      );
    }
    const open = [...this._expanded]
      .filter(id => id.startsWith('data/') && this.isExpanded('data'))
      .map(id => id.slice('data/'.length));
    for (const path of new Set([...this._folders.keys(), ...open])) {
      keep(this._folders, path, open.includes(path), () => this._place(path));
    }
    this._changed.emit();
  }

  private _branch(kind: Branch): Live<IRows> {
    return this._live(
      async signal => {
        const request = { Kind: kind, Text: this._filter, Limit: MOST_ROWS };
        const { Rows, Total } = await this._client.call(
          'studio',
          'QueryResources',
          request,
          signal
        );
        return { rows: Rows, total: Total };
      },
      event => event.type === 'resource' && event.Kind === kind
    );
  }

  private _place(path: string): Live<IFolder> {
    const [bucket, prefix] = split(path);
    return this._live(
      signal => listFolder(this._client, bucket, prefix, undefined, signal),
      event =>
        event.type === 'object' &&
        event.Bucket === bucket &&
        (event.Prefix.startsWith(prefix) || prefix.startsWith(event.Prefix))
    );
  }

  private _live<T>(
    load: (signal: AbortSignal) => Promise<T>,
    when: (event: FeedEvent) => boolean
  ): Live<T> {
    const live = new Live<T>({
      feed: this._feed,
      load,
      when: event => this._active && when(event)
    });
    live.changed.connect(() => this._changed.emit());
    return live;
  }

  private _sources(): Live<unknown>[] {
    return [
      this._counts,
      this._buckets,
      ...this._rows.values(),
      ...this._folders.values()
    ].filter(each => each !== undefined);
  }

  private _active = false;
  private _filter = '';
  private _expanded = new Set<string>(['data', 'training-job', 'endpoint']);
  private _counts: Live<studio.CountResourcesResponse> | undefined;
  private _rows = new Map<Branch, Live<IRows>>();
  private _buckets: Live<IBucket[]> | undefined;
  private _folders = new Map<string, Live<IFolder>>();
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

/** "bucket/a/b/" -> ["bucket", "a/b/"]. */
export function split(path: string): [string, string] {
  const at = path.indexOf('/');
  return at < 0 ? [path, ''] : [path.slice(0, at), path.slice(at + 1)];
}

function keep<T>(
  sources: Map<string, Live<T>>,
  key: string,
  wanted: boolean,
  make: () => Live<T>
): void {
  if (!wanted) {
    sources.get(key)?.dispose();
    sources.delete(key);
  } else if (!sources.has(key)) {
    sources.set(key, make());
  }
}

import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { ISort } from '../components/grid';
import type { Client } from '../core/client';
import type { StudioView } from '../core/documents';
import type { Feed, FeedEvent } from '../core/feed';
import { Windows } from '../core/windows';
import type { IStudio } from '../tokens';
import type { studio } from '../wire';
import type { IJobKind } from './kinds';

/** What the table is narrowed to and how it is sorted: the arguments of the page. */
export interface IJobsQuery {
  /** Part of a name; words like `team=blue` are tags. */
  text?: string;
  statuses?: string[];
  /** Only jobs that were made in the last so many hours. */
  hours?: number;
  sort?: ISort;
}

/** Column -> how the server calls it. */
const SORTS: Record<string, string> = {
  name: 'Name',
  status: 'Status',
  created: 'CreationTime',
  modified: 'LastModifiedTime',
  duration: 'Duration'
};
const NEWEST: ISort = { by: 'created', descending: true };
const PACE_MS = 300;
const HOUR = 3600;

const models = new WeakMap<StudioView, JobsModel>();

/** The jobs that a page shows: asked for from the first call on, let go of with the page. */
export function jobsOf(
  view: StudioView,
  { client, feed }: IStudio,
  kind: IJobKind
): JobsModel {
  const known = models.get(view);
  if (known) {
    return known;
  }
  const made = new JobsModel(client, feed, kind, view.args);
  models.set(view, made);
  view.disposed.connect(() => made.dispose());
  made.rows.ensure(0, 0);
  return made;
}

/** The jobs that a table shows: windows of what the server sorts and filters, kept up to date. */
export class JobsModel implements IDisposable {
  constructor(
    private _client: Client,
    feed: Feed,
    private _kind: IJobKind,
    query: IJobsQuery = {}
  ) {
    this._request = asked(_kind, query);
    this._hours = query.hours;
    this.rows = new Windows({
      load: (offset, limit) => this._load(offset, limit)
    });
    feed.events.connect(this._onEvent, this);
  }

  readonly rows: Windows<studio.ResourceRow>;

  /** How many jobs there are of each status, whatever statuses are chosen. */
  get counts(): Readonly<Record<string, number>> {
    return this._counts;
  }

  /** How many jobs there are in all. */
  get unfiltered(): number {
    return this._unfiltered;
  }

  get countsChanged(): ISignal<this, void> {
    return this._countsChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Ask for other rows; the same question again does nothing. */
  ask(query: IJobsQuery): void {
    const request = asked(this._kind, query);
    if (JSON.stringify(request) !== JSON.stringify(this._request)) {
      this._request = request;
      this._hours = query.hours;
      this.rows.reset();
    }
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    clearTimeout(this._timer);
    Signal.disconnectReceiver(this);
    this.rows.dispose();
    Signal.clearData(this);
  }

  private async _load(
    Offset: number,
    Limit: number
  ): Promise<{ rows: studio.ResourceRow[]; total: number }> {
    const since = this._hours
      ? { CreatedAfter: Math.floor(Date.now() / 1000 - this._hours * HOUR) }
      : {};
    const request = this._request;
    const answer = await this._client.call('studio', 'QueryResources', {
      ...request,
      ...since,
      Offset,
      Limit
    });
    if (request === this._request) {
      this._counts = answer.CountsByStatus;
      this._unfiltered = answer.Unfiltered;
      this._countsChanged.emit();
    }
    return { rows: answer.Rows, total: answer.Total };
  }

  private _onEvent(_: Feed, event: FeedEvent): void {
    const concerns =
      event.type === 'reset' ||
      ((event.type === 'resource' || event.type === 'metrics') &&
        event.Kind === this._kind.kind);
    if (concerns && !this._timer) {
      // The first of many changes is shown at once, the rest together.
      const pause = Math.max(0, this._last + PACE_MS - Date.now());
      this._timer = setTimeout(() => {
        this._timer = undefined;
        this._last = Date.now();
        this.rows.invalidate();
      }, pause);
    }
  }

  private _request: studio.QueryResourcesRequest;
  private _hours: number | undefined;
  private _unfiltered = 0;
  private _counts: Readonly<Record<string, number>> = {};
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _last = 0;
  private _isDisposed = false;
  private _countsChanged = new Signal<this, void>(this);
}

/** The request for what a query asks for. */
export function asked(
  { kind }: IJobKind,
  query: IJobsQuery
): studio.QueryResourcesRequest {
  const sort = query.sort ?? NEWEST;
  const words = (query.text ?? '').split(/\s+/).filter(Boolean);
  const tags = words.filter(word => /^[^=]+=/.test(word));
  const text = words.filter(word => !tags.includes(word)).join(' ');
  return {
    Kind: kind,
    ...(text && { Text: text }),
    ...(tags.length && { Tags: tags.map(tag) }),
    ...(query.statuses?.length && { Statuses: query.statuses }),
    SortBy: SORTS[sort.by] ?? SORTS[NEWEST.by],
    SortOrder: sort.descending ? 'Descending' : 'Ascending'
  };
}

function tag(word: string): studio.Tag {
  const at = word.indexOf('=');
  return { Key: word.slice(0, at), Value: word.slice(at + 1) };
}

/** Seconds that a job runs or ran; undefined before its start. `now` is in milliseconds. */
export function seconds(
  row: studio.ResourceRow,
  now: number
): number | undefined {
  if (row.StartTime === undefined) {
    return undefined;
  }
  return (
    row.DurationSeconds ??
    Math.max(0, (row.EndTime ?? now / 1000) - row.StartTime)
  );
}

/** "683…amazonaws.com/sagemaker-xgboost:1.7-1" -> "sagemaker-xgboost:1.7-1". */
export function algorithm(image: string | undefined): string {
  return image?.slice(image.lastIndexOf('/') + 1) ?? '';
}

/** Whether a job has something left to do, and can be stopped. */
export function runs(row: studio.ResourceRow): boolean {
  return row.Status === 'InProgress' || row.Status === 'Stopping';
}

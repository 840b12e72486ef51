import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { bytesOf } from '../../core/base64';
import type { Client } from '../../core/client';
import type { Feed, FeedEvent } from '../../core/feed';
import type { studio } from '../../wire';

/** What to look for. */
export interface IQuery {
  text: string;
  regex: boolean;
  matchCase: boolean;
}

const PAGE = 200;
const MOST_PAGES = 60;
const MOST_MATCHES = 10_000;

/**
 * The log of a job or an endpoint: any of its lines, what is found in it, kept up to date by events.
 *
 * Only the pages that are looked at are fetched, and the oldest of them are forgotten.
 */
export class LogModel implements IDisposable {
  constructor(private _options: LogModel.IOptions) {
    this._stream = _options.stream;
    _options.feed.events.connect(this._onEvent, this);
    void this.refresh();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** How many lines there are; undefined before the first answer. */
  get lines(): number | undefined {
    return this._log?.Lines;
  }

  get bytes(): number {
    return this._log?.Bytes ?? 0;
  }

  /** Nothing will be added any more. */
  get ended(): boolean {
    return this._log?.Ended ?? false;
  }

  get streams(): studio.LogStream[] {
    return this._log?.Streams ?? [];
  }

  get stream(): string | undefined {
    return this._log?.Stream;
  }

  /** The number of the first line that tells of an error; undefined for none, or not known yet. */
  get firstError(): number | undefined {
    return this._log?.FirstErrorLine;
  }

  get traceback(): studio.LogExcerpt | undefined {
    return this._log?.Traceback;
  }

  get error(): unknown {
    return this._error;
  }

  /** Numbers of the lines that match, in order; the first 10,000. */
  get matches(): ReadonlyArray<number> {
    return this._matches;
  }

  /** How many lines match, of those that have been looked at. */
  get total(): number {
    return this._total;
  }

  get searching(): boolean {
    return this._searching;
  }

  /** Why the search failed: an expression that is none. */
  get searchError(): unknown {
    return this._searchError;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  line(number: number): studio.LogLine | undefined {
    return this._pages.get(Math.floor(number / PAGE))?.[number % PAGE];
  }

  /** See to it that the lines first..last are there, or come. */
  ensure(first: number, last: number): void {
    const end = Math.min(last, (this.lines ?? 0) - 1);
    const from = Math.floor(Math.max(0, first) / PAGE);
    for (let page = from; page * PAGE <= end; page++) {
      const wanted = Math.min(PAGE, this.lines! - page * PAGE);
      if (
        (this._pages.get(page)?.length ?? 0) < wanted ||
        this._stale.has(page)
      ) {
        void this._fetch(page);
      }
    }
  }

  /** Lines as they are, however many: what is copied. */
  async texts(first: number, last: number): Promise<string[]> {
    const found: string[] = [];
    while (first + found.length <= last) {
      const { LogLines } = await this._get(
        first + found.length,
        Math.min(last - first - found.length + 1, 1000)
      );
      if (!LogLines.length) {
        break;
      }
      found.push(...LogLines.map(line => line.Text));
    }
    return found;
  }

  /** The bytes of the whole log, as the program wrote them. */
  async download(onProgress: (share: number) => void): Promise<Blob> {
    const parts: BlobPart[] = [];
    let at = 0;
    for (;;) {
      const { Data, Bytes } = await this._options.client.call(
        'studio',
        'ReadLog',
        { ...this._of(), Start: at }
      );
      const part = bytesOf(Data);
      parts.push(part);
      at += part.length;
      onProgress(Bytes ? at / Bytes : 1);
      if (at >= Bytes || !part.length) {
        return new Blob(parts, { type: 'text/plain' });
      }
    }
  }

  /** Show another stream. */
  choose(stream: string): void {
    if (stream !== this.stream) {
      this._stream = stream;
      this._log = undefined;
      this._forget();
      void this.refresh();
    }
  }

  /** Look for something else; an empty text for nothing. */
  search(query: IQuery): void {
    this._query = query;
    this._matches = [];
    this._total = this._searched = 0;
    this._searchError = null;
    this._searches++;
    void this._search(this._searches);
    this._changed.emit();
  }

  /** Ask how long the log is now; resolves when that is known. */
  refresh(): Promise<void> {
    this._again = true;
    this._refreshing ??= this._refresh();
    return this._refreshing;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      Signal.disconnectReceiver(this);
      Signal.clearData(this);
    }
  }

  private async _refresh(): Promise<void> {
    while (this._again && !this._isDisposed) {
      this._again = false;
      await this._describe();
    }
    this._refreshing = null;
  }

  private async _describe(): Promise<void> {
    const stream = this._stream;
    // Errors take a while to look for: the first answer comes without.
    const first = this._log === undefined;
    try {
      const { client, kind, name } = this._options;
      const log = await client.call('studio', 'DescribeLog', {
        Kind: kind,
        Name: name,
        Stream: stream,
        Errors: !first
      });
      if (this._isDisposed || stream !== this._stream) {
        return;
      }
      this._error = null;
      await this._prefetch(log);
      this._update(log);
      this._again ||= first && log.Lines > 0;
    } catch (error) {
      this._error = error;
    }
    this._emit();
  }

  /** Where the end is looked at, its new lines come before it is said how many they are. */
  private async _prefetch(log: studio.DescribeLogResponse): Promise<void> {
    const before = this._log;
    if (!before?.Lines || before.Stream !== log.Stream) {
      return;
    }
    if (before.Bytes !== log.Bytes) {
      // The last line may have been half a line.
      const last = Math.floor((before.Lines - 1) / PAGE);
      this._stale.add(last);
      const end = Math.floor((log.Lines - 1) / PAGE);
      if (this._pages.has(last)) {
        await Promise.all([...new Set([last, end])].map(it => this._fetch(it)));
      }
    }
  }

  private _update(log: studio.DescribeLogResponse): void {
    const before = this._log;
    this._log = log;
    if (before && (log.Stream !== before.Stream || log.Bytes < before.Bytes)) {
      this._forget();
    }
    if (this._query?.text && !this._searching) {
      void this._search(this._searches);
    }
  }

  private async _fetch(page: number): Promise<void> {
    if (this._fetching.has(page)) {
      return;
    }
    this._fetching.add(page);
    this._stale.delete(page);
    const age = this._age;
    const found: studio.LogLine[] = [];
    try {
      while (found.length < PAGE) {
        const start = page * PAGE + found.length;
        const { LogLines, Lines } = await this._get(start, PAGE - found.length);
        found.push(...LogLines);
        if (!LogLines.length || start + LogLines.length >= Lines) {
          break;
        }
      }
      if (age === this._age) {
        this._keep(page, found);
        this._error = null;
      }
    } catch (error) {
      this._error = error;
    }
    this._fetching.delete(page);
    this._emit();
  }

  private _keep(page: number, found: studio.LogLine[]): void {
    this._pages.delete(page);
    this._pages.set(page, found);
    for (const old of this._pages.keys()) {
      if (this._pages.size <= MOST_PAGES) {
        break;
      }
      this._pages.delete(old);
    }
  }

  private async _search(number: number): Promise<void> {
    const query = this._query;
    if (!query?.text || !this.stream) {
      return;
    }
    this._searching = true;
    try {
      let lines = Infinity;
      while (this._searched < lines && number === this._searches) {
        const found = await this._options.client.call('studio', 'SearchLog', {
          ...this._of(),
          Query: query.text,
          Regex: query.regex,
          CaseSensitive: query.matchCase,
          From: this._searched,
          Limit: Math.max(1, MOST_MATCHES - this._matches.length)
        });
        if (number !== this._searches || this._isDisposed) {
          return;
        }
        const room = MOST_MATCHES - this._matches.length;
        this._matches = [...this._matches, ...found.Matches.slice(0, room)];
        this._total += found.Total;
        this._searched = found.Searched;
        lines = found.Lines;
        this._changed.emit();
      }
    } catch (error) {
      this._searchError = error;
    } finally {
      if (number === this._searches) {
        this._searching = false;
        this._emit();
      }
    }
  }

  private _get(
    start: number,
    count: number
  ): Promise<studio.GetLogLinesResponse> {
    return this._options.client.call('studio', 'GetLogLines', {
      ...this._of(),
      Start: start,
      Count: count
    });
  }

  private _of(): { Kind: string; Name: string; Stream: string | undefined } {
    const { kind, name } = this._options;
    return { Kind: kind, Name: name, Stream: this.stream };
  }

  private _forget(): void {
    this._age++;
    this._pages.clear();
    this._stale.clear();
    this.search(this._query ?? { text: '', regex: false, matchCase: false });
  }

  private _onEvent(_: Feed, event: FeedEvent): void {
    const { kind, name } = this._options;
    const mine =
      (event.type === 'log' || event.type === 'resource') &&
      event.Kind === kind &&
      event.Name === name;
    if (mine || event.type === 'reset') {
      void this.refresh();
    }
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private _stream: string | undefined;
  private _log: studio.DescribeLogResponse | undefined;
  private _error: unknown = null;
  private _refreshing: Promise<void> | null = null;
  private _again = false;
  private _pages = new Map<number, studio.LogLine[]>();
  private _fetching = new Set<number>();
  private _stale = new Set<number>();
  private _age = 0;
  private _query: IQuery | undefined;
  private _matches: number[] = [];
  private _total = 0;
  private _searched = 0;
  private _searches = 0;
  private _searching = false;
  private _searchError: unknown = null;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

export namespace LogModel {
  export interface IOptions {
    client: Client;
    feed: Feed;
    kind: 'training-job' | 'processing-job' | 'transform-job' | 'endpoint';
    name: string;
    /** The stream; without it the one that tells most. */
    stream?: string;
  }
}

/** The place in `matches` of the next match after `line`, or before it; round the ends. */
export function nextMatch(
  matches: ReadonlyArray<number>,
  line: number,
  forward: boolean
): number {
  if (forward) {
    const at = matches.findIndex(match => match > line);
    return at < 0 ? 0 : at;
  }
  for (let at = matches.length - 1; at >= 0; at--) {
    if (matches[at] < line) {
      return at;
    }
  }
  return matches.length - 1;
}

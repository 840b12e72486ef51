import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { ISort } from '../components/grid';
import type { IStudio } from '../tokens';
import { type IEntry, type IPlace, Listing, sorted } from './listing';

export const NO_PLACE: IPlace = { bucket: '', prefix: '', filter: '' };
const BY_NAME: ISort = { by: 'name', descending: false };

/** Where the S3 browser is, what it shows there, and what is selected. */
export class Browser implements IDisposable {
  constructor(private _studio: IStudio) {}

  get place(): IPlace {
    return this._history[this._at];
  }

  get sort(): ISort {
    return this._sort;
  }

  set sort(sort: ISort) {
    this._sort = sort;
    this._arrange();
  }

  /** The entries of the place in the order of `sort`. */
  get entries(): ReadonlyArray<IEntry> {
    return this._entries;
  }

  /** The listing behind them; undefined before the first visit. */
  get listing(): Listing | undefined {
    return this._listing;
  }

  /** Ids of the entries that are selected. */
  get selected(): ReadonlySet<string> {
    return this._selected;
  }

  set selected(selected: ReadonlySet<string>) {
    this._selected = selected;
    this._changed.emit();
  }

  /** The entries that are selected, those that were deleted meanwhile left out. */
  get selection(): IEntry[] {
    return this._entries.filter(entry => this._selected.has(idOf(entry)));
  }

  get canGoBack(): boolean {
    return this._at > 0;
  }

  get canGoForward(): boolean {
    return this._at < this._history.length - 1;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The S3 URI of an entry. */
  uriOf(entry: IEntry): string {
    return entry.kind === 'bucket'
      ? `s3://${entry.name}/`
      : `s3://${this.place.bucket}/${entry.key}`;
  }

  /** Show another place; a new filter of the same place is no step of the history. */
  go(place: Partial<IPlace>): void {
    const to = { ...NO_PLACE, ...place };
    const from = this.place;
    if (samePlace(from, to) && this._listing) {
      return;
    }
    const step = from.bucket !== to.bucket || from.prefix !== to.prefix;
    if (step && this._listing) {
      this._history.splice(this._at + 1, Infinity, to);
      this._at++;
    } else {
      this._history[this._at] = to;
    }
    this._show();
  }

  back(): void {
    if (this.canGoBack) {
      this._at--;
      this._show();
    }
  }

  forward(): void {
    if (this.canGoForward) {
      this._at++;
      this._show();
    }
  }

  /** To the folder around this one; from the top of a bucket to the buckets. */
  up(): void {
    const { bucket, prefix } = this.place;
    this.go(prefix ? { bucket, prefix: parentOf(prefix) } : NO_PLACE);
  }

  refresh(): void {
    this._listing?.refresh();
  }

  /** Nobody looks any more: stop following the place. */
  leave(): void {
    this._listing?.dispose();
    this._listing = undefined;
    this._entries = [];
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this.leave();
      Signal.clearData(this);
    }
  }

  private _show(): void {
    this._listing?.dispose();
    this._selected = new Set();
    this._listing = new Listing(
      this._studio.client,
      this._studio.feed,
      this.place
    );
    this._listing.changed.connect(this._arrange, this);
    this._arrange();
  }

  private _arrange(): void {
    this._entries = sorted(this._listing?.entries ?? [], this._sort);
    this._changed.emit();
  }

  private _history: IPlace[] = [NO_PLACE];
  private _at = 0;
  private _sort = BY_NAME;
  private _listing: Listing | undefined;
  private _entries: ReadonlyArray<IEntry> = [];
  private _selected: ReadonlySet<string> = new Set();
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

/** What tells an entry from the others of its place. */
export function idOf(entry: IEntry): string {
  return entry.kind === 'bucket' ? entry.name : entry.key;
}

/** "a/b/" -> "a/"; "a/" -> "". */
export function parentOf(prefix: string): string {
  return prefix.slice(0, prefix.replace(/\/$/, '').lastIndexOf('/') + 1);
}

function samePlace(a: IPlace, b: IPlace): boolean {
  return (
    a.bucket === b.bucket && a.prefix === b.prefix && a.filter === b.filter
  );
}

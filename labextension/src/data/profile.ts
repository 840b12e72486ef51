import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Client } from '../core/client';
import { ask, isProgress } from '../core/answers';
import type {
  ColumnProfile,
  DataFacts,
  Finding,
  ProfilePart,
  Source,
  TargetReport
} from '../core/protocol';

/** What is known of a data set so far: soon of a sample, later of every row. */
export class ProfileModel implements IDisposable {
  constructor(
    private _client: Client,
    readonly source: Source
  ) {}

  get data(): DataFacts | null {
    return this._data;
  }

  get columns(): ReadonlyArray<ColumnProfile> {
    return this._columns;
  }

  get findings(): ReadonlyArray<Finding> {
    return this._findings;
  }

  get target(): TargetReport | null {
    return this._target;
  }

  /** Words that the findings and figures mean. */
  get definitions(): Readonly<Record<string, string>> {
    return this._definitions;
  }

  /** 0 to 1, and what is done at the moment. */
  get progress(): { progress: number; doing: string } {
    return this._progress;
  }

  get running(): boolean {
    return this._abort !== null;
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

  column(name: string | undefined | null): ColumnProfile | undefined {
    return name === undefined || name === null
      ? undefined
      : this._byName.get(name);
  }

  /** Look at the data, with a target or without; what is known stays until it is replaced. */
  async run(target?: string): Promise<void> {
    this._abort?.abort();
    const abort = (this._abort = new AbortController());
    this._error = null;
    this._progress = { progress: 0, doing: '' };
    this._changed.emit();
    try {
      const args = { source: this.source, target: target ?? null };
      for await (const part of ask(
        this._client,
        'profile',
        args,
        abort.signal
      )) {
        if (abort.signal.aborted) {
          return;
        }
        this._progress = part;
        if (!isProgress(part)) {
          this._take(part);
        }
        this._changed.emit();
      }
    } catch (error) {
      if (abort.signal.aborted) {
        return;
      }
      this._error = error;
    }
    if (this._abort === abort) {
      this._abort = null;
      this._changed.emit();
    }
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._abort?.abort();
    Signal.clearData(this);
  }

  private _take(part: ProfilePart): void {
    this._data = part.data;
    if (part.phase === 'sample') {
      this._places = [];
      this._target = part.target;
    }
    for (const column of part.columns) {
      this._places[column.index] = column;
    }
    this._columns = Object.values(this._places);
    this._byName = new Map(this._columns.map(each => [each.name, each]));
    this._findings = part.findings ?? this._findings;
    this._target = part.target ?? this._target;
    this._definitions = { ...this._definitions, ...part.definitions };
  }

  private _abort: AbortController | null = null;
  private _byName = new Map<string, ColumnProfile>();
  private _columns: ColumnProfile[] = [];
  private _data: DataFacts | null = null;
  private _definitions: Record<string, string> = {};
  private _error: unknown = null;
  private _findings: Finding[] = [];
  private _isDisposed = false;
  /** Columns where they stand in the data; those not known yet are holes. */
  private _places: ColumnProfile[] = [];
  private _progress = { progress: 0, doing: '' };
  private _target: TargetReport | null = null;
  private _changed = new Signal<this, void>(this);
}

import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Client } from '../core/client';
import { ApiError, told } from '../core/errors';
import { sendObject } from './multipart';
import { put, type Put } from './transport';

/** A file to send. */
export interface IFile {
  key: string;
  size: number;
  /** The bytes; asked for when their turn comes. */
  read: () => Promise<Blob>;
}

export type UploadState =
  'waiting' | 'sending' | 'done' | 'failed' | 'cancelled';

/** A file on its way. */
export interface IUpload {
  readonly id: number;
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  readonly state: UploadState;
  /** Bytes that were sent. */
  readonly sent: number;
  readonly error: string;
  /** Whether it failed because there is an object of that key. */
  readonly taken: boolean;
}

/** All files on their way together. */
export interface ITotals {
  files: number;
  done: number;
  failed: number;
  /** Bytes of files that are neither cancelled nor failed. */
  size: number;
  sent: number;
  /** Bytes a second over the last seconds; 0 while unknown. */
  speed: number;
  /** Whether anything is waiting or being sent. */
  busy: boolean;
}

type IJob = { -readonly [name in keyof IUpload]: IUpload[name] };

const FILES_AT_ONCE = 2;
const EMIT_MS = 100;
const SPEED_MS = 5_000;

/**
 * Uploads of this JupyterLab, whichever page began them; they go on when the page is closed.
 *
 * An object that is there already is replaced only when `replace` says so.
 */
export class Uploads implements IDisposable {
  constructor(
    private _client: Client,
    private _put: Put = put
  ) {
    window.addEventListener('beforeunload', this._onUnload);
  }

  get items(): ReadonlyArray<IUpload> {
    return this._jobs;
  }

  get totals(): ITotals {
    const counted = this._jobs.filter(
      job => job.state !== 'cancelled' && job.state !== 'failed'
    );
    const sum = (of: (job: IJob) => number) =>
      counted.reduce((total, job) => total + of(job), 0);
    const inState = (state: UploadState) =>
      this._jobs.filter(job => job.state === state).length;
    return {
      files: this._jobs.length,
      done: inState('done'),
      failed: inState('failed'),
      size: sum(job => job.size),
      sent: sum(job => job.sent),
      speed: this._speed,
      busy: inState('waiting') + inState('sending') > 0
    };
  }

  /** Emitted at most ten times a second. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Resolves once all are over, to whether all are there. */
  async add(
    bucket: string,
    files: IFile[],
    replace: (key: string) => boolean
  ): Promise<boolean> {
    const added = files.map(file => {
      const job: IJob = {
        id: this._count++,
        bucket,
        key: file.key,
        size: file.size,
        state: 'waiting',
        sent: 0,
        error: '',
        taken: false
      };
      this._jobs.push(job);
      this._sources.set(job.id, { file, replace: replace(file.key) });
      return job;
    });
    this._go();
    while (added.some(isActive)) {
      await new Promise<void>(resolve => this._over.push(resolve));
    }
    return added.every(job => job.state === 'done');
  }

  cancel(id: number): void {
    const job = this._job(id);
    if (job && isActive(job)) {
      job.state = 'cancelled';
      this._aborts.get(id)?.abort();
      this._go();
    }
  }

  cancelAll(): void {
    for (const { id } of [...this._jobs]) {
      this.cancel(id);
    }
  }

  /** Send again what failed or was cancelled; with `replace` over what is there. */
  retry(id: number, replace = false): void {
    const job = this._job(id);
    const source = this._sources.get(id);
    if (
      job &&
      source &&
      (job.state === 'failed' || job.state === 'cancelled')
    ) {
      source.replace ||= replace;
      Object.assign(job, {
        state: 'waiting',
        sent: 0,
        error: '',
        taken: false
      });
      this._go();
    }
  }

  /** Forget what is over. */
  clear(): void {
    for (const job of this._jobs) {
      if (!isActive(job)) {
        this._sources.delete(job.id);
      }
    }
    this._jobs = this._jobs.filter(job => this._sources.has(job.id));
    this._emit();
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      window.removeEventListener('beforeunload', this._onUnload);
      this._aborts.forEach(abort => abort.abort());
      clearTimeout(this._timer);
      Signal.clearData(this);
    }
  }

  private _go(): void {
    this._emit();
    this._over.splice(0).forEach(resolve => resolve());
    for (const job of this._jobs) {
      if (this._aborts.size >= FILES_AT_ONCE) {
        return;
      }
      if (job.state === 'waiting') {
        void this._send(job);
      }
    }
  }

  private async _send(job: IJob): Promise<void> {
    const { file, replace } = this._sources.get(job.id)!;
    const abort = new AbortController();
    this._aborts.set(job.id, abort);
    job.state = 'sending';
    try {
      const bytes = await file.read();
      job.size = bytes.size;
      await sendObject(this._client, job, bytes, {
        put: this._put,
        replace,
        signal: abort.signal,
        onProgress: sent => {
          job.sent = Math.min(sent, job.size);
          this._emit();
        }
      });
      Object.assign(job, { state: 'done', sent: job.size });
    } catch (error) {
      if (!abort.signal.aborted) {
        const taken = error instanceof ApiError && error.status === 412;
        Object.assign(job, { state: 'failed', error: told(error), taken });
      }
    }
    this._aborts.delete(job.id);
    if (!this._isDisposed) {
      this._go();
    }
  }

  private _job(id: number): IJob | undefined {
    return this._jobs.find(job => job.id === id);
  }

  private _emit(): void {
    this._timer ??= setTimeout(() => {
      this._timer = undefined;
      this._measure();
      this._changed.emit();
    }, EMIT_MS);
  }

  private _measure(): void {
    const { busy, sent } = this.totals;
    const now = Date.now();
    this._points = busy
      ? this._points.filter(([at]) => at > now - SPEED_MS)
      : [];
    this._points.push([now, sent]);
    const [[from, before]] = this._points;
    const seconds = (now - from) / 1000;
    this._speed = seconds > 0.5 ? Math.max(0, sent - before) / seconds : 0;
  }

  private _onUnload = (event: BeforeUnloadEvent): void => {
    if (this.totals.busy) {
      event.preventDefault();
    }
  };

  private _jobs: IJob[] = [];
  private _sources = new Map<number, { file: IFile; replace: boolean }>();
  private _aborts = new Map<number, AbortController>();
  /** Who waits for the end of uploads. */
  private _over: (() => void)[] = [];
  private _count = 0;
  /** When how much was sent, of the last seconds. */
  private _points: [number, number][] = [];
  private _speed = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

function isActive(job: IUpload): boolean {
  return job.state === 'waiting' || job.state === 'sending';
}

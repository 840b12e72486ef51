import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { type Client, type IWritten, lines } from './client';

/** Something changed; `type` says what the rest holds. */
export type FeedEvent =
  | {
      type: 'resource';
      Kind: string;
      Name: string;
      Arn: string;
      Status: string;
      SecondaryStatus?: string;
      Change: 'created' | 'changed' | 'deleted';
      At: number;
    }
  | { type: 'object'; Bucket: string; Prefix: string }
  | { type: 'log'; Kind: string; Name: string; Stream: string; Bytes: number }
  | { type: 'metrics'; Kind: string; Name: string }
  | ({ type: 'capacity' } & Record<string, unknown>)
  | { type: 'images' }
  | { type: 'reset' };

/** `paused`: the page is hidden, nobody looks. */
export type FeedStatus = 'connecting' | 'live' | 'offline' | 'paused';

const SILENCE_MS = 25_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const HIDDEN_MS = 60_000;

/**
 * The one stream of events of a page.
 *
 * It goes on where it was cut off; where that is impossible a `reset` tells to fetch anew. A page
 * that is hidden for a while lets go of its connection: browsers have six for a host.
 */
export class Feed implements IDisposable {
  constructor(private _client: Client) {
    _client.wrote.connect(this._onWritten, this);
  }

  get events(): ISignal<this, FeedEvent> {
    return this._events;
  }

  get status(): FeedStatus {
    return this._status;
  }

  get statusChanged(): ISignal<this, FeedStatus> {
    return this._statusChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  start(): void {
    document.addEventListener('visibilitychange', this._onVisibility);
    window.addEventListener('online', this._wake);
    void this._run();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    document.removeEventListener('visibilitychange', this._onVisibility);
    window.removeEventListener('online', this._wake);
    clearTimeout(this._hiding);
    this._abort?.abort();
    this._wake();
    Signal.disconnectReceiver(this);
    Signal.clearData(this);
  }

  private async _run(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!this._isDisposed) {
      if (this._paused) {
        this._become('paused');
        await this._sleep(2 ** 31 - 1);
        continue;
      }
      const begun = Date.now();
      try {
        await this._listen();
      } catch {
        // Whatever it was, the next attempt tells.
      }
      if (this._isDisposed || this._paused) {
        continue;
      }
      this._become('offline');
      pause = Date.now() - begun > LONGEST_PAUSE_MS ? FIRST_PAUSE_MS : pause;
      await this._sleep(pause * (0.75 + Math.random() / 2));
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
  }

  private async _listen(): Promise<void> {
    const abort = (this._abort = new AbortController());
    let watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
    try {
      const headers: Record<string, string> = { Accept: 'text/event-stream' };
      if (this._last) {
        headers['Last-Event-ID'] = this._last;
      }
      const response = await this._client.fetch('events', {
        headers,
        signal: abort.signal
      });
      this._become('live');
      if (!this._last) {
        // What was fetched before may have changed since.
        this._events.emit({ type: 'reset' });
      }
      const message = { type: '', data: '', id: '' };
      for await (const line of lines(response)) {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
        this._read(line.replace(/\r$/, ''), message);
      }
    } finally {
      clearTimeout(watchdog);
      abort.abort();
    }
  }

  private _read(
    line: string,
    message: { type: string; data: string; id: string }
  ): void {
    if (line) {
      const at = line.indexOf(':');
      const value = line.slice(at + 1).replace(/^ /, '');
      const field = line.slice(0, at);
      if (field === 'event') {
        message.type = value;
      } else if (field === 'data') {
        message.data += value;
      } else if (field === 'id') {
        message.id = value;
      }
      return;
    }
    this._last = message.id || this._last;
    if (message.type && !this._isDisposed) {
      const data = JSON.parse(message.data || '{}') as object;
      this._events.emit({ ...data, type: message.type } as FeedEvent);
    }
    message.type = message.data = message.id = '';
  }

  private _onWritten(_: Client, { bucket, key }: IWritten): void {
    const Prefix = key.slice(0, key.lastIndexOf('/') + 1);
    this._events.emit({ type: 'object', Bucket: bucket, Prefix });
  }

  private _become(status: FeedStatus): void {
    if (status !== this._status) {
      this._status = status;
      this._statusChanged.emit(status);
    }
  }

  private _sleep(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms);
      this._wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private _onVisibility = (): void => {
    clearTimeout(this._hiding);
    if (document.hidden) {
      this._hiding = setTimeout(() => {
        this._paused = true;
        this._abort?.abort();
      }, HIDDEN_MS);
    } else {
      this._paused = false;
      this._wake();
    }
  };

  private _wake = (): void => this._wakeUp();

  private _wakeUp: () => void = () => undefined;
  private _abort: AbortController | null = null;
  private _hiding: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
  private _last = '';
  private _paused = false;
  private _status: FeedStatus = 'connecting';
  private _events = new Signal<this, FeedEvent>(this);
  private _statusChanged = new Signal<this, FeedStatus>(this);
}

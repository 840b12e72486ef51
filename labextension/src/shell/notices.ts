import { Notification } from '@jupyterlab/apputils';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import type { Feed, FeedEvent } from '../core/feed';
import { type IJobKind, JOB_KINDS } from '../jobs/kinds';
import type { IStudio } from '../tokens';

/** The settings of notices, as the schema has them. */
export interface INoticeSettings {
  /** Of which jobs to tell when they end. */
  notices: 'all' | 'failed' | 'none';
}

const PAUSE_MS = 1500;
const MOST_NAMED = 3;

/** Tells when jobs end, those of a moment together. */
export class Notices implements IDisposable {
  constructor(private _studio: IStudio) {
    _studio.feed.events.connect(this._onEvent, this);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  configure(settings: INoticeSettings): void {
    this._wanted = settings.notices;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      clearTimeout(this._timer);
      Signal.disconnectReceiver(this);
    }
  }

  private _onEvent(_: Feed, event: FeedEvent): void {
    const kind = JOB_KINDS.find(
      each => event.type === 'resource' && each.kind === event.Kind
    );
    if (event.type !== 'resource' || !kind) {
      return;
    }
    // A change of its tags, say, is no end: only who was seen at work can end.
    const worked = this._working.has(event.Arn);
    if (event.Status === 'InProgress' || event.Status === 'Stopping') {
      this._working.add(event.Arn);
      return;
    }
    this._working.delete(event.Arn);
    const bad = event.Status === 'Failed';
    if (
      worked &&
      (this._wanted === 'all' || (bad && this._wanted === 'failed'))
    ) {
      this._ended.set(event.Arn, [kind, event.Name, event.Status]);
      this._timer ??= setTimeout(() => this._tell(), PAUSE_MS);
    }
  }

  private _tell(): void {
    const { commands, trans } = this._studio;
    const ended = [...this._ended.values()];
    this._ended.clear();
    this._timer = undefined;
    const texts = ended
      .slice(0, MOST_NAMED)
      .map(([, name, status]) => `${name}: ${status}`);
    const rest = ended.length - texts.length;
    const text = texts.join(', ') + (rest > 0 ? ` +${rest}` : '');
    const bad = ended.some(([, , status]) => status === 'Failed');
    const [kind, name] = ended[0];
    const show = () =>
      ended.length === 1
        ? commands.execute(kind.page, { name })
        : commands.execute(kind.table, {});
    Notification.emit(text, bad ? 'error' : 'success', {
      autoClose: 8000,
      actions: [{ label: trans.__('Show'), callback: () => void show() }]
    });
  }

  private _wanted: INoticeSettings['notices'] = 'none';
  private _working = new Set<string>();
  private _ended = new Map<string, [IJobKind, string, string]>();
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}

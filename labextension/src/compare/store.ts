import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { changed, type IHistory, redone, undone } from '../core/history';
import { type Change, INITIAL, type IViewState } from './state';

/** How long changes of one kind are one step of the history: a drag, a word that is typed. */
const MERGE_MS = 1000;

/** The state of an open view with its history; what every pane reads and changes. */
export interface IViewStore {
  readonly state: IViewState;
  /** Emitted after every change. */
  readonly changed: ISignal<IViewStore, void>;
  /** Replace the state; changes that come soon after each other with one `merge` are one step. */
  change(change: Change, merge?: string): void;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  undo(): void;
  redo(): void;
}

/** The store of one open view. */
export class ViewStore implements IViewStore, IDisposable {
  constructor(state: IViewState = INITIAL) {
    this._state = state;
  }

  get state(): IViewState {
    return this._state;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get canUndo(): boolean {
    return this._history.past.length > 0;
  }

  get canRedo(): boolean {
    return this._history.future.length > 0;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  change(change: Change, merge = ''): void {
    const next = change(this._state);
    if (JSON.stringify(next) === JSON.stringify(this._state)) {
      return;
    }
    const now = Date.now();
    const goesOn =
      merge !== '' && merge === this._merge && now - this._at < MERGE_MS;
    if (!goesOn) {
      this._history = changed(this._history, this._state);
    }
    this._merge = merge;
    this._at = now;
    this._become(next);
  }

  /** Begin anew with a state that came from elsewhere: the file was read. */
  reset(state: IViewState): void {
    this._history = { past: [], future: [] };
    this._merge = '';
    this._become(state);
  }

  undo(): void {
    this._go(undone(this._history, this._state));
  }

  redo(): void {
    this._go(redone(this._history, this._state));
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private _go(step: [IViewState, IHistory<IViewState>] | null): void {
    if (step) {
      this._history = step[1];
      this._merge = '';
      this._become(step[0]);
    }
  }

  private _become(state: IViewState): void {
    this._state = state;
    this._changed.emit();
  }

  private _state: IViewState;
  private _history: IHistory<IViewState> = { past: [], future: [] };
  private _merge = '';
  private _at = 0;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

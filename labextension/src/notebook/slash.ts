import type { CodeCell } from '@jupyterlab/cells';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { pickS3 } from '../components/s3picker';
import { notifyError } from '../core/errors';
import type { IStudio } from '../tokens';
import { whyNot } from './drops';
import { loader } from './loaders';
import { SlashList } from './slash-list';
import { type IThing, things } from './things';

const PAUSE_MS = 120;
/** What is typed while the list is open: one line, one slash. */
const TYPED = /^\/([^/\n]*)$/;

/** Open the list at a cell in which "/" stands, or is about to. */
export function openList(studio: IStudio, cell: CodeCell): void {
  current?.dispose();
  current = new Slash(studio, cell);
}

let current: Slash | null = null;

/** One open list: follows what is typed behind the slash until it is over. */
class Slash implements IDisposable {
  constructor(
    private _studio: IStudio,
    private _cell: CodeCell
  ) {
    this._list = new SlashList(_studio.trans, {
      items: null,
      active: 0,
      error: null
    });
    this._list.chosen.connect((_, thing) => void this._insert(thing));
    _cell.model.sharedModel.changed.connect(this._onText, this);
    _cell.disposed.connect(this.dispose, this);
    // JupyterLab's shortcuts listen at the document: these keys are the list's now.
    window.addEventListener('keydown', this._onKey, true);
    _cell.node.addEventListener('focusout', this._onBlur);
    this._onText();
  }

  get isDisposed(): boolean {
    return this._abort.signal.aborted;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._abort.abort();
    clearTimeout(this._timer);
    this._describe('', '');
    window.removeEventListener('keydown', this._onKey, true);
    this._cell.node.removeEventListener('focusout', this._onBlur);
    this._list.dispose();
    Signal.disconnectReceiver(this);
  }

  private _onText(): void {
    const source = this._cell.model.sharedModel.getSource();
    const typed = TYPED.exec(source);
    if (source === '' && !this._list.isAttached) {
      return; // the slash is on its way
    }
    if (!typed) {
      this.dispose();
      return;
    }
    if (!this._list.isAttached) {
      Widget.attach(this._list, document.body);
      this._stand();
    }
    clearTimeout(this._timer);
    this._timer = setTimeout(
      () => void this._look(typed[1].trim()),
      this._list.state.items ? PAUSE_MS : 0
    );
  }

  private async _look(text: string): Promise<void> {
    const state = { active: 0, error: null };
    try {
      const { signal } = this._abort;
      const items = await things(this._studio.client, text, signal);
      this._show({ ...state, items });
    } catch (error) {
      this._show({ ...state, items: this._list.state.items ?? [], error });
    }
  }

  private _show(state: SlashList['state']): void {
    if (!this.isDisposed) {
      this._list.state = state;
      this._describe(this._list.listId, this._list.activeId);
    }
  }

  /** Below the slash, or above where there is no room. */
  private _stand(): void {
    const line = this._cell.editorWidget?.node.querySelector('.cm-line');
    const { left, top, bottom } = (
      line ?? this._cell.node
    ).getBoundingClientRect();
    const { style } = this._list.node;
    const low = bottom > 0.6 * window.innerHeight;
    style.left = `${Math.max(8, Math.min(left, window.innerWidth - 440))}px`;
    style.top = low ? '' : `${bottom + 4}px`;
    style.bottom = low ? `${window.innerHeight - top + 4}px` : '';
  }

  /** Tell screen readers what the arrows are at. */
  private _describe(list: string, active: string): void {
    const editor = this._cell.editorWidget?.node.querySelector('.cm-content');
    for (const [name, value] of [
      ['aria-controls', list],
      ['aria-activedescendant', active]
    ]) {
      if (value) {
        editor?.setAttribute(name, value);
      } else {
        editor?.removeAttribute(name);
      }
    }
  }

  private async _insert(thing: IThing): Promise<void> {
    const { client, trans } = this._studio;
    const { sharedModel } = this._cell.model;
    this.dispose();
    try {
      const name =
        thing.name ||
        (await pickS3(this._studio, { title: trans.__('Load from S3') }));
      if (!name) {
        return;
      }
      sharedModel.setSource(await loader(client, { kind: thing.kind, name }));
      this._cell.editor?.focus();
    } catch (error) {
      notifyError(whyNot(trans, thing), error);
    }
  }

  private _onKey = (event: KeyboardEvent): void => {
    const { items, active } = this._list.state;
    const inCell = this._cell.node.contains(event.target as Node | null);
    if (
      !this._list.isAttached ||
      !inCell ||
      event.shiftKey ||
      event.ctrlKey ||
      event.isComposing
    ) {
      return;
    }
    const count = items?.length ?? 0;
    const act = {
      ArrowDown: () => this._move((active + 1) % count),
      ArrowUp: () => this._move((active + count - 1) % count),
      Enter: () => void this._insert(items![active]),
      Tab: () => void this._insert(items![active]),
      Escape: () => this.dispose()
    }[event.key];
    if (act && (count || event.key === 'Escape')) {
      event.preventDefault();
      event.stopPropagation();
      act();
    }
  };

  private _move(active: number): void {
    this._show({ ...this._list.state, active });
  }

  private _onBlur = (): void => this.dispose();

  private _list: SlashList;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _abort = new AbortController();
}

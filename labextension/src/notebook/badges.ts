import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import { Menu } from '@lumino/widgets';

import { tone } from '../components/parts';
import type { Feed, FeedEvent } from '../core/feed';
import { CommandIDs, type IStudio } from '../tokens';
import type { studio } from '../wire';

const PAUSE_MS = 400;
const MOST_CELLS = 2000;
const MOST_NAMED = 20;
const BADGE = 'jp-StudioRunBadge';

/** Below each cell of a notebook, the jobs that it started; fetched when it is shown, and when jobs come, change or go. */
export class Badges implements IDisposable {
  constructor(
    private _studio: IStudio,
    notebooks: INotebookTracker,
    private _panel: NotebookPanel
  ) {
    notebooks.currentChanged.connect(this._onCurrent, this);
    _studio.feed.events.connect(this._onEvent, this);
    _panel.content.modelContentChanged.connect(this._place, this);
    void _panel.revealed.then(() => this._soon());
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      clearTimeout(this._timer);
      Signal.disconnectReceiver(this);
    }
  }

  private _onEvent(_: Feed, event: FeedEvent): void {
    if (
      event.type === 'reset' ||
      (event.type === 'resource' && event.Kind === 'training-job')
    ) {
      this._soon();
    }
  }

  private _onCurrent(_: INotebookTracker, panel: NotebookPanel | null): void {
    if (panel === this._panel && this._stale) {
      this._soon();
    }
  }

  private _soon(): void {
    // What nobody sees is fetched when somebody does.
    this._stale = !this._panel.isVisible;
    if (!this._isDisposed && !this._stale) {
      this._timer ??= setTimeout(() => {
        this._timer = undefined;
        void this._fetch();
      }, PAUSE_MS);
    }
  }

  private async _fetch(): Promise<void> {
    const cells = this._panel.content.widgets
      .filter(cell => cell.model.type === 'code')
      .map(cell => cell.model.id)
      .slice(0, MOST_CELLS);
    if (!cells.length) {
      return;
    }
    try {
      const { client } = this._studio;
      const request = { CellIds: cells };
      const { Jobs } = await client.call('studio', 'ListCellJobs', request);
      this._jobs = byCell(Jobs);
    } catch {
      return; // the badges that are there stay; the next event asks again
    }
    if (!this._isDisposed) {
      this._place();
    }
  }

  private _place(): void {
    if (!this._jobs.size && !this._panel.node.querySelector(`.${BADGE}`)) {
      return;
    }
    for (const cell of this._panel.content.widgets) {
      const jobs = this._jobs.get(cell.model.id) ?? [];
      const key = JSON.stringify(jobs);
      const there = cell.node.querySelector<HTMLElement>(`:scope > .${BADGE}`);
      if (there?.dataset.key === key || (!there && !jobs.length)) {
        continue;
      }
      there?.remove();
      const above = cell.node.querySelector(':scope > .jp-Cell-inputWrapper');
      if (jobs.length) {
        above?.after(this._made(jobs, key));
      }
    }
  }

  private _made(jobs: studio.CellJob[], key: string): HTMLElement {
    const { commands, trans } = this._studio;
    const [latest] = jobs;
    const badge = document.createElement('button');
    const dot = document.createElement('span');
    badge.className = BADGE;
    badge.dataset.key = key;
    dot.className = `jp-StudioStatus-dot jp-mod-${tone(latest.Status)}`;
    const said =
      jobs.length === 1
        ? `${latest.Name} · ${latest.Status}`
        : trans.__('%1 jobs · last: %2', jobs.length, latest.Status);
    badge.append(dot, said);
    badge.title = trans.__('Started by this cell: %1', names(jobs));
    badge.onclick = event => {
      event.stopPropagation();
      if (jobs.length === 1) {
        void commands.execute(CommandIDs.openJob, { name: latest.Name });
      } else {
        this._choose(jobs, badge);
      }
    };
    return badge;
  }

  private _choose(jobs: studio.CellJob[], badge: HTMLElement): void {
    const menu = new Menu({ commands: this._studio.commands });
    for (const { Name: name, Status: status } of jobs.slice(0, MOST_NAMED)) {
      const args = { name, status };
      menu.addItem({ command: CommandIDs.openCellJob, args });
    }
    // The command runs after the menu has closed.
    menu.aboutToClose.connect(() => setTimeout(() => menu.dispose(), 0));
    const { left, bottom } = badge.getBoundingClientRect();
    menu.open(left, bottom);
  }

  private _jobs = new Map<string, studio.CellJob[]>();
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _stale = false;
  private _isDisposed = false;
}

function byCell(jobs: studio.CellJob[]): Map<string, studio.CellJob[]> {
  const found = new Map<string, studio.CellJob[]>();
  for (const job of jobs) {
    found.set(job.CellId, [...(found.get(job.CellId) ?? []), job]);
  }
  return found;
}

function names(jobs: studio.CellJob[]): string {
  const named = jobs.slice(0, MOST_NAMED).map(job => job.Name);
  return named.join(', ') + (jobs.length > MOST_NAMED ? ', …' : '');
}

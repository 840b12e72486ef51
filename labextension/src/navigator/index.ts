import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IStateDB } from '@jupyterlab/statedb';
import type { Message } from '@lumino/messaging';
import { Panel, type Widget } from '@lumino/widgets';

import { studioIcon } from '../icons';
import { IStudio } from '../tokens';

const ID = 'jupyter-ml-studio:navigator';

/** The tree of everything that Studio has, in the left sidebar. */
export const navigator: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Shows data, jobs, models and endpoints in the left sidebar.',
  autoStart: true,
  requires: [IStudio],
  optional: [ILayoutRestorer, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    restorer: ILayoutRestorer | null,
    state: IStateDB | null
  ): void => {
    const place = new Place(async () => {
      await app.restored;
      const { restored } = await import('./panel');
      return restored(studio, state, ID);
    });
    place.id = 'jp-studio-navigator';
    place.title.icon = studioIcon;
    place.title.caption = studio.trans.__('Studio: data, jobs, endpoints');
    app.shell.add(place, 'left', { rank: 250, type: 'Studio' });
    restorer?.add(place, place.id);
  }
};

/** A place in a sidebar; what stands there is made when it is first in view. */
class Place extends Panel {
  constructor(private _make: () => Promise<Widget>) {
    super();
    this.addClass('jp-StudioPlace');
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    void this._fill();
  }

  private async _fill(): Promise<void> {
    if (this._filled) {
      return;
    }
    this._filled = true;
    try {
      const widget = await this._make();
      if (!this.isDisposed) {
        this.addWidget(widget);
      }
    } catch (error) {
      this._filled = false; // showing it again tries again
      throw error;
    }
  }

  private _filled = false;
}

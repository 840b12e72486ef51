import type { IStateDB } from '@jupyterlab/statedb';
import { ReactWidget } from '@jupyterlab/ui-components';
import { JSONExt } from '@lumino/coreutils';
import type { Message } from '@lumino/messaging';
import React from 'react';

import { Banner } from '../components/banner';
import { Boundary } from '../components/boundary';
import { StudioContext, useSignal } from '../components/hooks';
import type { IStudio } from '../tokens';
import { type INavigatorState, NavigatorModel } from './model';
import { Strip } from './strip';
import { Tree } from './tree';

/** The panel as it was left; what is opened from now on is kept under `key`. */
export async function restored(
  studio: IStudio,
  state: IStateDB | null,
  key: string
): Promise<Navigator> {
  const { client, feed, capacity } = studio;
  const model = new NavigatorModel(client, feed, capacity);
  const kept = await state?.fetch(key);
  if (kept) {
    model.state = kept as unknown as INavigatorState;
  }
  let last = model.state;
  model.changed.connect(() => {
    const now = model.state;
    if (!JSONExt.deepEqual(now, last)) {
      last = now;
      void state?.save(key, now);
    }
  });
  return new Navigator(studio, model);
}

/** The panel of the left sidebar: the load of the machine, a filter, the tree. */
export class Navigator extends ReactWidget {
  constructor(
    private _studio: IStudio,
    private _model: NavigatorModel
  ) {
    super();
    this.addClass('jp-StudioPanel');
    this.addClass('jp-StudioNavigator');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _studio.trans.__('Studio'));
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._model.dispose();
      super.dispose();
    }
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._model.active = this.isVisible;
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._model.active = true;
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._model.active = false;
  }

  protected render(): React.JSX.Element {
    return (
      <StudioContext.Provider value={this._studio}>
        <Boundary>
          <Banner />
          <Strip capacity={this._model.capacity} />
          <Filter model={this._model} />
          <Tree model={this._model} />
        </Boundary>
      </StudioContext.Provider>
    );
  }
}

function Filter(props: { model: NavigatorModel }): React.JSX.Element {
  const { model } = props;
  const { trans } = React.useContext(StudioContext)!;
  useSignal(model.changed);
  return (
    <div className="jp-StudioNavigator-filter">
      <input
        type="search"
        value={model.filter}
        placeholder={trans.__('Filter by name')}
        aria-label={trans.__('Filter by name')}
        spellCheck={false}
        onChange={event => (model.filter = event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape' && model.filter) {
            event.stopPropagation();
            model.filter = '';
          }
        }}
      />
    </div>
  );
}

import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import React from 'react';

import { Status } from '../components/parts';
import { told } from '../core/errors';
import type { IThing } from './things';

/** What the list shows. */
export interface ISlashState {
  items: IThing[] | null;
  active: number;
  error: unknown;
}

/** The list that "/" opens; the keys are the editor's, which keeps the focus. */
export class SlashList extends ReactWidget {
  constructor(
    private _trans: TranslationBundle,
    private _state: ISlashState
  ) {
    super();
    this.addClass('jp-StudioSlash');
    this.addClass('jp-StudioPanel');
  }

  get state(): ISlashState {
    return this._state;
  }

  set state(state: ISlashState) {
    this._state = state;
    this.update();
  }

  /** An item was clicked. */
  get chosen(): Signal<this, IThing> {
    return this._chosen;
  }

  /** Id of the option that the arrows are at; "" while there is none. */
  get activeId(): string {
    return this._state.items?.length ? optionId(this._state.active) : '';
  }

  /** Id of the element with the options. */
  readonly listId = 'jp-StudioSlash-list';

  dispose(): void {
    if (!this.isDisposed) {
      Signal.clearData(this);
      super.dispose();
    }
  }

  protected render(): React.JSX.Element {
    const trans = this._trans;
    const { items, active, error } = this._state;
    const kinds: Record<IThing['kind'], string> = {
      job: trans.__('Job'),
      model: trans.__('Model'),
      endpoint: trans.__('Endpoint'),
      object: trans.__('S3'),
      component: trans.__('Component')
    };
    return (
      <>
        <ul
          id={this.listId}
          role="listbox"
          aria-label={trans.__('Insert from Studio')}
        >
          {items?.map((item, index) => (
            <li
              key={`${item.kind} ${item.name}`}
              id={optionId(index)}
              role="option"
              aria-selected={index === active}
              ref={node => {
                if (index === active) {
                  node?.scrollIntoView({ block: 'nearest' });
                }
              }}
              // The editor keeps the focus.
              onMouseDown={event => event.preventDefault()}
              onClick={() => this._chosen.emit(item)}
            >
              <span className="jp-StudioSlash-kind">{kinds[item.kind]}</span>
              <span className="jp-StudioSlash-name">
                {item.name || trans.__('Choose an object or folder…')}
              </span>
              {item.status && <Status status={item.status} />}
            </li>
          ))}
        </ul>
        <div className="jp-StudioSlash-foot" role="status">
          {error !== null
            ? told(error)
            : items === null
              ? trans.__('Looking…')
              : trans.__('↑↓ choose · Enter inserts · Esc closes')}
        </div>
      </>
    );
  }

  private _chosen = new Signal<this, IThing>(this);
}

function optionId(index: number): string {
  return `jp-StudioSlash-${index}`;
}

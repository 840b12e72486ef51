import { redoIcon, undoIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { useSignal, useStudio } from '../components/hooks';
import { CommandIDs } from '../tokens';
import { useView, useViewStore } from './hooks';
import { QueryBar } from './query/bar';
import { chosen, type ILayoutState, split } from './state';

/** What is above the panes: the query, what is chosen, undo and redo, the split, saving. */
export function Bar(props: { saved: boolean }): React.JSX.Element {
  return (
    <div className="jp-StudioCompare-bar">
      <QueryBar />
      <div className="jp-StudioPage-actions">
        <Chosen />
        <Steps />
        <Split />
        {!props.saved && <Save />}
      </div>
    </div>
  );
}

function Chosen(): React.JSX.Element | null {
  const { trans } = useStudio();
  const store = useViewStore();
  const selection = useView(state => state.selection);
  return selection.length ? (
    <button
      className="jp-StudioButton"
      title={trans.__('Choose nothing')}
      onClick={() => store.change(chosen([]))}
    >
      {trans.__('%1 selected', selection.length.toLocaleString())} ×
    </button>
  ) : null;
}

function Steps(): React.JSX.Element {
  const { trans } = useStudio();
  const store = useViewStore();
  useSignal(store.changed);
  return (
    <>
      <button
        className="jp-StudioButton"
        disabled={!store.canUndo}
        title={trans.__('Undo')}
        aria-label={trans.__('Undo')}
        onClick={() => store.undo()}
      >
        <undoIcon.react tag="span" />
      </button>
      <button
        className="jp-StudioButton"
        disabled={!store.canRedo}
        title={trans.__('Redo')}
        aria-label={trans.__('Redo')}
        onClick={() => store.redo()}
      >
        <redoIcon.react tag="span" />
      </button>
    </>
  );
}

function Split(): React.JSX.Element {
  const { trans } = useStudio();
  const store = useViewStore();
  const layout = useView(state => state.layout);
  const now = layout.shown.length > 1 ? layout.split : '';
  return (
    <select
      aria-label={trans.__('Panes in view')}
      value={now}
      onChange={event =>
        store.change(
          split((event.target.value || null) as ILayoutState['split'] | null)
        )
      }
    >
      <option value="">{trans.__('One pane')}</option>
      <option value="beside">{trans.__('Two side by side')}</option>
      <option value="below">{trans.__('Two, one below')}</option>
    </select>
  );
}

function Save(): React.JSX.Element {
  const { commands, trans } = useStudio();
  return (
    <button
      className="jp-StudioButton"
      onClick={() => void commands.execute(CommandIDs.saveView)}
    >
      {trans.__('Save view…')}
    </button>
  );
}

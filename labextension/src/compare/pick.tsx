import React from 'react';

import { CommandButton } from '../components/actions';
import { Empty } from '../components/empty';
import { useStudio } from '../components/hooks';
import { CommandIDs } from '../tokens';
import { useComponents, useView, useViewStore } from './hooks';
import { asked, chosen, opened } from './state';

const FEW = 4;
const NO_FIELDS: string[] = [];

/** Says that a pane is about what is chosen, and chooses. */
export function PickFirst(props: { title: string }): React.JSX.Element {
  const { trans } = useStudio();
  const store = useViewStore();
  const { value } = useComponents(NO_FIELDS, { limit: FEW });
  const first = value?.names ?? [];
  if (value?.matched === 0) {
    return <NoneMatches />;
  }
  return (
    <Empty
      title={props.title}
      hint={trans.__(
        'Choose components in the table: with Space or Ctrl and a press one more, with Shift a range.'
      )}
    >
      {first.length > 0 && (
        <button
          className="jp-StudioButton jp-mod-accept"
          onClick={() => store.change(chosen(first))}
        >
          {trans._n('Choose the first', 'Choose the first %1', first.length)}
        </button>
      )}
      <button
        className="jp-StudioButton"
        onClick={() => store.change(opened('table'))}
      >
        {trans.__('Show the table')}
      </button>
    </Empty>
  );
}

/** Says that the query selects nothing, or that there is nothing. */
function NoneMatches(): React.JSX.Element {
  const { trans } = useStudio();
  const store = useViewStore();
  const query = useView(state => state.query);
  return query ? (
    <Empty title={trans.__('No component is like that')}>
      <button
        className="jp-StudioButton"
        onClick={() => store.change(asked(''))}
      >
        {trans.__('Show all components')}
      </button>
    </Empty>
  ) : (
    <Empty
      title={trans.__('Nothing has been tracked yet')}
      hint={trans.__(
        'Training jobs track themselves; the list of experiments has code to begin with.'
      )}
    >
      <CommandButton command={CommandIDs.openExperiments} kind="accept">
        {trans.__('Show experiments')}
      </CommandButton>
    </Empty>
  );
}

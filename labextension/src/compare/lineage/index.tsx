import React from 'react';

import { Empty, Problem, Skeleton } from '../../components/empty';
import { useStudio } from '../../components/hooks';
import { useShown, useView } from '../hooks';
import { paned } from '../state';
import type { IViewStore } from '../store';
import { type ILineageSettings, LineageGraph } from './graph';

const MOST = 100;
const NO_FIELDS: string[] = [];

/** The pane "Lineage": what the chosen components came from, and what they led to. */
export default function LineagePane(props: {
  view: IViewStore;
}): React.JSX.Element {
  const { trans } = useStudio();
  const settings = useView(state => state.panes['lineage']) ?? NONE;
  const chosen = useView(state => state.selection.length > 0);
  const { value, error, refresh } = useShown(NO_FIELDS, MOST);
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  if (value.arns.length === 0) {
    return (
      <Empty
        title={trans.__('No trial component matches.')}
        hint={trans.__('Ask for less, or choose components in the table.')}
      />
    );
  }
  const cut = value.arns.length < value.matched;
  return (
    <LineageGraph
      arns={value.arns}
      settings={settings}
      onSettings={changes =>
        props.view.change(paned('lineage', { ...changes }))
      }
      note={
        cut
          ? trans.__(
              'of the first %1 of %2 components',
              value.arns.length.toLocaleString(),
              value.matched.toLocaleString()
            )
          : chosen
            ? trans.__('of the chosen components')
            : undefined
      }
    />
  );
}

const NONE: ILineageSettings = {};

import React from 'react';

import { Problem, Skeleton } from '../../components/empty';
import { useStudio } from '../../components/hooks';
import { type IDetails, useDetails } from '../details';
import { useView } from '../hooks';
import { PickFirst } from '../pick';
import { paned } from '../state';
import type { IViewStore } from '../store';
import { DiffLog } from './log';
import { DiffTable } from './table';
import { DiffTexts } from './texts';

type Part = 'values' | 'texts' | 'log';

/** Settings of the pane. */
export interface IDiffSettings {
  part?: Part;
  /** Also what is the same in all. */
  same?: boolean;
  /** Components are rows. */
  transposed?: boolean;
  /** Sections that are closed. */
  closed?: string[];
  find?: string;
  widths?: Record<string, number>;
  /** The component that texts and the log are compared with the base. */
  other?: string;
  /** Numbers in logs do not count. */
  numbers?: boolean;
  /** The text that is shown. */
  text?: string;
}

/** What components differ in: any number of them, one of them the base. */
export default function DiffPane(props: {
  view: IViewStore;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { view } = props;
  const settings = useView(state => state.panes['diff']) as
    IDiffSettings | undefined;
  const { value, error, refresh } = useDetails();
  const set = React.useCallback(
    (changes: IDiffSettings, merge?: string) =>
      view.change(paned('diff', changes as Record<string, unknown>), merge),
    [view]
  );
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  if (!value.details.length) {
    return <PickFirst title={trans.__('Nothing is chosen to be compared')} />;
  }
  const parts: [Part, string][] = [
    ['values', trans.__('Values')],
    ['texts', trans.__('Code and texts')],
    ['log', trans.__('Log')]
  ];
  const part = settings?.part ?? 'values';
  const lead = (
    <>
      <div role="group" aria-label={trans.__('What is compared')}>
        {parts.map(([id, label]) => (
          <button
            key={id}
            className="jp-StudioButton"
            aria-pressed={id === part}
            onClick={() => set({ part: id })}
          >
            {label}
          </button>
        ))}
      </div>
      <Missing value={value} />
    </>
  );
  const Shown = { values: DiffTable, texts: DiffTexts, log: DiffLog }[part];
  return (
    <div className="jp-StudioDiff">
      <Shown
        details={value.details}
        settings={settings ?? {}}
        set={set}
        lead={lead}
      />
    </div>
  );
}

/** Says of what is chosen what is not compared. */
function Missing(props: { value: IDetails }): React.JSX.Element {
  const { trans } = useStudio();
  const { chosen, details, missing } = props.value;
  return (
    <>
      {chosen > details.length + missing.length && (
        <span role="status">
          {trans.__(
            '%1 of %2 components',
            details.length,
            chosen.toLocaleString()
          )}
        </span>
      )}
      {missing.length > 0 && (
        <span role="status">
          {trans.__('No more there: %1', missing.join(', '))}
        </span>
      )}
    </>
  );
}

import React from 'react';

import { CommandButton } from '../components/actions';
import { useSignal, useStudio } from '../components/hooks';
import { tone } from '../components/parts';
import { CommandIDs } from '../tokens';
import { type IJobKind, textsOf } from './kinds';
import type { IJobsQuery, JobsModel } from './model';
import type { IJobsArgs } from './page';

const STATUSES = ['InProgress', 'Completed', 'Failed', 'Stopping', 'Stopped'];
const TYPING_MS = 150;

/** What narrows the table. */
export function Filters(props: {
  model: JobsModel;
  args: IJobsArgs;
  setArgs: (changes: Partial<IJobsArgs>) => void;
}): React.JSX.Element {
  const { args, setArgs } = props;
  const { trans } = useStudio();
  return (
    <div
      className="jp-StudioJobs-bar"
      role="group"
      aria-label={trans.__('Filters')}
    >
      <Search
        text={args.text ?? ''}
        onText={text => setArgs({ text: text || undefined })}
      />
      <Chips {...props} />
      <select
        aria-label={trans.__('Created')}
        value={args.hours ?? 0}
        onChange={event =>
          setArgs({ hours: Number(event.target.value) || undefined })
        }
      >
        <option value={0}>{trans.__('Any time')}</option>
        <option value={1}>{trans.__('Last hour')}</option>
        <option value={24}>{trans.__('Last 24 hours')}</option>
        <option value={24 * 7}>{trans.__('Last 7 days')}</option>
        <option value={24 * 30}>{trans.__('Last 30 days')}</option>
      </select>
    </div>
  );
}

/** What can be done with the selected jobs, and the way to a new one. */
export function Actions(props: {
  kind: IJobKind;
  names: string[];
}): React.JSX.Element {
  const { kind, names } = props;
  const { trans } = useStudio();
  const many = { kind: kind.kind, names };
  return (
    <div className="jp-StudioPage-actions">
      <CommandButton
        command={kind.form}
        args={{ from: names[0] }}
        disabled={names.length !== 1}
      >
        {trans.__('Clone…')}
      </CommandButton>
      <CommandButton
        command={CommandIDs.stopJobs}
        args={many}
        disabled={!names.length}
      >
        {trans.__('Stop…')}
      </CommandButton>
      {kind.remove && (
        <CommandButton
          command={CommandIDs.deleteJobs}
          args={many}
          disabled={!names.length}
        >
          {trans.__('Delete…')}
        </CommandButton>
      )}
      <CommandButton command={kind.form} kind="accept">
        {textsOf(kind, trans).create}
      </CommandButton>
    </div>
  );
}

/** The text filter: asked once the typing stops for a moment. */
function Search(props: {
  text: string;
  onText: (text: string) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { text, onText } = props;
  const [typed, setTyped] = React.useState(text);
  React.useEffect(() => setTyped(text), [text]);
  const told = React.useRef(onText);
  told.current = onText;
  React.useEffect(() => {
    if (typed === text) {
      return;
    }
    const timer = setTimeout(() => told.current(typed), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, text]);
  return (
    <input
      type="search"
      className="jp-StudioJobs-search"
      value={typed}
      onChange={event => setTyped(event.target.value)}
      placeholder={trans.__('Name, or tag=value')}
      aria-label={trans.__('Filter by name, or by tag=value')}
      spellCheck={false}
    />
  );
}

/** A button for each status, with how many there are; several may be pressed. */
function Chips(props: {
  model: JobsModel;
  args: IJobsQuery;
  setArgs: (changes: Partial<IJobsQuery>) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  useSignal(props.model.countsChanged);
  const { counts } = props.model;
  const chosen = props.args.statuses ?? [];
  const shown = STATUSES.filter(each => counts[each] || chosen.includes(each));
  const toggle = (status: string) => {
    const next = chosen.includes(status)
      ? chosen.filter(each => each !== status)
      : [...chosen, status];
    props.setArgs({ statuses: next.length ? next : undefined });
  };
  return (
    <div
      className="jp-StudioChips"
      role="group"
      aria-label={trans.__('Status')}
    >
      {shown.map(status => (
        <button
          key={status}
          className="jp-StudioButton jp-StudioChip"
          aria-pressed={chosen.includes(status)}
          onClick={() => toggle(status)}
        >
          <span
            className={`jp-StudioStatus-dot jp-mod-${tone(status)}`}
            aria-hidden="true"
          />
          {status} <b>{(counts[status] ?? 0).toLocaleString()}</b>
        </button>
      ))}
    </div>
  );
}

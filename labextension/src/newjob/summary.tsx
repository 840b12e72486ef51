import React from 'react';

import { useStudio } from '../components/hooks';
import { Facts, Section } from '../components/parts';
import { told } from '../core/errors';
import { called, type IFaults, plain } from './faults';
import { useForm } from './form';
import { changes, type IChange, shown, spelled } from './paths';

/** What is likely to go wrong, by the paths of members. */
export type Warnings = Record<string, string | undefined>;

/** What the job will be, what is still wrong with it, and what a copy changes. */
export function Summary(props: {
  facts: [string, React.ReactNode][];
  /** The member that is the job's name: every copy has another. */
  name: string;
  faults: IFaults;
  warnings: Warnings;
  from?: string;
  show: (path: string) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <aside className="jp-StudioNewJob-summary" aria-label={trans.__('Summary')}>
      <Section title={trans.__('Summary')}>
        <Facts facts={props.facts} />
      </Section>
      <Faults {...props} />
      {props.from && (
        <Changes name={props.name} from={props.from} show={props.show} />
      )}
    </aside>
  );
}

function Faults(props: {
  faults: IFaults;
  warnings: Warnings;
  show: (path: string) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { draft } = useForm<object>();
  const { all, error, stale } = props.faults;
  const count = all?.length ?? 0;
  const warnings = Object.entries(props.warnings).filter(
    (pair): pair is [string, string] => pair[1] !== undefined
  );
  const title = !all
    ? trans.__('Checks')
    : count
      ? trans._n('%1 thing to do', '%1 things to do', count)
      : warnings.length
        ? trans._n(
            'Ready, with %1 warning',
            'Ready, with %1 warnings',
            warnings.length
          )
        : trans.__('Ready');
  return (
    <Section title={title} className={stale ? 'jp-mod-stale' : undefined}>
      <div aria-live="polite">
        {error !== null && (
          <p className="jp-StudioField-error">
            {trans.__('It could not be checked: %1', told(error))}
          </p>
        )}
        {all && count === 0 && warnings.length === 0 && (
          <p>{trans.__('Nothing speaks against this job.')}</p>
        )}
        <ul className="jp-StudioNewJob-faults">
          {(all ?? []).map(fault => (
            <li key={fault.Path + fault.Message}>
              <button
                className="jp-StudioLink"
                onClick={() => props.show(fault.Path)}
              >
                {called(fault.Path, draft, trans)}
              </button>{' '}
              {plain(fault.Message, trans)}
            </li>
          ))}
          {warnings.map(([path, text]) => (
            <li key={path} className="jp-StudioNewJob-warning">
              <button
                className="jp-StudioLink"
                onClick={() => props.show(path)}
              >
                {called(path, draft, trans)}
              </button>{' '}
              {text}
            </li>
          ))}
        </ul>
      </div>
    </Section>
  );
}

function Changes(props: {
  name: string;
  from: string;
  show: (path: string) => void;
}): React.JSX.Element | null {
  const { trans } = useStudio();
  const { draft, original } = useForm<object>();
  if (!original) {
    return null;
  }
  const found = changes(original, draft).filter(
    change => change.path[0] !== props.name
  );
  return (
    <Section title={trans.__('Changes from %1', props.from)}>
      {found.length === 0 && (
        <p>{trans.__('None but the name: the same job once more.')}</p>
      )}
      <ul className="jp-StudioNewJob-faults">
        {found.map(change => (
          <li key={spelled(change.path)}>
            <button
              className="jp-StudioLink"
              onClick={() => props.show(spelled(change.path))}
            >
              {called(spelled(change.path), draft, trans)}
            </button>{' '}
            <Change change={change} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Change({ change }: { change: IChange }): React.JSX.Element {
  const { trans } = useStudio();
  const text = (value: unknown) =>
    value === undefined ? trans.__('not set') : shown(value);
  return (
    <>
      <del>{text(change.before)}</del>{' '}
      <span aria-label={trans.__('becomes')}>→</span>{' '}
      <ins>{text(change.after)}</ins>
    </>
  );
}

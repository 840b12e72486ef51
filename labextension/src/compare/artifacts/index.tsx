import React from 'react';

import { Empty, Problem, Skeleton } from '../../components/empty';
import { useStudio } from '../../components/hooks';
import type { studio } from '../../wire';
import { useDetails } from '../details';
import { useView } from '../hooks';
import { PickFirst } from '../pick';
import { paned } from '../state';
import type { IViewStore } from '../store';
import { artifactAt, artifactGroups, type IArtifactGroup } from './model';
import { Together } from './together';
import { ArtifactView } from './view';

/** More than these side by side are not asked for at once. */
const MOST_SHOWN = 12;

interface IArtifactSettings {
  /** The artifact that is shown, and whether it is an input. */
  name?: string;
  input?: boolean;
  /** The step of all; the last when not said. */
  step?: number;
}

/** One artifact of all chosen components side by side, at the same step. */
export default function ArtifactsPane(props: {
  view: IViewStore;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { view } = props;
  const settings = (useView(state => state.panes['artifacts']) ??
    NOTHING) as IArtifactSettings;
  const { value, error, refresh } = useDetails();
  const groups = React.useMemo(
    () => artifactGroups(value?.details ?? []),
    [value]
  );
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  if (!value.details.length) {
    return (
      <PickFirst
        title={trans.__('Nothing is chosen whose artifacts to show')}
      />
    );
  }
  if (!groups.length) {
    return (
      <Empty
        title={trans.__('None of them has artifacts')}
        hint={trans.__(
          'Jobs have their inputs and their model; log_artifact and log_table of the trackers add pictures, tables, pages and files.'
        )}
      />
    );
  }
  const group =
    groups.find(
      each => each.name === settings.name && each.input === !!settings.input
    ) ?? groups[0];
  const set = (changes: IArtifactSettings, merge?: string) =>
    view.change(paned('artifacts', changes as Record<string, unknown>), merge);
  return (
    <div className="jp-StudioArtifacts">
      <Names
        groups={groups}
        count={value.details.length}
        group={group}
        onChoose={({ name, input }) => set({ name, input })}
      />
      <div className="jp-StudioArtifacts-main">
        {group.steps.length > 1 && (
          <Steps
            steps={group.steps}
            step={settings.step}
            onStep={step => set({ step }, 'step')}
          />
        )}
        <Shown details={value.details} group={group} step={settings.step} />
      </div>
    </div>
  );
}

const NOTHING: IArtifactSettings = {};

/** The names; arrows move from one to the next. */
function Names(props: {
  groups: IArtifactGroup[];
  count: number;
  group: IArtifactGroup;
  onChoose: (group: IArtifactGroup) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { groups, group } = props;
  const base = React.useId();
  const at = groups.indexOf(group);
  const move = (event: React.KeyboardEvent) => {
    const to = {
      ArrowUp: at - 1,
      ArrowDown: at + 1,
      Home: 0,
      End: groups.length - 1
    }[event.key];
    if (to !== undefined && groups[to]) {
      event.preventDefault();
      props.onChoose(groups[to]);
      document
        .getElementById(`${base}-${to}`)
        ?.scrollIntoView({ block: 'nearest' });
    }
  };
  return (
    <ul
      className="jp-StudioArtifacts-names"
      role="listbox"
      tabIndex={0}
      aria-label={trans.__('Artifacts')}
      aria-activedescendant={`${base}-${at}`}
      onKeyDown={move}
    >
      {groups.map((each, i) => (
        <li
          key={`${each.input} ${each.name}`}
          id={`${base}-${i}`}
          role="option"
          aria-selected={each === group}
          title={each.name}
          onClick={() => props.onChoose(each)}
        >
          <span>{each.name}</span>
          <small>
            {each.input ? trans.__('input') : trans.__('output')} ·{' '}
            {trans.__(
              '%1 of %2',
              each.of.filter(list => list.length).length,
              props.count
            )}
            {each.steps.length > 1 &&
              ` · ${trans.__('%1 steps', each.steps.length)}`}
          </small>
        </li>
      ))}
    </ul>
  );
}

/** The step that is shown of all components. */
function Steps(props: {
  steps: number[];
  step: number | undefined;
  onStep: (step: number) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { steps, step } = props;
  const last = steps.length - 1;
  const found = steps.filter(each => step === undefined || each <= step);
  const at = Math.max(0, found.length - 1);
  return (
    <label className="jp-StudioArtifacts-steps">
      {trans.__('Step')}
      <input
        type="range"
        min={0}
        max={last}
        value={at}
        aria-valuetext={String(steps[at])}
        onChange={event => props.onStep(steps[Number(event.target.value)])}
      />
      <output>
        {trans.__(
          '%1 (%2 of %3)',
          steps[at].toLocaleString(),
          at + 1,
          steps.length
        )}
      </output>
    </label>
  );
}

function Shown(props: {
  details: studio.TrialComponentDetail[];
  group: IArtifactGroup;
  step: number | undefined;
}): React.JSX.Element {
  const { trans } = useStudio();
  const [all, setAll] = React.useState(false);
  const { details, group, step } = props;
  const most = all ? details.length : MOST_SHOWN;
  return (
    <div className="jp-StudioArtifacts-grid">
      <Together details={details.slice(0, most)} group={group} step={step} />
      {details.slice(0, most).map((detail, at) => {
        const artifact = artifactAt(group.of[at], step);
        const title = detail.DisplayName || detail.Name;
        return (
          <section key={detail.Name} aria-label={title}>
            <h3 title={detail.Name}>
              {title}
              {artifact?.step !== null && artifact && (
                <small> {trans.__('step %1', artifact.step)}</small>
              )}
            </h3>
            {artifact ? (
              <ArtifactView
                artifact={artifact}
                label={`${title}: ${group.name}`}
              />
            ) : (
              <p>{trans.__('It has none of this name.')}</p>
            )}
          </section>
        );
      })}
      {details.length > most && (
        <p role="status">
          {trans.__('%1 of %2 components', most, details.length)}{' '}
          <button className="jp-StudioButton" onClick={() => setAll(true)}>
            {trans.__('Show all')}
          </button>
        </p>
      )}
    </div>
  );
}

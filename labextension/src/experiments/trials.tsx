import React from 'react';

import { Empty, Problem, Skeleton } from '../components/empty';
import { Grid, type IColumn } from '../components/grid';
import { useLive, useStudio } from '../components/hooks';
import { When } from '../components/parts';
import { concerns } from '../compare/rows';
import { CommandIDs } from '../tokens';
import type { sagemaker } from '../wire';
import { deleteExperiments, deleteTrial, newTrial, rename } from './actions';
import { type ISummary, queryOf, summaries } from './model';
import { type IExperimentRow, Range } from './page';

const MOST = 100;
const PACE_MS = 1000;

interface ITrialRow {
  name: string;
  title: string;
  summary: ISummary | undefined;
  createdAt: number;
}

/** An experiment beside the list: its trials, and what can be done with it. */
export function Trials(props: {
  experiment: IExperimentRow;
  metric: string | undefined;
  onClose: () => void;
}): React.JSX.Element {
  const studio = useStudio();
  const { commands, trans } = studio;
  const { experiment, metric } = props;
  const { name, title } = experiment;
  const compare = (trial?: string) =>
    void commands.execute(CommandIDs.compare, {
      query: queryOf(name || null, trial)
    });
  return (
    <section
      className="jp-StudioExperiments-trials"
      aria-label={title}
      onKeyDown={event => event.key === 'Escape' && props.onClose()}
    >
      <header>
        <h2>{title}</h2>
        <button
          className="jp-StudioButton jp-mod-minimal"
          aria-label={trans.__('Close')}
          onClick={props.onClose}
        >
          ×
        </button>
      </header>
      {experiment.description && <p>{experiment.description}</p>}
      <div className="jp-StudioExperiments-actions">
        <button
          className="jp-StudioButton jp-mod-accept"
          onClick={() => compare()}
        >
          {trans.__('Compare')}
        </button>
        {name && (
          <>
            <button
              className="jp-StudioButton"
              onClick={() => void newTrial(studio, name)}
            >
              {trans.__('New trial…')}
            </button>
            <button
              className="jp-StudioButton"
              onClick={() => void rename(studio, { experiment: name }, title)}
            >
              {trans.__('Rename…')}
            </button>
            <button
              className="jp-StudioButton"
              onClick={() => void deleteExperiments(studio, [name])}
            >
              {trans.__('Delete…')}
            </button>
          </>
        )}
      </div>
      {name ? (
        <TrialList name={name} metric={metric} compare={compare} />
      ) : (
        <p>
          {trans.__(
            'These components belong to no trial: jobs that were started without ExperimentConfig, and what was left of trials that were deleted. Choose some in Compare to add them to a trial.'
          )}
        </p>
      )}
    </section>
  );
}

function TrialList(props: {
  name: string;
  metric: string | undefined;
  compare: (trial: string) => void;
}): React.JSX.Element {
  const studio = useStudio();
  const { client, trans } = studio;
  const { name, metric } = props;
  const [chosen, setChosen] = React.useState<ITrialRow | null>(null);
  const trials = useLive(
    signal =>
      client.call(
        'sagemaker',
        'ListTrials',
        { ExperimentName: name, MaxResults: MOST, SortOrder: 'Descending' },
        signal
      ),
    event => event.type === 'resource' && event.Kind === 'experiment-trial',
    [client, name],
    PACE_MS
  );
  const known = useLive(
    signal =>
      summaries(
        client,
        { Query: queryOf(name), GroupBy: ['trial'] },
        metric,
        signal
      ),
    concerns,
    [client, name, metric],
    PACE_MS
  ).value;
  const rows = React.useMemo(
    () => trialRows(trials.value?.TrialSummaries ?? [], known),
    [trials.value, known]
  );
  const columns = useColumns(metric);
  if (!trials.value) {
    return trials.error ? (
      <Problem error={trials.error} retry={trials.refresh} />
    ) : (
      <Skeleton />
    );
  }
  return (
    <>
      <div className="jp-StudioExperiments-actions">
        <h3>
          {trials.value.NextToken
            ? trans.__('The newest %1 trials', rows.length)
            : trans._n('%1 trial', '%1 trials', rows.length)}
        </h3>
        <button
          className="jp-StudioButton"
          disabled={!chosen}
          onClick={() =>
            chosen && void rename(studio, { trial: chosen.name }, chosen.title)
          }
        >
          {trans.__('Rename…')}
        </button>
        <button
          className="jp-StudioButton"
          disabled={!chosen}
          onClick={() => chosen && void deleteTrial(studio, chosen.name)}
        >
          {trans.__('Delete…')}
        </button>
      </div>
      <Grid<ITrialRow>
        label={trans.__('Trials of %1', name)}
        columns={columns}
        count={rows.length}
        row={index => rows[index]}
        keyOf={row => row.name}
        selected={new Set(chosen ? [chosen.name] : [])}
        onSelect={keys =>
          setChosen(rows.find(row => keys.has(row.name)) ?? null)
        }
        onOpen={row => props.compare(row.name)}
        onDelete={() => chosen && void deleteTrial(studio, chosen.name)}
        empty={
          <Empty
            title={trans.__('No trial yet')}
            hint={trans.__(
              'A trial groups the components of one attempt. Name it in ExperimentConfig of a job, or make it here.'
            )}
          />
        }
      />
    </>
  );
}

function trialRows(
  found: sagemaker.TrialSummary[],
  known: Map<string | null, ISummary> | undefined
): ITrialRow[] {
  return found.map(each => ({
    name: each.TrialName!,
    title: each.DisplayName ?? each.TrialName!,
    summary: known?.get(each.TrialName!),
    createdAt: 1000 * (each.CreationTime ?? 0)
  }));
}

function useColumns(metric: string | undefined): IColumn<ITrialRow>[] {
  const { trans } = useStudio();
  return React.useMemo(
    () => [
      {
        id: 'name',
        title: trans.__('Trial'),
        width: 125,
        cell: row => <span title={row.name}>{row.title}</span>
      },
      ...(metric
        ? [
            {
              id: 'metric',
              title: metric,
              width: 130,
              numeric: true,
              cell: (row: ITrialRow) => <Range range={row.summary?.range} />
            }
          ]
        : []),
      {
        id: 'components',
        title: trans.__('Components'),
        width: 115,
        numeric: true,
        cell: row => (row.summary?.components ?? 0).toLocaleString()
      },
      {
        id: 'activity',
        title: trans.__('Last activity'),
        width: 110,
        cell: row => <When at={row.summary?.activity ?? row.createdAt} />
      }
    ],
    [trans, metric]
  );
}

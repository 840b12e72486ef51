import React from 'react';

import { CommandButton } from '../components/actions';
import { Empty, Problem, Skeleton } from '../components/empty';
import { number } from '../components/format';
import { useArgs, useLive, useStudio } from '../components/hooks';
import { List, type IListArgs, type IListColumn } from '../components/list';
import { Code, When } from '../components/parts';
import { concerns } from '../compare/rows';
import type { StudioView } from '../core/documents';
import type { FeedEvent } from '../core/feed';
import { openMenu } from '../core/menu';
import { CommandIDs } from '../tokens';
import type { studio } from '../wire';
import { commonMetrics, type ISummary, queryOf, summaries } from './model';
import { Trials } from './trials';

const MOST = 1000;
const PACE_MS = 1000;

/** The state of the page. */
export interface IExperimentsArgs extends IListArgs {
  /** The experiment that is shown beside the list. */
  selected?: string;
  /** The field whose range the list shows; the commonest metric when not said. */
  metric?: string;
}

/** An experiment as the list shows it; its name is "" for the components of none. */
export interface IExperimentRow {
  name: string;
  title: string;
  description: string;
  trials: number;
  components: number;
  summary: ISummary | undefined;
  createdAt: number | undefined;
}

/** All experiments, and the trials of the one that is chosen. */
export function ExperimentsPage(props: {
  view: StudioView;
}): React.JSX.Element {
  const { client, commands, trans } = useStudio();
  const [args, setArgs] = useArgs<IExperimentsArgs>(props.view);
  const list = useLive(
    signal => client.call('studio', 'QueryResources', REQUEST, signal),
    changesList,
    [client],
    PACE_MS
  );
  const metrics = useLive(
    signal => commonMetrics(client, signal),
    concerns,
    [client],
    10 * PACE_MS
  ).value;
  const metric = args.metric ?? metrics?.[0];
  const known = useLive(
    signal => summaries(client, { GroupBy: ['experiment'] }, metric, signal),
    event => changesList(event) || concerns(event),
    [client, metric],
    PACE_MS
  ).value;
  const rows = React.useMemo(
    () => rowsOf(list.value?.Rows ?? [], known, trans.__('Unassigned')),
    [list.value, known, trans]
  );
  const columns = useColumns(metric);
  if (!list.value) {
    return list.error ? (
      <Problem error={list.error} retry={list.refresh} />
    ) : (
      <Skeleton />
    );
  }
  const shown = rows.find(row => row.name === args.selected);
  const compare = (row: IExperimentRow) =>
    void commands.execute(CommandIDs.compare, {
      query: queryOf(row.name || null)
    });
  return (
    <div className="jp-StudioExperiments">
      <div className="jp-StudioExperiments-list">
        <List
          title={trans.__('Experiments')}
          label={trans.__('Experiments')}
          columns={columns}
          rows={rows}
          total={list.value.Total + rows.length - list.value.Rows.length}
          keyOf={row => row.name}
          text={row => `${row.name} ${row.title} ${row.description}`}
          args={args}
          setArgs={setArgs}
          selected={new Set(args.selected === undefined ? [] : [args.selected])}
          onSelect={keys => setArgs({ selected: [...keys].at(-1) })}
          onOpen={compare}
          onDelete={() =>
            args.selected &&
            void commands.execute(CommandIDs.deleteExperiments, {
              names: [args.selected]
            })
          }
          onContextMenu={(row, event) =>
            openMenu(
              commands,
              [
                {
                  command: CommandIDs.compare,
                  args: { query: queryOf(row.name || null) }
                },
                ...(row.name
                  ? [
                      null,
                      {
                        command: CommandIDs.deleteExperiments,
                        args: { names: [row.name] }
                      }
                    ]
                  : [])
              ],
              event
            )
          }
          actions={
            <>
              <Metrics
                metrics={metrics ?? []}
                value={metric}
                onChange={chosen => setArgs({ metric: chosen })}
              />
              <CommandButton command={CommandIDs.newExperiment}>
                {trans.__('New experiment…')}
              </CommandButton>
              <CommandButton command={CommandIDs.compare} kind="accept">
                {trans.__('Compare all')}
              </CommandButton>
            </>
          }
          empty={<Nothing />}
        />
      </div>
      {shown && (
        <Trials
          key={shown.name}
          experiment={shown}
          metric={metric}
          onClose={() => setArgs({ selected: undefined })}
        />
      )}
    </div>
  );
}

const REQUEST = { Kind: 'experiment', Limit: MOST };

function changesList(event: FeedEvent): boolean {
  return (
    event.type === 'resource' &&
    (event.Kind === 'experiment' || event.Kind === 'experiment-trial')
  );
}

/** Experiments with what their components came to, and a row for components of none. */
export function rowsOf(
  found: studio.ResourceRow[],
  known: Map<string | null, ISummary> | undefined,
  unassigned: string
): IExperimentRow[] {
  const rows = found.map(row => ({
    name: row.Name,
    title: row.DisplayName ?? row.Name,
    description: row.Description ?? '',
    trials: row.Trials ?? 0,
    components: row.TrialComponents ?? 0,
    summary: known?.get(row.Name),
    createdAt: 1000 * row.CreationTime
  }));
  const left = known?.get(null);
  return left
    ? [
        ...rows,
        {
          name: '',
          title: unassigned,
          description: '',
          trials: 0,
          components: left.components,
          summary: left,
          createdAt: undefined
        }
      ]
    : rows;
}

function useColumns(metric: string | undefined): IListColumn<IExperimentRow>[] {
  const { trans } = useStudio();
  return React.useMemo(
    () => [
      {
        id: 'name',
        title: trans.__('Name'),
        width: 190,
        value: row => row.title,
        cell: row => (
          <span
            title={[row.title, row.name, row.description]
              .filter((each, i, all) => each && all.indexOf(each) === i)
              .join('\n')}
          >
            {row.name ? row.title : <em>{row.title}</em>}
          </span>
        )
      },
      ...(metric
        ? [
            {
              id: 'metric',
              title: metric,
              width: 145,
              numeric: true,
              value: (row: IExperimentRow) =>
                row.summary?.range?.[1] ?? -Infinity,
              cell: (row: IExperimentRow) => (
                <Range range={row.summary?.range} />
              )
            }
          ]
        : []),
      {
        id: 'components',
        title: trans.__('Components'),
        width: 115,
        numeric: true,
        value: row => row.components,
        cell: row => row.components.toLocaleString()
      },
      {
        id: 'trials',
        title: trans.__('Trials'),
        width: 65,
        numeric: true,
        value: row => row.trials,
        cell: row => (row.name ? row.trials.toLocaleString() : '–')
      },
      {
        id: 'activity',
        title: trans.__('Last activity'),
        width: 110,
        value: row => row.summary?.activity ?? row.createdAt ?? 0,
        cell: row => <When at={row.summary?.activity ?? row.createdAt} />
      }
    ],
    [trans, metric]
  );
}

/** The least and the greatest of what components came to. */
export function Range(props: {
  range: [number, number] | undefined;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { range } = props;
  if (!range) {
    return <span>–</span>;
  }
  const [least, greatest] = range.map(number);
  return (
    <span title={trans.__('Least and greatest last value')}>
      {least === greatest ? least : `${least} … ${greatest}`}
    </span>
  );
}

function Metrics(props: {
  metrics: string[];
  value: string | undefined;
  onChange: (metric: string) => void;
}): React.JSX.Element | null {
  const { trans } = useStudio();
  return props.metrics.length ? (
    <select
      aria-label={trans.__('Metric of the list')}
      value={props.value}
      onChange={event => props.onChange(event.target.value)}
    >
      {props.metrics.map(each => (
        <option key={each}>{each}</option>
      ))}
    </select>
  ) : null;
}

const SNIPPET = `from studio import tracking

with tracking.start(experiment="first", parameters={"depth": 3}) as run:
    for step in range(100):
        run.log_metric("loss", 1 / (1 + step), step)
`;

/** What to do first. */
function Nothing(): React.JSX.Element {
  const { commands, trans } = useStudio();
  return (
    <Empty
      title={trans.__('Nothing has been tracked yet')}
      hint={trans.__(
        'Run this in a notebook and see it come in; training jobs track themselves, and so do the SageMaker SDKs.'
      )}
    >
      <div className="jp-StudioExperiments-first">
        <Code code={SNIPPET} label={trans.__('code')} />
      </div>
      <button
        className="jp-StudioButton jp-mod-accept"
        onClick={() =>
          void commands.execute(CommandIDs.insertCode, { code: SNIPPET })
        }
      >
        {trans.__('Insert into a notebook')}
      </button>
      <CommandButton command={CommandIDs.newJob}>
        {trans.__('New training job…')}
      </CommandButton>
    </Empty>
  );
}

import React from 'react';

import { carry, CommandButton } from '../components/actions';
import { Empty, Problem, Skeleton } from '../components/empty';
import { Grid } from '../components/grid';
import { useArgs, useNow, useSignal, useStudio } from '../components/hooks';
import type { Feed, FeedEvent } from '../core/feed';
import type { StudioView } from '../core/documents';
import { CommandIDs } from '../tokens';
import type { studio } from '../wire';
import { columns } from './columns';
import { Actions, Filters } from './filters';
import {
  type IJobKind,
  PROCESSING,
  textsOf,
  TRAINING,
  TRANSFORM
} from './kinds';
import { type IJobsQuery, jobsOf, type JobsModel, runs } from './model';

const MOST_KEPT = 200;

/** The state of the page: its query, the widths of columns, the selected jobs. */
export interface IJobsArgs extends IJobsQuery {
  widths?: Record<string, number>;
  selected?: string[];
}

/** The table of training jobs. */
export function JobsPage(props: { view: StudioView }): React.JSX.Element {
  return <JobTable kind={TRAINING} view={props.view} />;
}

/** The table of processing jobs. */
export function ProcessingJobsPage(props: {
  view: StudioView;
}): React.JSX.Element {
  return <JobTable kind={PROCESSING} view={props.view} />;
}

/** The table of transform jobs. */
export function TransformJobsPage(props: {
  view: StudioView;
}): React.JSX.Element {
  return <JobTable kind={TRANSFORM} view={props.view} />;
}

function JobTable(props: {
  kind: IJobKind;
  view: StudioView;
}): React.JSX.Element {
  const studio = useStudio();
  const { kind, view } = props;
  const [args, setArgs] = useArgs<IJobsArgs>(view);
  const model = jobsOf(view, studio, kind);
  return (
    <div className="jp-StudioPage jp-StudioJobs">
      <div className="jp-StudioPage-header">
        <h1>{textsOf(kind, studio.trans).title}</h1>
        <Actions kind={kind} names={args.selected ?? []} />
      </div>
      <Table kind={kind} model={model} args={args} setArgs={setArgs} />
    </div>
  );
}

function Table(props: {
  kind: IJobKind;
  model: JobsModel;
  args: IJobsArgs;
  setArgs: (changes: Partial<IJobsArgs>) => void;
}): React.JSX.Element {
  const { kind, model, args, setArgs } = props;
  const { commands, feed, trans } = useStudio();
  const { rows } = model;
  useSignal(rows.changed);
  React.useEffect(() => model.ask(args), [model, args]);
  const onRange = React.useCallback(
    (first: number, last: number) => rows.ensure(first, last),
    [rows]
  );
  const now = useNow(true, busy(model.counts) ? 1000 : 20_000);
  const shown = React.useMemo(
    () => columns(kind, trans, now),
    [kind, trans, now]
  );
  const selected = React.useMemo(
    () => new Set(args.selected ?? []),
    [args.selected]
  );
  const select = (keys: ReadonlySet<string>) =>
    setArgs({
      selected: keys.size ? [...keys].slice(0, MOST_KEPT) : undefined
    });
  const names = [...selected];
  useGone(feed, kind, args.selected, kept => setArgs({ selected: kept }));
  const remove = () =>
    names.length &&
    kind.remove &&
    void commands.execute(CommandIDs.deleteJobs, { kind: kind.kind, names });
  return (
    <>
      <Filters model={model} args={args} setArgs={setArgs} />
      {rows.error !== null && (
        <Problem
          what={trans.__('The list could not be brought up to date.')}
          error={rows.error}
          retry={() => rows.invalidate()}
        />
      )}
      <Grid<studio.ResourceRow>
        label={textsOf(kind, trans).title}
        columns={shown}
        count={rows.total ?? 0}
        row={index => rows.row(index)}
        keyOf={row => row.Name}
        onRange={onRange}
        sort={args.sort ?? { by: 'created', descending: true }}
        onSort={sort => setArgs({ sort })}
        widths={args.widths}
        onWidths={widths => setArgs({ widths })}
        selected={selected}
        onSelect={select}
        onOpen={row => void commands.execute(kind.page, { name: row.Name })}
        onDelete={remove}
        onContextMenu={() => undefined}
        attributes={row => ({
          'data-studio-kind': kind.item,
          'data-studio-name': row.Name,
          'data-studio-status': row.Status,
          'data-studio-names': JSON.stringify(
            selected.has(row.Name) ? names : [row.Name]
          )
        })}
        onDragStart={
          kind.item === 'job'
            ? (row, event) => carry(event, { kind: 'job', name: row.Name })
            : undefined
        }
        empty={
          rows.total === undefined ? (
            rows.error === null && <Skeleton lines={8} />
          ) : (
            <Nothing kind={kind} args={args} clear={() => setArgs(cleared())} />
          )
        }
      />
      <Summary model={model} selected={selected.size} />
    </>
  );
}

/** Let go of selected jobs that are deleted. */
function useGone(
  feed: Feed,
  kind: IJobKind,
  selected: string[] | undefined,
  keep: (selected: string[] | undefined) => void
): void {
  React.useEffect(() => {
    const slot = (_: Feed, event: FeedEvent) => {
      if (
        event.type === 'resource' &&
        event.Kind === kind.kind &&
        event.Change === 'deleted' &&
        selected?.includes(event.Name)
      ) {
        const kept = selected.filter(name => name !== event.Name);
        keep(kept.length ? kept : undefined);
      }
    };
    feed.events.connect(slot);
    return () => {
      feed.events.disconnect(slot);
    };
  });
}

function Nothing(props: {
  kind: IJobKind;
  args: IJobsArgs;
  clear: () => void;
}): React.JSX.Element {
  const { kind } = props;
  const { trans } = useStudio();
  const texts = textsOf(kind, trans);
  return narrowed(props.args) ? (
    <Empty title={trans.__('No job is like that.')}>
      <button className="jp-StudioButton" onClick={props.clear}>
        {trans.__('Show all jobs')}
      </button>
    </Empty>
  ) : (
    <Empty title={texts.none} hint={texts.hint}>
      <CommandButton command={kind.form} kind="accept">
        {texts.create}
      </CommandButton>
      <CommandButton command={CommandIDs.openTutorial}>
        {trans.__('Open the tutorial notebook')}
      </CommandButton>
    </Empty>
  );
}

/** How many there are, shown and selected. */
function Summary(props: {
  model: JobsModel;
  selected: number;
}): React.JSX.Element {
  const { trans } = useStudio();
  useSignal(props.model.countsChanged);
  const shown = props.model.rows.total ?? 0;
  const all = props.model.unfiltered;
  const texts = [
    shown === all
      ? trans._n('%2 job', '%2 jobs', all, all.toLocaleString())
      : trans.__('%1 of %2 jobs', shown.toLocaleString(), all.toLocaleString())
  ];
  if (props.selected) {
    texts.push(trans.__('%1 selected', props.selected));
  }
  return (
    <div className="jp-StudioJobs-summary" role="status">
      {texts.join(' · ')}
    </div>
  );
}

function narrowed(args: IJobsArgs): boolean {
  return !!(args.text?.trim() || args.statuses?.length || args.hours);
}

function cleared(): Partial<IJobsArgs> {
  return { text: undefined, statuses: undefined, hours: undefined };
}

function busy(counts: Readonly<Record<string, number>>): boolean {
  return Object.keys(counts).some(Status =>
    runs({ Status } as studio.ResourceRow)
  );
}

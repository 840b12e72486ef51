import React from 'react';

import { carry, CommandButton } from '../components/actions';
import { Empty, Problem, Skeleton } from '../components/empty';
import { duration } from '../components/format';
import { useLive, useNow, useStudio } from '../components/hooks';
import { Status, When } from '../components/parts';
import type { Client } from '../core/client';
import { ApiError } from '../core/errors';
import { type IJobKind, textsOf } from '../jobs/kinds';
import { CommandIDs } from '../tokens';
import { type IPhase, isOver } from './phases';
import { PhaseBar } from './phasebar';

/** A job as its page follows it. */
export interface IFollowed<J> {
  value: J | undefined;
  error: unknown;
  refresh: () => void;
  /** It was deleted; what was known of it is still there. */
  gone: boolean;
}

/** What `describe` tells of a job, kept up to date. */
export function useJob<J>(
  kind: IJobKind,
  name: string,
  describe: (client: Client, name: string, signal: AbortSignal) => Promise<J>
): IFollowed<J> {
  const { client } = useStudio();
  const { value, error, refresh } = useLive(
    signal => describe(client, name, signal),
    event =>
      event.type === 'resource' &&
      event.Kind === kind.kind &&
      event.Name === name,
    [client, kind, name, describe]
  );
  const gone = error instanceof ApiError && error.status === 400;
  return { value, error, refresh, gone };
}

/** Stands on the page of a job of which nothing is known: not yet, or not any more. */
export function Absent(props: {
  kind: IJobKind;
  name: string;
  job: IFollowed<unknown>;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { kind, name, job } = props;
  const texts = textsOf(kind, trans);
  if (job.gone) {
    return (
      <Empty
        title={texts.missing(name)}
        hint={trans.__('It was deleted, or it belongs to somebody else.')}
      >
        <CommandButton command={kind.table}>{texts.all}</CommandButton>
      </Empty>
    );
  }
  return job.error ? (
    <Problem
      error={job.error}
      what={trans.__('The job %1 could not be read.', name)}
      retry={job.refresh}
    />
  ) : (
    <Skeleton />
  );
}

/** What a job is called, how it does, what can be done with it, and its phases. */
export function JobHeader(
  props: React.PropsWithChildren<{
    kind: IJobKind;
    name: string;
    status: string;
    /** What it is doing of that. */
    detail?: string;
    gone: boolean;
    /** Seconds since the epoch. */
    created: number;
    ended: number | undefined;
    /** At a time in milliseconds. */
    phases: (now: number) => IPhase[];
    /** What is done most often with a job that is over; `children` are the less frequent. */
    main?: React.ReactNode;
  }>
): React.JSX.Element {
  const { trans } = useStudio();
  const { kind, name, status, gone, created } = props;
  const over = isOver(status);
  const now = useNow(!over);
  const seconds = Math.max(0, (props.ended ?? now / 1000) - created);
  const args = { kind: kind.kind, names: [name] };
  return (
    <>
      <div className="jp-StudioPage-header">
        <Title kind={kind} name={name} />
        <Status status={status} detail={props.detail} />
        <span className="jp-StudioJob-none">
          {duration(seconds)}
          {' · '}
          <When at={created * 1000} />
        </span>
        <div className="jp-StudioPage-actions">
          {!over && (
            <CommandButton
              command={CommandIDs.stopJobs}
              args={args}
              disabled={status === 'Stopping' || gone}
            >
              {trans.__('Stop')}
            </CommandButton>
          )}
          {props.main}
          <CommandButton
            command={kind.form}
            args={{ from: name }}
            disabled={gone}
          >
            {trans.__('Clone')}
          </CommandButton>
          {kind.scheduled && (
            <CommandButton
              command={CommandIDs.scheduleJob}
              args={{ kind: kind.kind, name }}
              disabled={gone}
            >
              {trans.__('Schedule…')}
            </CommandButton>
          )}
          {props.children}
          <CommandButton command={CommandIDs.copyLink}>
            {trans.__('Copy link')}
          </CommandButton>
          {over && kind.remove && (
            <CommandButton
              command={CommandIDs.deleteJobs}
              args={args}
              disabled={gone}
            >
              {trans.__('Delete')}
            </CommandButton>
          )}
        </div>
      </div>
      {gone && (
        <p className="jp-StudioJob-gone" role="status">
          {trans.__('This job was deleted; what is shown is what was known.')}
        </p>
      )}
      <PhaseBar phases={props.phases(now)} />
    </>
  );
}

function Title(props: { kind: IJobKind; name: string }): React.JSX.Element {
  const { trans } = useStudio();
  const { kind, name } = props;
  const { item } = kind;
  return item === 'job' ? (
    <h1
      draggable
      title={trans.__('Drag into a notebook to load this job there')}
      onDragStart={event => carry(event, { kind: item, name })}
    >
      {name}
    </h1>
  ) : (
    <h1>{name}</h1>
  );
}

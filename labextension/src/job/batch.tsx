import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { ICall } from '../codegen';
import { copyAs } from '../codegen/copyas';
import { useArgs, useStudio } from '../components/hooks';
import type { ILogState } from '../components/log/state';
import { useLog } from '../components/log/view';
import type { Client } from '../core/client';
import type { StudioView } from '../core/documents';
import type { IJobKind } from '../jobs/kinds';
import { Parameters, Tags } from './facts';
import { Absent, JobHeader, useJob } from './frame';
import { Overview } from './overview';
import type { IPhase } from './phases';

interface IArgs {
  name: string;
  log?: ILogState;
}

/** What such jobs have in common, whatever their kind calls it; times in seconds. */
interface ICommon {
  arn: string;
  status: string;
  created: number;
  start: number | undefined;
  end: number | undefined;
  reason: string | undefined;
  environment: Record<string, string> | undefined;
}

/** What a kind of job has for itself. */
export interface IBatchJob<J> {
  kind: IJobKind;
  describe: (client: Client, name: string, signal: AbortSignal) => Promise<J>;
  common: (job: J) => ICommon;
  phases: (job: J, now: number, trans: TranslationBundle) => IPhase[];
  /** The call that makes such a job again. */
  call: (client: Client, job: J) => Promise<ICall>;
  /** Stands before the log. */
  said: (job: J) => React.ReactNode;
  /** Stands at the side. */
  facts: (job: J) => React.ReactNode;
}

/** The page of a job without tabs: its head, its log, what it took, and its facts at the side. */
export function BatchJobPage<J>(props: {
  view: StudioView;
  of: IBatchJob<J>;
}): React.JSX.Element {
  const { of } = props;
  const [args, setArgs] = useArgs<IArgs>(props.view);
  const app = useStudio();
  const { client, trans } = app;
  const { name } = args;
  const job = useJob(of.kind, name, of.describe);
  const log = useLog(of.kind.kind, name, args.log?.stream);
  if (!job.value) {
    return <Absent kind={of.kind} name={name} job={job} />;
  }
  const shown = job.value;
  const common = of.common(shown);
  const copy = async () => {
    const call = await of.call(client, shown);
    await copyAs(app, trans.__('%1 as code', name), [call]);
  };
  return (
    <div className="jp-StudioPage jp-StudioJob">
      <JobHeader
        kind={of.kind}
        name={name}
        status={common.status}
        gone={job.gone}
        created={common.created}
        ended={common.end}
        phases={now => of.phases(shown, now, trans)}
      >
        <button className="jp-StudioButton" onClick={() => void copy()}>
          {trans.__('Copy as…')}
        </button>
      </JobHeader>
      <Overview
        kind={of.kind}
        name={name}
        failed={common.status === 'Failed' ? (common.reason ?? '') : undefined}
        start={common.start ?? common.created}
        log={log}
        state={args.log}
        onState={changes => setArgs({ log: { ...args.log, ...changes } })}
        said={of.said(shown)}
      >
        {of.facts(shown)}
        {common.environment && (
          <Parameters
            title={trans.__('Environment')}
            values={common.environment}
            empty=""
          />
        )}
        <Tags arn={common.arn} />
      </Overview>
    </div>
  );
}

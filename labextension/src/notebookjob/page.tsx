import type { ServiceManager } from '@jupyterlab/services';
import React from 'react';

import { Problem, Skeleton } from '../components/empty';
import { useArgs, useLive, useStudio } from '../components/hooks';
import type { StudioView } from '../core/documents';
import { CommandIDs } from '../tokens';
import { basisOf, begun, type IBasis, STAMPED, suggested } from './basis';
import { sent } from './files';
import { Parameters } from './parameters';
import { Place, Times } from './place';
import { fileOf, type IRun, jobOf, prefixOf, scheduleOf } from './request';
import { Review, Summary } from './review';

interface IRunArgs {
  path: string;
  /** What has been chosen; it survives a reload. */
  run?: IRun;
}

/** The page on which a notebook or script is made a job; Jupyter's own services are given. */
export function runPage(
  services: ServiceManager.IManager
): React.ComponentType<{ view: StudioView }> {
  return function RunPage({ view }) {
    const { client, trans } = useStudio();
    const [{ path }] = useArgs<IRunArgs>(view);
    const { value, error, refresh } = useLive(
      signal => basisOf(services, client, path, signal),
      () => false,
      [client, path]
    );
    if (!value) {
      return error ? (
        <Problem
          what={trans.__('%1 could not be read.', path)}
          error={error}
          retry={refresh}
        />
      ) : (
        <Skeleton lines={8} />
      );
    }
    return (
      <Form key={path} view={view} basis={value} contents={services.contents} />
    );
  };
}

function Form(props: {
  view: StudioView;
  basis: IBasis;
  contents: ServiceManager.IManager['contents'];
}): React.JSX.Element {
  const { trans } = useStudio();
  const { view, basis } = props;
  const [args, setArgs] = useArgs<IRunArgs>(view);
  const { path } = args;
  const run = args.run ?? begun(path, basis);
  const put = (changes: Partial<IRun>) => {
    const next = { ...run, ...changes };
    if (changes.when && STAMPED.test(run.name) !== (next.when === 'now')) {
      next.name = suggested(path, next.when);
    }
    setArgs({ run: next });
  };
  const submit = useSubmit(props.view, run, path, props);
  return (
    <div className="jp-StudioPage jp-StudioNewJob">
      <div className="jp-StudioPage-header">
        <h1>{trans.__('Run %1 as a job', fileOf(path))}</h1>
        <div className="jp-StudioPage-actions">
          <button
            className="jp-StudioButton jp-mod-accept"
            disabled={submit.running || !run.name}
            onClick={() => void submit.go()}
          >
            {run.when === 'now' ? trans.__('Run') : trans.__('Schedule')}
          </button>
        </div>
      </div>
      <div className="jp-StudioPage-body">
        {submit.error !== null && (
          <Problem
            what={
              run.when === 'now'
                ? trans.__('The job was not started.')
                : trans.__('The schedule was not made.')
            }
            error={submit.error}
          />
        )}
        <div className="jp-StudioNewJob-columns">
          <div className="jp-StudioNewJob-main">
            <Parameters run={run} put={put} path={path} basis={basis} />
            <Place run={run} put={put} path={path} basis={basis} />
            <Times run={run} put={put} />
            <Review run={run} put={put} path={path} basis={basis} />
          </div>
          <Summary run={run} path={path} basis={basis} />
        </div>
      </div>
    </div>
  );
}

/** Sends the files, starts the job or makes the schedule, and shows it. */
function useSubmit(
  view: StudioView,
  run: IRun,
  path: string,
  props: { basis: IBasis; contents: ServiceManager.IManager['contents'] }
): { running: boolean; error: unknown; go: () => Promise<void> } {
  const { client, commands } = useStudio();
  const [running, setRunning] = React.useState(false);
  const [error, setError] = React.useState<unknown>(null);
  const { defaults, file } = props.basis;
  const go = async () => {
    setRunning(true);
    setError(null);
    try {
      const paths = run.beside ? [path, ...file.beside] : [path];
      const prefix = `${prefixOf(run)}input/`;
      await sent(client, props.contents, paths, defaults.Bucket, prefix);
      if (run.when === 'now') {
        const request = jobOf(run, path, defaults);
        await client.call('sagemaker', 'CreateTrainingJob', request);
      } else {
        const request = scheduleOf(run, path, defaults);
        await client.call('scheduler', 'CreateSchedule', request);
      }
    } catch (problem) {
      setError(problem);
      setRunning(false);
      return;
    }
    view.parent?.dispose();
    await (run.when === 'now'
      ? commands.execute(CommandIDs.openJob, { name: run.name })
      : commands.execute(CommandIDs.openSchedules, { selected: run.name }));
  };
  return { running, error, go };
}

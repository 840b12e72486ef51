import React from 'react';

import { useStudio } from '../components/hooks';
import type { LogModel } from '../components/log/model';
import type { ILogState } from '../components/log/state';
import { LogView } from '../components/log/view';
import { Section } from '../components/parts';
import type { IJobKind } from '../jobs/kinds';
import { SystemCharts } from './charts';
import { failureOf } from './failure';
import { FailureCard } from './failurecard';
import { useSeries } from './series';

/**
 * What the pages of jobs without tabs have below their header: why the job failed, its log and
 * what it took of the machine, and `children` at the side.
 */
export function Overview(
  props: React.PropsWithChildren<{
    kind: IJobKind;
    name: string;
    /** Why it failed; undefined for a job that did not. */
    failed: string | undefined;
    /** When it began, seconds since the epoch. */
    start: number;
    log: LogModel;
    state: ILogState | undefined;
    onState: (changes: ILogState) => void;
    /** What stands before the log. */
    said?: React.ReactNode;
  }>
): React.JSX.Element {
  const { trans } = useStudio();
  const { kind, name, failed, log, onState } = props;
  const { series } = useSeries(kind.kind, name);
  const system = series?.filter(each => each.group === 'system') ?? [];
  const failure = failureOf(
    {
      failed: failed !== undefined,
      late: false,
      reason: failed ?? '',
      limit: 0
    },
    trans
  );
  return (
    <div className="jp-StudioJob-scroll">
      <div className="jp-StudioJob-overview">
        <div className="jp-StudioJob-main">
          <FailureCard
            failure={failure}
            clone={[kind.form, name]}
            log={log}
            onLine={line => onState({ line, top: undefined, follow: false })}
          />
          {props.said}
          <Section title={trans.__('Log')} className="jp-StudioJob-log">
            <LogView
              model={log}
              label={trans.__('Log of %1', name)}
              state={props.state ?? {}}
              onState={onState}
            />
          </Section>
          {system.length > 0 && (
            <Section title={trans.__('System')}>
              <SystemCharts series={system} start={1000 * props.start} />
            </Section>
          )}
        </div>
        <aside className="jp-StudioJob-side">{props.children}</aside>
      </div>
    </div>
  );
}

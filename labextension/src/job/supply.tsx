import React from 'react';

import { CommandButton, CommandLink } from '../components/actions';
import { duration, percent } from '../components/format';
import { useLive, useStudio } from '../components/hooks';
import { Copyable, Facts, Section } from '../components/parts';
import { CommandIDs } from '../tokens';
import type { sagemaker } from '../wire';

type Job = sagemaker.DescribeTrainingJobResponse;

/** What the job was given of the machine, for how long, and what it is charged for. */
export function Supply({ job }: { job: Job }): React.JSX.Element | null {
  const { trans } = useStudio();
  const facts = [...useBilling(job), ...usePool(job)];
  const warnings = shortages(job);
  return facts.length || warnings.length ? (
    <Section title={trans.__('Capacity')}>
      {warnings.map(each => (
        <p key={each} className="jp-StudioNewJob-warning" role="note">
          {each}
        </p>
      ))}
      <Facts facts={facts} />
    </Section>
  ) : null;
}

type Fact = [string, React.ReactNode];

/** Times, and of managed spot training what was saved and how often it was interrupted. */
function useBilling(job: Job): Fact[] {
  const { trans } = useStudio();
  const { TrainingTimeInSeconds: trained, BillableTimeInSeconds: billable } =
    job;
  const facts: Fact[] = [];
  if (job.EnableManagedSpotTraining) {
    const count = interruptions(job);
    facts.push([
      trans.__('Managed spot'),
      count
        ? trans._n('interrupted once', 'interrupted %1 times', count)
        : trans.__('not interrupted')
    ]);
  }
  if (trained !== undefined) {
    facts.push([trans.__('Trained'), duration(trained)]);
  }
  if (billable !== undefined) {
    const saved = trained ? 1 - billable / trained : 0;
    facts.push([
      trans.__('Billable'),
      saved > 0
        ? trans.__('%1, %2 saved', duration(billable), percent(saved))
        : duration(billable)
    ]);
  }
  return facts;
}

/** What of it stays ready for the next job. */
function usePool(job: Job): Fact[] {
  const { trans } = useStudio();
  const pool = job.WarmPoolStatus;
  if (!pool) {
    return [];
  }
  const facts: Fact[] = [
    [
      trans.__('Warm pool'),
      <span key="pool" className="jp-StudioJob-row">
        {pool.Status}
        {pool.Status === 'Available' && (
          <CommandButton kind="minimal" command={CommandIDs.openCompute}>
            {trans.__('Compute')}
          </CommandButton>
        )}
      </span>
    ]
  ];
  if (pool.ResourceRetainedBillableTimeInSeconds !== undefined) {
    facts.push([
      trans.__('Kept ready'),
      duration(pool.ResourceRetainedBillableTimeInSeconds)
    ]);
  }
  if (pool.ReusedByJob) {
    facts.push([
      trans.__('Reused by'),
      <CommandLink
        key="reused"
        command={CommandIDs.openJob}
        args={{ name: pool.ReusedByJob }}
      >
        {pool.ReusedByJob}
      </CommandLink>
    ]);
  }
  return facts;
}

/** Hash of the image that ran; nothing while it is not known. */
export function ImageDigest({ job }: { job: Job }): React.JSX.Element | null {
  const { client } = useStudio();
  const arn = job.TrainingJobArn;
  const { value } = useLive(
    signal => client.call('studio', 'GetProvenance', { Arn: arn }, signal),
    event => event.type === 'resource' && event.Arn === arn,
    [client, arn]
  );
  const digest = value?.Execution?.Image?.Digest;
  return digest ? <Copyable text={digest} /> : null;
}

/** How often the job was interrupted to let others run. */
export function interruptions(job: Job): number {
  return (job.SecondaryStatusTransitions ?? []).filter(
    each => each.Status === 'Interrupted'
  ).length;
}

/** Where the machine has less than the instance type promises, as its first phase says. */
export function shortages(job: Job): string[] {
  const first = job.SecondaryStatusTransitions?.[0]?.StatusMessage ?? '';
  return [...first.matchAll(/\((this machine has [^()]*)\)/g)].map(
    ([, text]) => `${text[0].toUpperCase()}${text.slice(1)}.`
  );
}

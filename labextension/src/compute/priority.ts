import { forEach } from '../core/each';
import type { IStudio } from '../tokens';
import type { studio } from '../wire';

/** Least and most that a priority may be. */
const MOST = 9999;

/** A priority as the service takes it. */
export function limited(priority: number): number {
  return Math.max(-MOST, Math.min(MOST, Math.round(priority)));
}

/** The priorities that put these before all others, in the order that they have. */
export function first(
  chosen: studio.WaitingRun[],
  every: studio.WaitingRun[]
): number {
  const others = every.filter(each => !chosen.includes(each));
  const highest = Math.max(0, ...others.map(each => each.Priority ?? 0));
  return others.length ? limited(highest + 1) : (chosen[0]?.Priority ?? 0);
}

/** Give each of the jobs the priority that `next` finds for it. */
export async function prioritize(
  { client, trans }: IStudio,
  rows: studio.WaitingRun[],
  next: (row: studio.WaitingRun) => number
): Promise<void> {
  const byName = new Map(rows.map(row => [row.Name, row]));
  await forEach(
    [...byName.keys()],
    name => {
      const row = byName.get(name)!;
      return client.call('studio', 'UpdateJobPriority', {
        Arn: row.Arn,
        Priority: limited(next(row))
      });
    },
    trans.__('The priority was not changed')
  );
}

import { float64s } from '../components/chart/series';
import { quoted } from '../compare/query/tokens';
import type { Client } from '../core/client';
import type { studio } from '../wire';

/** The query that selects an experiment's components; null for those of no trial. */
export function queryOf(experiment: string | null, trial?: string): string {
  if (experiment === null) {
    return 'experiment is None';
  }
  const within = `experiment == ${quoted(experiment)}`;
  return trial === undefined
    ? within
    : `${within} and trial == ${quoted(trial)}`;
}

/** What is known of the components of one group. */
export interface ISummary {
  components: number;
  /** When the last of them changed, in milliseconds. */
  activity: number | undefined;
  /** The least and the greatest last value of the chosen metric. */
  range: [number, number] | undefined;
}

/** Groups of components by experiment or by trial; the key is the name, null for none. */
export async function summaries(
  client: Client,
  request: { Query?: string; GroupBy: ['experiment' | 'trial'] },
  metric: string | undefined,
  signal: AbortSignal
): Promise<Map<string | null, ISummary>> {
  const { Groups, Statistics } = await client.call(
    'studio',
    'GroupTrialComponents',
    {
      ...request,
      Fields: ['modified_at', ...(metric ? [metric] : [])],
      Limit: 1000
    },
    signal
  );
  const [changed, values] = ['modified_at', metric].map(field =>
    rangesOf(Statistics.find(each => each.Field === field))
  );
  return new Map(
    Groups.map((group, at) => {
      const activity = changed?.(at)?.[1];
      return [
        group.Keys[0]?.Text ?? null,
        {
          components: group.Count,
          activity: activity === undefined ? undefined : 1000 * activity,
          range: values?.(at)
        }
      ];
    })
  );
}

/** The metrics that most components have, the commonest first. */
export async function commonMetrics(
  client: Client,
  signal: AbortSignal
): Promise<string[]> {
  const { Fields } = await client.call(
    'studio',
    'ListTrialComponentFields',
    { Kinds: ['metric'], Limit: 1000 },
    signal
  );
  return Fields.filter(each => !each.Name.startsWith('system/'))
    .sort((a, b) => b.Components - a.Components)
    .slice(0, 100)
    .map(each => each.Field);
}

function rangesOf(
  statistics: studio.TrialComponentStatistics | undefined
): ((at: number) => [number, number] | undefined) | undefined {
  if (!statistics) {
    return undefined;
  }
  const least = float64s(statistics.Minima);
  const greatest = float64s(statistics.Maxima);
  return at =>
    Number.isNaN(least[at]) ? undefined : [least[at], greatest[at]];
}

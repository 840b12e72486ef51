import { useLive, useStudio } from '../components/hooks';
import type { studio } from '../wire';
import { useView } from './hooks';
import { COMPONENT } from './rows';

/** Most components whose whole documents are shown side by side. */
export const MOST_DETAILED = 100;
const PACE_MS = 1000;

/** Whole documents of components. */
export interface IDetails {
  details: studio.TrialComponentDetail[];
  /** Names of those that are no more. */
  missing: string[];
  /** How many are chosen, of which the details of the first 100 are here. */
  chosen: number;
}

/** The names of what is looked at closely: what is chosen, or else what the view is about. */
export function useChosen(): readonly string[] {
  const selection = useView(state => state.selection);
  const names = useView(state => state.names);
  return selection.length ? selection : (names ?? selection);
}

/** The documents of what is chosen, the base first; kept up to date. */
export function useDetails(): {
  value: IDetails | undefined;
  error: unknown;
  refresh: () => void;
} {
  const { client } = useStudio();
  const base = useView(state => state.base);
  const chosen = useChosen();
  const first = base === null ? [] : [base];
  const names = [...new Set([...first, ...chosen])].slice(0, MOST_DETAILED);
  const key = JSON.stringify(names);
  return useLive(
    async signal => {
      const Names = JSON.parse(key) as string[];
      if (!Names.length) {
        return { details: [], missing: [], chosen: 0 };
      }
      const { TrialComponents, Missing } = await client.call(
        'studio',
        'DescribeTrialComponents',
        { Names },
        signal
      );
      const found = new Map(TrialComponents.map(each => [each.Name, each]));
      return {
        details: Names.flatMap(name => found.get(name) ?? []),
        missing: Missing,
        chosen: chosen.length
      };
    },
    event =>
      (event.type === 'resource' || event.type === 'metrics') &&
      event.Kind === COMPONENT &&
      names.includes(event.Name),
    [client, key],
    PACE_MS
  );
}

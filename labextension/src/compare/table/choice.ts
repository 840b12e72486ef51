import { float64s } from '../../components/chart/series';
import type { Client } from '../../core/client';
import type { studio } from '../../wire';
import type { IColumnState } from '../state';
import type { IQuestion } from './pages';
import type { IRange } from './scale';

const FEW: [string, number][] = [
  ['metric', 8],
  ['parameter', 12],
  ['tag', 3]
];
/** As the server has it, in one question. */
const MOST_MEASURED = 200;
/** The columns of every table, shown until more is known. */
export const ALWAYS: readonly IColumnState[] = [
  { field: 'status' },
  { field: 'created_at' },
  { field: 'duration' }
];

/** The columns of a table that nobody has chosen: what all have, some metrics, some parameters. */
export async function usual(
  client: Client,
  signal?: AbortSignal
): Promise<IColumnState[]> {
  const found = await Promise.all(
    FEW.map(([kind, Limit]) =>
      client.call(
        'studio',
        'ListTrialComponentFields',
        { Kinds: [kind], Limit },
        signal
      )
    )
  );
  const fields = found.flatMap(each => each.Fields.map(({ Field }) => Field));
  return [...ALWAYS, ...fields.map(field => ({ field }))];
}

/** Least and greatest number of each field among the components that are asked for. */
export async function ranges(
  client: Client,
  question: IQuestion,
  fields: readonly string[],
  signal?: AbortSignal
): Promise<Map<string, IRange>> {
  const { Query, Names } = question;
  const found = new Map<string, IRange>();
  const measured: studio.TrialComponentStatistics[] = [];
  for (let at = 0; at < fields.length; at += MOST_MEASURED) {
    const asked = {
      ...(Query && { Query }),
      ...(Names && { Names }),
      GroupBy: ['status'],
      Fields: fields.slice(at, at + MOST_MEASURED)
    };
    const answer = await client.call(
      'studio',
      'GroupTrialComponents',
      asked,
      signal
    );
    measured.push(...answer.Statistics);
  }
  for (const each of measured) {
    const lows = [...float64s(each.Minima)].filter(Number.isFinite);
    const highs = [...float64s(each.Maxima)].filter(Number.isFinite);
    if (lows.length) {
      found.set(each.Field, {
        low: Math.min(...lows),
        high: Math.max(...highs)
      });
    }
  }
  return found;
}

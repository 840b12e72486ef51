import type { Client } from '../core/client';
import type { IDragged } from '../tokens';

const MOST_OF_A_KIND = 8;
const KINDS = [
  ['training-job', 'job'],
  ['model', 'model'],
  ['endpoint', 'endpoint']
] as const;

/** Something that a cell can load. */
export interface IThing {
  kind: IDragged['kind'];
  /** "" of an object that is yet to be chosen. */
  name: string;
  status: string;
}

/** The newest jobs, models and endpoints whose names hold `text`; then S3. */
export async function things(
  client: Client,
  text: string,
  signal: AbortSignal
): Promise<IThing[]> {
  const found = await Promise.all(
    KINDS.map(async ([Kind, kind]) => {
      const request = {
        Kind,
        Limit: MOST_OF_A_KIND,
        ...(text ? { Text: text } : {})
      };
      const { Rows } = await client.call(
        'studio',
        'QueryResources',
        request,
        signal
      );
      return Rows.map(row => ({ kind, name: row.Name, status: row.Status }));
    })
  );
  return [...found.flat(), { kind: 'object', name: '', status: '' }];
}

import type { sagemaker } from '../wire';
import type { Client } from './client';

const PAGE = 100;

/** The newest resources of a kind, as SageMaker's Search shows them, and how many there are. */
export async function searchNewest(
  client: Client,
  resource: 'Model' | 'ModelPackage' | 'Endpoint' | 'TrainingJob',
  most: number,
  signal?: AbortSignal,
  filters: sagemaker.Filter[] = []
): Promise<{ records: sagemaker.SearchRecord[]; total: number }> {
  const records: sagemaker.SearchRecord[] = [];
  let total: number;
  let token: string | undefined;
  do {
    const page = await client.call(
      'sagemaker',
      'Search',
      {
        Resource: resource,
        SortBy: 'CreationTime',
        SortOrder: 'Descending',
        MaxResults: Math.min(PAGE, most - records.length),
        NextToken: token,
        SearchExpression: filters.length ? { Filters: filters } : undefined
      },
      signal
    );
    records.push(...(page.Results ?? []));
    total = page.TotalHits?.Value ?? records.length;
    token = page.NextToken;
  } while (token && records.length < most);
  return { records, total: Math.max(total, records.length) };
}

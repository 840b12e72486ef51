import { float64s } from '../components/chart/series';
import { bytesOf } from '../core/base64';
import type { Client } from '../core/client';
import type { FeedEvent } from '../core/feed';
import type { studio } from '../wire';
import type { IViewState } from './state';

/** The kind of trial components in resources, events and ARNs. */
export const COMPONENT = 'experiment-trial-component';

/** The values of a field, one a component. */
export interface IValues {
  field: string;
  /** NaN where there is no number. */
  numbers: Float64Array | null;
  /** The different texts, into which `codes` points; -1 where there is none. */
  texts: readonly string[] | null;
  codes: Int32Array | null;
}

/** Some components with the fields that were asked for. */
export interface IComponents {
  /** How many there are of which the query could speak. */
  total: number;
  /** How many of them match, of which here are some or all. */
  matched: number;
  names: readonly string[];
  arns: readonly string[];
  /** What they are called on screen. */
  titles: readonly string[];
  statuses: readonly string[];
  /** By field. */
  values: ReadonlyMap<string, IValues>;
}

/** One of some components: its place among them. */
export interface IRow {
  components: IComponents;
  at: number;
}

/** What a query asks for beside what the view says. */
export interface IAsked {
  fields: readonly string[];
  /** Only these of the view's components. */
  names?: readonly string[];
  /** The order; that of the view when not said. */
  sort?: IViewState['sort'];
  offset?: number;
  limit?: number;
  /** Also those that the query leaves out. */
  unfiltered?: boolean;
}

/** Most components of one answer. */
export const MOST = 10_000;

/** The request for what a pane asks of a view. */
export function requested(
  view: Pick<IViewState, 'query' | 'names' | 'sort'>,
  asked: IAsked
): studio.QueryTrialComponentsRequest {
  const names = asked.names ?? view.names;
  return {
    ...(view.query && !asked.unfiltered && { Query: view.query }),
    ...(names && { Names: [...names] }),
    Fields: [...asked.fields],
    SortBy: (asked.sort ?? view.sort).map(each => ({
      Field: each.field,
      Order: each.descending ? 'Descending' : 'Ascending'
    })),
    Offset: asked.offset ?? 0,
    Limit: Math.min(asked.limit ?? MOST, MOST)
  };
}

/** Ask for components. */
export async function query(
  client: Client,
  request: studio.QueryTrialComponentsRequest,
  signal?: AbortSignal
): Promise<IComponents> {
  const answer = await client.call(
    'studio',
    'QueryTrialComponents',
    request,
    signal
  );
  return {
    total: answer.Total,
    matched: answer.Matched,
    names: answer.Names,
    arns: answer.Arns,
    titles: answer.DisplayNames.map((title, i) => title || answer.Names[i]),
    statuses: answer.Statuses,
    values: new Map(answer.Columns.map(each => [each.Field, valuesOf(each)]))
  };
}

/** The value of a field at a place; undefined where there is none. */
export function valueAt(
  components: IComponents,
  field: string,
  at: number
): number | string | undefined {
  const values = components.values.get(field);
  const code = values?.codes?.[at] ?? -1;
  if (code >= 0) {
    return values!.texts![code];
  }
  const number = values?.numbers?.[at];
  return number === undefined || Number.isNaN(number) ? undefined : number;
}

/** Whether components may be others after an event. */
export function concerns(event: FeedEvent): boolean {
  return (
    (event.type === 'resource' || event.type === 'metrics') &&
    event.Kind === COMPONENT
  );
}

function valuesOf(column: studio.TrialComponentColumn): IValues {
  return {
    field: column.Field,
    numbers: column.Numbers ? float64s(column.Numbers) : null,
    texts: column.Texts ?? null,
    codes: column.Codes ? int32s(column.Codes) : null
  };
}

/** Little-endian int32s in base64; so are those of every machine that has a browser. */
function int32s(base64: string): Int32Array {
  return new Int32Array(bytesOf(base64).buffer);
}

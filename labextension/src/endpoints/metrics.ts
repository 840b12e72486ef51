import type { Client } from '../core/client';
import type { cloudwatch } from '../wire';

/** A span that the charts can show. */
export interface IRange {
  id: string;
  seconds: number;
  /** Seconds of a point. */
  period: number;
}

export const RANGES: IRange[] = [
  { id: '15m', seconds: 15 * 60, period: 10 },
  { id: '1h', seconds: 3600, period: 30 },
  { id: '3h', seconds: 3 * 3600, period: 60 },
  { id: '24h', seconds: 24 * 3600, period: 600 },
  { id: '7d', seconds: 7 * 24 * 3600, period: 3600 }
];

/** A quantity of a variant over time: `at` in milliseconds, `value` null where nothing is known. */
export interface ISeries {
  variant: string;
  at: number[];
  value: (number | null)[];
}

/** What the charts of an endpoint show. */
export interface IFigures {
  /** Requests a minute. */
  requests: ISeries[];
  /** Milliseconds. */
  latency: Record<'p50' | 'p90' | 'p99', ISeries[]>;
  /** Failed requests a minute. */
  errors: Record<'4xx' | '5xx', ISeries[]>;
  /** With how many requests each was predicted; empty where none says so. */
  batches: ISeries[];
  /** Milliseconds that requests waited to be predicted with others; empty as `batches`. */
  waits: Record<'p50' | 'p99', ISeries[]>;
}

interface IQuery {
  metric: string;
  stat: string;
  endpoint: string;
  variant: string;
}

const QUANTITIES: Record<string, { metric: string; stat: string }> = {
  requests: { metric: 'Invocations', stat: 'Sum' },
  p50: { metric: 'ModelLatency', stat: 'p50' },
  p90: { metric: 'ModelLatency', stat: 'p90' },
  p99: { metric: 'ModelLatency', stat: 'p99' },
  '4xx': { metric: 'Invocation4XXErrors', stat: 'Sum' },
  '5xx': { metric: 'Invocation5XXErrors', stat: 'Sum' },
  batch: { metric: 'BatchSize', stat: 'Average' },
  wait50: { metric: 'BatchWaitTime', stat: 'p50' },
  wait99: { metric: 'BatchWaitTime', stat: 'p99' }
};

/** What is known of a range: values by time (milliseconds), by quantity and variant. */
export interface IKnown {
  range: IRange;
  variants: string[];
  values: Record<string, Map<number, number>[]>;
}

/** Ask for the figures of an endpoint's variants over the range that ends `now` (milliseconds). */
export async function ask(
  client: Client,
  endpoint: string,
  variants: string[],
  range: IRange,
  now: number,
  signal?: AbortSignal
): Promise<IKnown> {
  const end = endOf(range, now);
  const names = Object.keys(QUANTITIES);
  const queries = names.flatMap(name =>
    variants.map(variant => ({ ...QUANTITIES[name], variant, endpoint }))
  );
  const window = { start: end - range.seconds, end, period: range.period };
  const answers = await query(client, queries, window, signal);
  const count = variants.length;
  const values = Object.fromEntries(
    names.map((name, index) => [
      name,
      answers.slice(index * count, (index + 1) * count)
    ])
  );
  return { range, variants, values };
}

/** The series of what is known, up to `now`: since then nobody asked the endpoint. */
export function figures(known: IKnown, now: number): IFigures {
  const { range, variants, values } = known;
  const start = endOf(range, now) - range.seconds;
  const steps = Array.from(
    { length: range.seconds / range.period },
    (_, index) => 1000 * (start + index * range.period)
  );
  const series = (name: string, nothing: number | null, factor: number) =>
    variants.map((variant, index) => ({
      variant,
      at: steps,
      value: steps.map(at => {
        const value = values[name][index]?.get(at);
        return value === undefined ? nothing : value * factor;
      })
    }));
  const minute = 60 / range.period;
  const batched = values.batch?.some(each => each.size > 0);
  const measured = (name: string, factor: number) =>
    batched ? series(name, null, factor) : [];
  return {
    requests: series('requests', 0, minute),
    latency: {
      p50: series('p50', null, 1e-3),
      p90: series('p90', null, 1e-3),
      p99: series('p99', null, 1e-3)
    },
    errors: {
      '4xx': series('4xx', 0, minute),
      '5xx': series('5xx', 0, minute)
    },
    batches: measured('batch', 1),
    waits: { p50: measured('wait50', 1e-3), p99: measured('wait99', 1e-3) }
  };
}

/** The end, in seconds, of the period that `now` is in. */
function endOf(range: IRange, now: number): number {
  return (Math.floor(now / 1000 / range.period) + 1) * range.period;
}

/** What a list shows of an endpoint: over the last five minutes. */
export interface ILately {
  requests: number;
  errors: number;
  /** Milliseconds; undefined when nobody asked. */
  p90?: number;
}

const LATELY = 300;
const MOST_VARIANTS = 100;

/** The last five minutes of each endpoint, by its name; of the first hundred variants. */
export async function lately(
  client: Client,
  endpoints: { name: string; variants: string[] }[],
  now: number,
  signal?: AbortSignal
): Promise<Record<string, ILately>> {
  const end = Math.floor(now / 1000) + 1;
  const asked = endpoints
    .flatMap(({ name, variants }) =>
      variants.map(variant => ({ name, variant }))
    )
    .slice(0, MOST_VARIANTS);
  const wanted = ['requests', 'p90', '4xx', '5xx'];
  const queries = asked.flatMap(({ name, variant }) =>
    wanted.map(each => ({ ...QUANTITIES[each], variant, endpoint: name }))
  );
  if (!queries.length) {
    return {};
  }
  const window = { start: end - LATELY, end, period: LATELY };
  const answers = await query(client, queries, window, signal);
  const found: Record<string, ILately> = {};
  asked.forEach(({ name }, index) => {
    const values = wanted.map((_, at) => [
      ...(answers[index * wanted.length + at]?.values() ?? [])
    ]);
    const [requests, p90, refused, failed] = values;
    const mine = (found[name] ??= { requests: 0, errors: 0 });
    mine.requests += sum(requests);
    mine.errors += sum(refused) + sum(failed);
    if (p90.length) {
      mine.p90 = Math.max(mine.p90 ?? 0, ...p90.map(each => each / 1000));
    }
  });
  return found;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Values by time (milliseconds) for each query. */
async function query(
  client: Client,
  queries: IQuery[],
  window: { start: number; end: number; period: number },
  signal?: AbortSignal
): Promise<Map<number, number>[]> {
  const answers = queries.map(() => new Map<number, number>());
  let token: string | undefined;
  do {
    const page: cloudwatch.GetMetricDataOutput = await client.call(
      'cloudwatch',
      'GetMetricData',
      {
        StartTime: window.start,
        EndTime: window.end,
        NextToken: token,
        MetricDataQueries: queries.map((each, index) => ({
          Id: `q${index}`,
          MetricStat: {
            Metric: {
              Namespace: 'AWS/SageMaker',
              MetricName: each.metric,
              Dimensions: [
                { Name: 'EndpointName', Value: each.endpoint },
                { Name: 'VariantName', Value: each.variant }
              ]
            },
            Period: window.period,
            Stat: each.stat
          }
        }))
      },
      signal
    );
    for (const result of page.MetricDataResults ?? []) {
      const values = answers[Number(result.Id?.slice(1))];
      result.Timestamps?.forEach((at, index) =>
        values?.set(1000 * at, result.Values?.[index] ?? 0)
      );
    }
    token = page.NextToken;
  } while (token);
  return answers;
}

import type { studio } from '../wire';
import type { IRequest } from './console';

/** How an endpoint is to be asked. */
export interface ILoad {
  /** A rate, or connections that each wait for their answers. */
  mode: 'rate' | 'connections';
  rate: number;
  connections: number;
  seconds: number;
}

export const FIRST_LOAD: ILoad = {
  mode: 'rate',
  rate: 50,
  connections: 8,
  seconds: 10
};

/** What the server takes. */
export const MOST = { rate: 2000, connections: 64, seconds: 60 };

/** How many buckets of the server are one step of the drawn histogram. */
const TOGETHER = 4;
const RATIO = 2 ** (1 / 32);

/** The bound that a load breaks, if any. */
export function broken(load: ILoad): keyof typeof MOST | null {
  const bad = (value: number, least: number, most: number) =>
    !(value >= least && value <= most);
  if (load.mode === 'rate' && bad(load.rate, 0.1, MOST.rate)) {
    return 'rate';
  }
  const { connections, seconds } = load;
  if (
    load.mode === 'connections' &&
    (bad(connections, 1, MOST.connections) || !Number.isInteger(connections))
  ) {
    return 'connections';
  }
  return bad(seconds, 1, MOST.seconds) || !Number.isInteger(seconds)
    ? 'seconds'
    : null;
}

/** The request that begins a test. */
export function requestOf(
  endpoint: string,
  load: ILoad,
  request: IRequest,
  body: string,
  now: number
): studio.StartLoadTestRequest {
  const day = new Date(now).toISOString().slice(0, 19).replace(/\D/g, '');
  return {
    LoadTestName: `${endpoint.slice(0, 40)}-${day}`,
    EndpointName: endpoint,
    DurationInSeconds: load.seconds,
    ...(load.mode === 'rate'
      ? { RequestsPerSecond: load.rate }
      : { Connections: load.connections }),
    ...(request.variant ? { TargetVariant: request.variant } : {}),
    ...(request.model ? { TargetModel: request.model } : {}),
    ...(request.accept ? { Accept: request.accept } : {}),
    ContentType: request.contentType,
    Body: body
  };
}

/** Outline of a histogram, whose height is the share of all answers in percent. */
export interface IOutline {
  /** Milliseconds. */
  x: number[];
  y: number[];
}

/** The histogram in steps of 9 %, empty ones between others included. */
export function outline(buckets: studio.LoadTestBucket[]): IOutline {
  const steps = new Map<number, number>();
  let total = 0;
  for (const { UpTo, Count } of buckets) {
    const step = Math.ceil(
      Math.round(Math.log(UpTo) / Math.log(RATIO)) / TOGETHER
    );
    steps.set(step, (steps.get(step) ?? 0) + Count);
    total += Count;
  }
  const found = [...steps.keys()];
  const [first, last] = [Math.min(...found), Math.max(...found)];
  const edge = (step: number) => RATIO ** (TOGETHER * step);
  const x: number[] = [];
  const y: number[] = [];
  for (let step = first; step <= last && total; step++) {
    const share = (100 * (steps.get(step) ?? 0)) / total;
    x.push(edge(step - 1), edge(step));
    y.push(share, share);
  }
  return { x, y };
}

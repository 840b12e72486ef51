import type { Client } from './client';
import { ApiError } from './errors';
import type {
  ChartAnswer,
  ChartRequest,
  ComparePart,
  CompareRequest,
  ExportAnswer,
  ExportRequest,
  PrepareAnswer,
  PrepareRequest,
  ProfilePart,
  ProfileRequest,
  Progress,
  RowsAnswer,
  RowsRequest
} from './protocol';

/** What the data worker is asked, and what it answers. */
export interface IVerbs {
  profile: { args: ProfileRequest; part: ProfilePart };
  rows: { args: RowsRequest; part: RowsAnswer };
  chart: { args: ChartRequest; part: ChartAnswer };
  compare: { args: CompareRequest; part: ComparePart };
  export: { args: ExportRequest; part: ExportAnswer };
  prepare: { args: PrepareRequest; part: PrepareAnswer };
}

interface ILine<T> {
  part?: T | Progress;
  error?: { code: string; message: string };
  final?: boolean;
}

/** The parts of an answer as they come; parts that only tell of progress have no `data`. */
export async function* ask<V extends keyof IVerbs>(
  client: Client,
  verb: V,
  args: IVerbs[V]['args'],
  signal: AbortSignal
): AsyncGenerator<IVerbs[V]['part'] | Progress> {
  let whole = false;
  const lines = client.stream<ILine<IVerbs[V]['part']>>(
    `data/${verb}`,
    args,
    signal
  );
  for await (const { part, error, final } of lines) {
    if (error) {
      throw new ApiError(error.code, error.message, 400);
    }
    whole = final ?? false;
    if (part) {
      yield part;
    }
  }
  if (!whole && !signal.aborted) {
    throw new ApiError(
      'Interrupted',
      'The connection was lost before the answer was complete.',
      0
    );
  }
}

/** Whether a part only tells how far the worker is. */
export function isProgress(part: object): part is Progress {
  return !('data' in part);
}

/** The answer of a verb that has only one part. */
export async function answerOf<V extends 'rows' | 'chart' | 'prepare'>(
  client: Client,
  verb: V,
  args: IVerbs[V]['args'],
  signal: AbortSignal,
  onProgress?: (progress: Progress) => void
): Promise<IVerbs[V]['part']> {
  let answer: IVerbs[V]['part'] | undefined;
  for await (const part of ask(client, verb, args, signal)) {
    if (isProgress(part)) {
      onProgress?.(part);
    } else {
      answer = part;
    }
  }
  if (!answer) {
    throw new ApiError('Empty', 'The answer was empty.', 0);
  }
  return answer;
}

import type { ICall } from '../codegen';
import type { Client } from '../core/client';
import { ensureBucket } from '../core/s3';
import type { IPlan } from './draft';

/** What a deployment made so far. */
export type Made = Partial<IPlan['made']>;

/** A deployment that was refused: what had been made before is gone again. */
export class Refused extends Error {
  constructor(
    readonly operation: string,
    readonly reason: unknown,
    /** What could not be removed. */
    readonly left: Made
  ) {
    super(`${operation}: ${String(reason)}`);
  }
}

const MAKES: Partial<Record<ICall['operation'], keyof Made>> = {
  CreateModel: 'model',
  CreateEndpointConfig: 'config',
  CreateEndpoint: 'endpoint'
};

/** Carry out the calls in order; raises Refused after having undone what was done. */
export async function carryOut(client: Client, plan: IPlan): Promise<Made> {
  const made: Made = {};
  if (plan.bucket) {
    await ensureBucket(client, plan.bucket);
  }
  for (const { operation, request } of plan.calls) {
    try {
      await client.call(
        'sagemaker',
        operation as 'CreateModel',
        request as never
      );
    } catch (reason) {
      throw new Refused(operation, reason, await cleanUp(client, made));
    }
    const kind = MAKES[operation];
    if (kind) {
      made[kind] = plan.made[kind];
    }
  }
  return made;
}

/** Remove what a deployment made; what could not be removed is returned. */
export async function cleanUp(client: Client, made: Made): Promise<Made> {
  const steps: [keyof Made, () => Promise<unknown>][] = [
    [
      'endpoint',
      () =>
        client.call('sagemaker', 'DeleteEndpoint', {
          EndpointName: made.endpoint!
        })
    ],
    [
      'config',
      () =>
        client.call('sagemaker', 'DeleteEndpointConfig', {
          EndpointConfigName: made.config!
        })
    ],
    [
      'model',
      () => client.call('sagemaker', 'DeleteModel', { ModelName: made.model! })
    ]
  ];
  const left: Made = {};
  for (const [kind, remove] of steps) {
    if (made[kind]) {
      try {
        await remove();
      } catch {
        left[kind] = made[kind];
      }
    }
  }
  return left;
}

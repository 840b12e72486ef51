import type { ITimeline } from '../components/timeline';
import type { sagemaker } from '../wire';
import type { IDraft } from './draft';

export type Strategy = 'ALL_AT_ONCE' | 'CANARY' | 'LINEAR' | 'ROLLING';

/** Per cent of the requests, or of the servers, in a step. */
export const DEFAULT_STEP = {
  ALL_AT_ONCE: 100,
  CANARY: 10,
  LINEAR: 25,
  ROLLING: 50
};

/** Seconds after each step. */
export const DEFAULT_WAIT = {
  ALL_AT_ONCE: 0,
  CANARY: 60,
  LINEAR: 60,
  ROLLING: 60
};

/** The per cents that AWS allows in a step. */
const LIMITS = { CANARY: [1, 50], LINEAR: [10, 50], ROLLING: [5, 50] };
const LONGEST_WAIT = 3600;

/** The stages that the draft asks for. */
export function stagesOf(draft: IDraft): ITimeline {
  const { kind, step, wait, kept } = chosen(draft);
  const shares: number[] = kind === 'CANARY' ? [step] : [];
  const steps = kind === 'LINEAR' || kind === 'ROLLING';
  for (let share = step; steps && step > 0 && share < 100; share += step) {
    shares.push(share);
  }
  return {
    Stages: [...shares, 100].map(share => ({ Share: share / 100 })),
    WaitIntervalInSeconds: wait,
    TerminationWaitInSeconds: kept
  };
}

/** The DeploymentConfig of the draft; undefined when it is AWS's own default. */
export function configOf(
  draft: IDraft
): sagemaker.DeploymentConfig | undefined {
  const { kind, step, wait, kept } = chosen(draft);
  const alarms = draft.alarms ?? [];
  if (kind === 'ALL_AT_ONCE' && !wait && !kept && !alarms.length) {
    return undefined;
  }
  const size = { Type: 'CAPACITY_PERCENT', Value: step } as const;
  const policy: sagemaker.DeploymentConfig =
    kind === 'ROLLING'
      ? {
          RollingUpdatePolicy: {
            MaximumBatchSize: size,
            WaitIntervalInSeconds: wait
          }
        }
      : {
          BlueGreenUpdatePolicy: {
            TrafficRoutingConfiguration: {
              Type: kind,
              WaitIntervalInSeconds: wait,
              ...(kind === 'CANARY' ? { CanarySize: size } : {}),
              ...(kind === 'LINEAR' ? { LinearStepSize: size } : {})
            },
            TerminationWaitInSeconds: kept
          }
        };
  return {
    ...policy,
    ...(alarms.length
      ? {
          AutoRollbackConfiguration: {
            Alarms: alarms.map(name => ({ AlarmName: name }))
          }
        }
      : {})
  };
}

/** Fields of the strategy whose values AWS would refuse, with the values that it takes. */
export function wrong(
  draft: IDraft
): { field: string; least: number; most: number }[] {
  const { kind, step, wait, kept } = chosen(draft);
  const [least, most] = kind === 'ALL_AT_ONCE' ? [0, 100] : LIMITS[kind];
  const checks: [string, number, number, number][] = [
    ['stepSize', step, least, most],
    ['wait', wait, 0, LONGEST_WAIT],
    ['keepOld', kept, 0, LONGEST_WAIT]
  ];
  return checks
    .filter(
      ([, value, low, high]) =>
        !(Number.isInteger(value) && value >= low && value <= high)
    )
    .map(([field, , low, high]) => ({ field, least: low, most: high }));
}

function chosen(draft: IDraft): {
  kind: Strategy;
  step: number;
  wait: number;
  kept: number;
} {
  const kind = draft.strategy ?? 'ALL_AT_ONCE';
  return {
    kind,
    step: kind === 'ALL_AT_ONCE' ? 100 : (draft.stepSize ?? DEFAULT_STEP[kind]),
    wait: draft.wait ?? DEFAULT_WAIT[kind],
    kept: kind === 'ROLLING' ? 0 : (draft.keepOld ?? 0)
  };
}

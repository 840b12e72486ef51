import type { Client } from '../core/client';
import type { applicationAutoscaling as scaling, studio } from '../wire';

/** What a policy can keep to. */
export type Tracked = 'requests' | 'concurrency' | 'latency' | 'cpu' | 'gpu';

export const TRACKED: Tracked[] = [
  'requests',
  'concurrency',
  'latency',
  'cpu',
  'gpu'
];

/** The limits of a variant. */
export interface ILimits {
  variant: string;
  least: number;
  most: number;
  /** Periods of ten seconds, not of a minute. */
  quick: boolean;
}

/** A policy that tracks a target. */
export interface IPolicy {
  name: string;
  tracked: Tracked;
  /** Milliseconds, for a latency. */
  target: number;
  outSeconds: number;
  inSeconds: number;
  growsOnly: boolean;
}

/** New limits at a time. */
export interface IAction {
  name: string;
  expression: string;
  timezone: string;
  least: number;
  most: number;
}

const PERIOD = 'studio:autoscaling-period';
const PREDEFINED = {
  requests: 'SageMakerVariantInvocationsPerInstance',
  concurrency: 'SageMakerVariantConcurrentRequestsPerModelHighResolution'
} as const;
const CUSTOM = {
  latency: ['AWS/SageMaker', 'ModelLatency'],
  cpu: ['/aws/sagemaker/Endpoints', 'CPUUtilization'],
  gpu: ['/aws/sagemaker/Endpoints', 'GPUUtilization']
} as const;
const NAMES: Record<string, Tracked> = {
  InvocationsPerInstance: 'requests',
  ConcurrentRequestsPerModel: 'concurrency',
  ModelLatency: 'latency',
  CPUUtilization: 'cpu',
  GPUUtilization: 'gpu'
};

/** The members by which a variant is named. */
export function placeOf(endpoint: string, variant: string) {
  return {
    ServiceNamespace: 'sagemaker',
    ResourceId: `endpoint/${endpoint}/variant/${variant}`,
    ScalableDimension: 'sagemaker:variant:DesiredInstanceCount'
  };
}

/** What a policy tracks, if the form knows it. */
export function trackedOf(
  policy: studio.ScalingPolicyState
): Tracked | undefined {
  return NAMES[policy.MetricName ?? ''];
}

/** How a value of a metric is shown: latencies are measured in microseconds. */
export function shownValue(metric: string | undefined, value: number): number {
  return metric?.endsWith('Latency') ? value / 1000 : value;
}

/** The form's values of a policy. */
export function policyOf(policy: studio.ScalingPolicyState): IPolicy {
  return {
    name: policy.PolicyName,
    tracked: trackedOf(policy) ?? 'requests',
    target: shownValue(policy.MetricName, policy.TargetValue ?? 0),
    outSeconds: policy.ScaleOutCooldown ?? 300,
    inSeconds: policy.ScaleInCooldown ?? 300,
    growsOnly: policy.DisableScaleIn ?? false
  };
}

/** The request that makes or changes a policy. */
export function requestOf(
  endpoint: string,
  variant: string,
  policy: IPolicy
): scaling.PutScalingPolicyRequest {
  const { tracked, target } = policy;
  return {
    ...placeOf(endpoint, variant),
    PolicyName: policy.name,
    PolicyType: 'TargetTrackingScaling',
    TargetTrackingScalingPolicyConfiguration: {
      TargetValue: tracked === 'latency' ? 1000 * target : target,
      ScaleOutCooldown: policy.outSeconds,
      ScaleInCooldown: policy.inSeconds,
      DisableScaleIn: policy.growsOnly,
      ...(tracked === 'requests' || tracked === 'concurrency'
        ? {
            PredefinedMetricSpecification: {
              PredefinedMetricType: PREDEFINED[tracked]
            }
          }
        : {
            CustomizedMetricSpecification: {
              Namespace: CUSTOM[tracked][0],
              MetricName: CUSTOM[tracked][1],
              Statistic: 'Average',
              Dimensions: [
                { Name: 'EndpointName', Value: endpoint },
                { Name: 'VariantName', Value: variant }
              ]
            }
          })
    }
  };
}

/** Say how many instances a variant may have, and how soon it is looked at. */
export async function register(
  client: Client,
  endpoint: string,
  limits: ILimits,
  tagged: boolean
): Promise<void> {
  const answer = await client.call(
    'application-autoscaling',
    'RegisterScalableTarget',
    {
      ...placeOf(endpoint, limits.variant),
      MinCapacity: limits.least,
      MaxCapacity: limits.most
    }
  );
  const ResourceARN = answer.ScalableTargetARN!;
  if (limits.quick) {
    const Tags = { [PERIOD]: '10' };
    await client.call('application-autoscaling', 'TagResource', {
      ResourceARN,
      Tags
    });
  } else if (tagged) {
    const TagKeys = [PERIOD];
    await client.call('application-autoscaling', 'UntagResource', {
      ResourceARN,
      TagKeys
    });
  }
}

/** The number of instances over time (milliseconds), from what was done, up to now. */
export function countsOf(
  variant: studio.ScaledVariant,
  now: number
): { at: number[]; count: number[] } {
  const done = variant.Activities.filter(
    each => each.StatusCode === 'Successful' && each.ToCapacity !== undefined
  ).reverse();
  const at: number[] = [];
  const count: number[] = [];
  for (const each of done) {
    const begun = 1000 * each.StartTime;
    at.push(begun, 1000 * (each.EndTime ?? each.StartTime));
    count.push(each.FromCapacity!, each.ToCapacity!);
  }
  if (at.length) {
    // What the caller takes for now may be of a moment before the last change.
    at.push(Math.max(now, at[at.length - 1]));
    count.push(variant.Capacity);
  }
  return { at, count };
}

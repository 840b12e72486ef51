import type { studio } from '../../wire';
import {
  countsOf,
  policyOf,
  requestOf,
  type Tracked,
  TRACKED
} from '../scaling';

const POLICY = {
  name: 'p',
  tracked: 'latency' as Tracked,
  target: 20,
  outSeconds: 60,
  inSeconds: 300,
  growsOnly: true
};

/** As the server describes what a request has put. */
function stored(tracked: Tracked): studio.ScalingPolicyState {
  const request = requestOf('e', 'v', { ...POLICY, tracked });
  const config = request.TargetTrackingScalingPolicyConfiguration!;
  const names: Record<string, string> = {
    SageMakerVariantInvocationsPerInstance: 'InvocationsPerInstance',
    SageMakerVariantConcurrentRequestsPerModelHighResolution:
      'ConcurrentRequestsPerModel'
  };
  const predefined = config.PredefinedMetricSpecification?.PredefinedMetricType;
  return {
    PolicyName: request.PolicyName,
    PolicyType: request.PolicyType!,
    MetricName: predefined
      ? names[predefined]
      : config.CustomizedMetricSpecification!.MetricName,
    TargetValue: config.TargetValue,
    ScaleOutCooldown: config.ScaleOutCooldown,
    ScaleInCooldown: config.ScaleInCooldown,
    DisableScaleIn: config.DisableScaleIn,
    Alarms: []
  };
}

test.each(TRACKED)('the form shows again what it has stored: %s', tracked => {
  expect(policyOf(stored(tracked))).toEqual({ ...POLICY, tracked });
});

test('a latency is typed in milliseconds and stored in microseconds', () => {
  const request = requestOf('e', 'v', POLICY);
  const config = request.TargetTrackingScalingPolicyConfiguration!;
  expect(config.TargetValue).toBe(20_000);
  expect(config.CustomizedMetricSpecification!.Dimensions).toEqual([
    { Name: 'EndpointName', Value: 'e' },
    { Name: 'VariantName', Value: 'v' }
  ]);
  expect(request.ResourceId).toBe('endpoint/e/variant/v');
});

test('instances over time are what was done, in order, up to now', () => {
  const done = (StartTime: number, from: number, to: number) => ({
    ActivityId: `${StartTime}`,
    Description: '',
    Cause: '',
    StatusCode: 'Successful',
    StartTime,
    EndTime: StartTime + 1,
    FromCapacity: from,
    ToCapacity: to
  });
  const note = {
    ...done(30, 0, 0),
    FromCapacity: undefined,
    ToCapacity: undefined
  };
  const variant = {
    Capacity: 2,
    Activities: [
      note,
      done(20, 3, 2),
      { ...done(15, 3, 9), StatusCode: 'Failed' },
      done(10, 1, 3)
    ]
  } as unknown as studio.ScaledVariant;
  expect(countsOf(variant, 40_000)).toEqual({
    at: [10_000, 11_000, 20_000, 21_000, 40_000],
    count: [1, 3, 3, 2, 2]
  });
  expect(countsOf(variant, 1).at.at(-1)).toBe(21_000);
  expect(countsOf({ ...variant, Activities: [] }, 5)).toEqual({
    at: [],
    count: []
  });
});

import type { TranslationBundle } from '@jupyterlab/translation';

import type { studio } from '../wire';

/** What a variant runs on: "ml.m5.large", or "serverless, 2 GiB". */
export function sizeOf(
  variant: studio.DeployedVariant,
  trans: TranslationBundle
): string {
  return variant.Serverless
    ? trans.__('serverless, %1 GiB', variant.Serverless.MemorySizeInMB / 1024)
    : (variant.InstanceType ?? '');
}

/** Whether a variant that may sleep does, or how many of its servers are awake. */
export function wakefulness(
  variant: studio.DeployedVariant,
  trans: TranslationBundle
): string {
  const serving = variant.InService ?? 0;
  if (!variant.InstanceCount && !serving) {
    return trans.__('Asleep');
  }
  return serving ? trans.__('%1 awake', serving) : trans.__('Waking');
}

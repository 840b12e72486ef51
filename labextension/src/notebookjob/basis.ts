import type { ServiceManager } from '@jupyterlab/services';

import type { Client } from '../core/client';
import { stamped } from '../newjob/draft';
import { LONGEST_NAME } from '../schedules/target';
import { DAILY, expressionOf, localMinute, ownZone } from '../schedules/times';
import type { studio } from '../wire';
import { type IFile, lookedAt } from './files';
import { type IRun, nameOf } from './request';

/** A kernel of Python that Jupyter has. */
export interface IKernel {
  name: string;
  title: string;
  python: string;
}

/** What the page is drawn from. */
export interface IBasis {
  file: IFile;
  kernels: IKernel[];
  defaults: studio.DescribeDefaultsResponse;
  types: studio.InstanceTypeInfo[];
}

/** What the parts of the page are given. */
export interface IPart {
  run: IRun;
  path: string;
  basis: IBasis;
}

/** Changes what has been chosen. */
export type Put = (changes: Partial<IRun>) => void;

const HOUR_MS = 3_600_000;
/** Whether a name ends with a time. */
export const STAMPED = /-\d{4}(-\d\d){5}$/;

/** What is chosen before anybody has chosen. */
export function begun(path: string, basis: IBasis): IRun {
  const wanted = basis.kernels.find(
    each => each.name === basis.file.kernel && each.python
  );
  return {
    name: suggested(path, 'now'),
    parameters: {},
    python: wanted?.python ?? '',
    instanceType: basis.types[0]?.InstanceType ?? 'ml.m5.large',
    minutes: 60,
    beside: false,
    when: 'now',
    at: localMinute(new Date(Date.now() + HOUR_MS)),
    times: { expression: expressionOf(DAILY), timezone: ownZone() }
  };
}

/** A name for a run, with a time if it is to start now. */
export function suggested(path: string, when: IRun['when']): string {
  const base = nameOf(path, LONGEST_NAME - 4);
  return when === 'now' ? stamped(base, new Date()) : base;
}

/** Looks at a file, and at where it could run. */
export async function basisOf(
  services: ServiceManager.IManager,
  client: Client,
  path: string,
  signal: AbortSignal
): Promise<IBasis> {
  const [file, defaults, types] = await Promise.all([
    lookedAt(services.contents, path),
    client.call('studio', 'DescribeDefaults', {}, signal),
    client.call('studio', 'DescribeInstanceTypes', {}, signal)
  ]);
  return {
    file,
    defaults,
    types: types.InstanceTypes,
    kernels: kernelsOf(services)
  };
}

/** The kernels of Python of this Jupyter that say which interpreter is theirs. */
function kernelsOf(services: ServiceManager.IManager): IKernel[] {
  const specs = services.kernelspecs.specs?.kernelspecs ?? {};
  return Object.values(specs)
    .filter(spec => spec?.language === 'python')
    .map(spec => ({
      name: spec!.name,
      title: spec!.display_name,
      python: spec!.argv[0]?.startsWith('/') ? spec!.argv[0] : ''
    }));
}

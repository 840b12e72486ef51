import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { CommandLink } from '../components/actions';
import { jobKind } from '../jobs/kinds';
import { CommandIDs } from '../tokens';

/** Something that holds or waits: its name, which opens its page if it has one. */
export function Thing(props: {
  kind: string;
  name: string;
}): React.JSX.Element {
  const { kind, name } = props;
  const page = pageOf(kind);
  return page ? (
    <CommandLink command={page} args={{ name }} title={name}>
      {name}
    </CommandLink>
  ) : (
    <span title={name}>{name}</span>
  );
}

/** The command that opens the page of something; undefined for leases, which have none. */
export function pageOf(kind: string): string | undefined {
  return kind === 'endpoint' ? CommandIDs.openEndpoint : jobKind(kind)?.page;
}

/** What a kind is called. */
export function kindName(kind: string, trans: TranslationBundle): string {
  const names: Record<string, string> = {
    'training-job': trans.__('Training'),
    'processing-job': trans.__('Processing'),
    'transform-job': trans.__('Transform'),
    lease: trans.__('Notebook'),
    endpoint: trans.__('Endpoint')
  };
  return names[kind] ?? kind;
}

/** "2 CPUs, 1 GPU": what a job holds or wants. */
export function amount(
  of: { Cpus?: number; Gpus?: number; GpuMemoryInMB?: number; Hosts?: number },
  trans: TranslationBundle
): string {
  const parts = of.Cpus ? [trans._n('%1 CPU', '%1 CPUs', of.Cpus)] : [];
  if (of.GpuMemoryInMB) {
    const gib = Math.round((10 * of.GpuMemoryInMB) / 1024) / 10;
    parts.push(trans.__('%1 GiB of a GPU', gib));
  } else if (of.Gpus) {
    parts.push(trans._n('%1 GPU', '%1 GPUs', of.Gpus));
  }
  if ((of.Hosts ?? 1) > 1) {
    parts.push(trans.__('%1 hosts', of.Hosts!));
  }
  return parts.join(', ') || '–';
}

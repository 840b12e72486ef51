import React from 'react';

import type { studio } from '../wire';
import { bytes } from './format';
import { useStudio } from './hooks';
import { Packages } from './packages';
import { Copyable, Facts, Section, When } from './parts';

const SHOWN = 12;
const MEGABYTE = 2 ** 20;

/** What a job ran with: image, environment, inputs, machine, seeds. */
export function Execution(props: {
  ran: studio.ProvenanceExecution;
}): React.JSX.Element {
  const { ran } = props;
  const { trans } = useStudio();
  const { Image: image, Python: python, Inputs: inputs = [] } = ran;
  const facts: [string, React.ReactNode][] = [];
  if (image) {
    facts.push([
      trans.__('Image'),
      <Digest key="image" text={image.Uri} digest={image.Digest} />
    ]);
  }
  if (python) {
    const text = `Python ${python.Version} (${python.Executable ?? ''})`;
    facts.push([
      trans.__('Environment'),
      <Digest key="python" text={text} digest={ran.EnvironmentDigest} />
    ]);
  }
  for (const input of inputs) {
    const count = trans._n('%1 object', '%1 objects', input.Objects);
    facts.push([
      trans.__('Input %1', input.ChannelName),
      <Digest
        key={input.ChannelName}
        text={`${input.Uri}, ${count}, ${bytes(input.Bytes)}`}
        digest={input.Digest}
      />
    ]);
  }
  facts.push(...machineFacts(ran, trans));
  for (const seed of ran.Seeds ?? []) {
    facts.push([seed.Name, seed.Value]);
  }
  facts.push([
    trans.__('Recorded'),
    <When key="recorded" at={ran.RecordedAt && 1000 * ran.RecordedAt} />
  ]);
  return (
    <Section title={trans.__('Ran with')} className="jp-StudioProvenance">
      <Facts facts={facts} />
      {python && <Packages python={python} />}
      {ran.Installed && (
        <Packages python={{ Version: '', Packages: ran.Installed }} installed />
      )}
    </Section>
  );
}

/** A text, and the first characters of the digest of what it names; all of it is copied. */
function Digest(props: { text: string; digest?: string }): React.JSX.Element {
  const { text, digest } = props;
  return (
    <>
      {text}
      {digest && (
        <span className="jp-StudioProvenance-digest">
          <Copyable
            text={digest}
            label={digest.replace('sha256:', '').slice(0, SHOWN)}
          />
        </span>
      )}
    </>
  );
}

function machineFacts(
  ran: studio.ProvenanceExecution,
  trans: ReturnType<typeof useStudio>['trans']
): [string, string][] {
  const { Hardware: machine, Allotted: mine } = ran;
  const found: [string, string][] = [];
  const cores = (count = 0) => trans._n('%1 core', '%1 cores', count);
  if (machine) {
    const parts = [
      machine.Cpu,
      cores(machine.Cores),
      bytes((machine.MemoryInMB ?? 0) * MEGABYTE),
      ...(machine.Gpus ?? [])
    ];
    found.push([trans.__('Machine'), parts.join(', ')]);
  }
  if (mine) {
    const parts = [cores(mine.Cpus)];
    if (mine.MemoryInMB) {
      parts.push(bytes(mine.MemoryInMB * MEGABYTE));
    }
    if (mine.Gpus) {
      parts.push(trans._n('%1 GPU', '%1 GPUs', mine.Gpus));
    }
    found.push([trans.__('Each host may take'), parts.join(', ')]);
  }
  return found;
}

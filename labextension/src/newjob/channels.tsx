import React from 'react';

import { useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import type { sagemaker } from '../wire';
import { channel, type Draft, guessType } from './draft';
import { SectionFaults, SelectField, TextField, useForm } from './form';
import { type Path, valueAt, withValue } from './paths';
import { Preview } from './preview';
import { dropTarget, UriField } from './uris';

/** The data that the job reads. */
export function Channels(): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, algorithm, set } = useForm();
  const channels = draft.InputDataConfig ?? [];
  const known = algorithm?.TrainingChannels ?? [];
  const next = known.find(
    each => !channels.some(given => given.ChannelName === each.Name)
  );
  const add = (uri = '') =>
    set(
      ['InputDataConfig', channels.length],
      channel(next?.Name ?? '', uri, uri ? guessType(uri) : undefined)
    );
  const drop = dropTarget(add);
  return (
    <Section title={trans.__('Data')}>
      <SectionFaults path="InputDataConfig" />
      {channels.map((_, index) => (
        <Channel key={index} index={index} />
      ))}
      <div className="jp-StudioNewJob-row jp-StudioNewJob-drop" {...drop}>
        <button
          className="jp-StudioButton"
          disabled={!!algorithm && !next}
          onClick={() => add()}
        >
          {next && algorithm
            ? trans.__('Add channel %1', next.Name)
            : trans.__('Add channel')}
        </button>
        <span className="jp-StudioField-help">
          {algorithm && !next
            ? trans.__('%1 reads no other channel.', algorithm.DisplayName)
            : trans.__('Objects of S3 can be dropped here too.')}
        </span>
      </div>
    </Section>
  );
}

function Channel({ index }: { index: number }): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, algorithm, set } = useForm();
  const at: Path = ['InputDataConfig', index];
  const given = valueAt(draft, at) as sagemaker.Channel;
  const known = algorithm?.TrainingChannels.find(
    each => each.Name === given.ChannelName
  );
  const name = given.ChannelName || trans.__('%1', index + 1);
  return (
    <fieldset className="jp-StudioNewJob-channel">
      <legend>
        {trans.__('Channel %1', name)}
        {known?.IsRequired && <span aria-hidden="true"> *</span>}
      </legend>
      {known && <p className="jp-StudioField-help">{known.Description}</p>}
      <div className="jp-StudioNewJob-source">
        <ChannelUri at={at} />
        <NameField at={at} />
        <TextField
          path={[...at, 'ContentType']}
          label={trans.__('Content type')}
          words={
            known?.SupportedContentTypes.filter(type => type.includes('/')) ??
            CONTENT_TYPES
          }
          placeholder={trans.__('What the algorithm takes by default')}
        />
      </div>
      <Preview channel={given} at={at} />
      <details>
        <summary>{trans.__('How it is read')}</summary>
        <Reading at={at} />
      </details>
      <button
        className="jp-StudioButton jp-mod-minimal jp-StudioNewJob-remove"
        onClick={() => set(at, undefined)}
        aria-label={trans.__('Remove channel %1', name)}
      >
        {trans.__('Remove')}
      </button>
    </fieldset>
  );
}

const EXAMPLE_NAME = 'train';
const CONTENT_TYPES = [
  'text/csv',
  'text/libsvm',
  'application/x-parquet',
  'application/x-recordio-protobuf',
  'application/jsonlines'
];

function NameField({ at }: { at: Path }): React.JSX.Element {
  const { trans } = useStudio();
  const { algorithm } = useForm();
  const shared = {
    path: [...at, 'ChannelName'],
    label: trans.__('Name'),
    required: true
  };
  return algorithm ? (
    <SelectField
      {...shared}
      options={algorithm.TrainingChannels.map(each => ({
        value: each.Name,
        label: each.Name
      }))}
    />
  ) : (
    <TextField {...shared} placeholder={EXAMPLE_NAME} />
  );
}

/** Where the data of a channel is; its name promises what it is. */
function ChannelUri({ at }: { at: Path }): React.JSX.Element {
  const { draft, set } = useForm();
  const path = ['DataSource', 'S3DataSource', 'S3Uri'];
  const put = (text: string) => {
    const given = valueAt(draft, at) as sagemaker.Channel;
    const type = given.ContentType || guessType(text);
    const next = withValue(given, path, text || undefined);
    set(at, type ? { ...next, ContentType: type } : next);
  };
  return <UriField path={[...at, ...path]} put={put} />;
}

function Reading({ at }: { at: Path }): React.JSX.Element {
  const { trans } = useStudio();
  const source = [...at, 'DataSource', 'S3DataSource'];
  const choices = (...values: string[]) =>
    values.map(value => ({ value, label: value }));
  return (
    <div className="jp-StudioNewJob-fields">
      <SelectField
        path={[...source, 'S3DataType']}
        label={trans.__('The URI names')}
        options={[
          { value: 'S3Prefix', label: trans.__('what all objects begin with') },
          { value: 'ManifestFile', label: trans.__('a manifest of objects') },
          {
            value: 'AugmentedManifestFile',
            label: trans.__('an augmented manifest')
          }
        ]}
      />
      <SelectField
        path={[...source, 'S3DataDistributionType']}
        label={trans.__('Several hosts')}
        options={[
          { value: 'FullyReplicated', label: trans.__('each gets everything') },
          { value: 'ShardedByS3Key', label: trans.__('each gets its share') }
        ]}
      />
      <SelectField
        path={[...at, 'InputMode']}
        label={trans.__('Input mode')}
        options={[
          { value: '', label: trans.__('as the job') },
          ...choices('File', 'FastFile', 'Pipe')
        ]}
      />
      <SelectField
        path={[...at, 'CompressionType']}
        label={trans.__('Compression')}
        options={[
          { value: '', label: trans.__('none') },
          ...choices('None', 'Gzip')
        ]}
      />
    </div>
  );
}

/** The draft that reads `uri` through its first free channel. */
export function withData(
  draft: Draft,
  uri: string,
  validation?: string
): Draft {
  const channels = draft.InputDataConfig ?? [];
  const free = channels.findIndex(each => !each.DataSource.S3DataSource?.S3Uri);
  const name = free < 0 ? 'train' : channels[free].ChannelName;
  const made = channel(name, uri, guessType(uri));
  const rest = channels.filter(
    (each, index) =>
      index !== free &&
      each.ChannelName !== name &&
      !(validation && each.ChannelName === 'validation')
  );
  const second = validation
    ? [channel('validation', validation, guessType(validation))]
    : [];
  return { ...draft, InputDataConfig: [made, ...second, ...rest] };
}

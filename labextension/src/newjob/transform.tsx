import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { useArgs, useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import type { Client } from '../core/client';
import type { StudioView } from '../core/documents';
import { ensureBucket, parseS3 } from '../core/s3';
import { CommandIDs } from '../tokens';
import type { sagemaker } from '../wire';
import { Beginning } from './beginning';
import type { Check } from './faults';
import { NumberField, SectionFaults, SelectField, TextField } from './form';
import { JobForm, useSaved } from './frame';
import { Labels, Options } from './more';
import type { Path } from './paths';
import { Resources } from './resources';
import { Review } from './review';
import {
  begin,
  type Draft,
  fresh,
  type IArgs,
  type IBasis
} from './transform-draft';
import { UriField } from './uris';

const SOURCE: Path = ['TransformInput', 'DataSource', 'S3DataSource'];
const TYPES = [
  'text/csv',
  'application/jsonlines',
  'application/json',
  'application/x-recordio-protobuf',
  'text/libsvm'
];

/** A new transform job, or one copied from another, as a form. */
export function NewTransformJob(props: {
  view: StudioView;
}): React.JSX.Element {
  const { view } = props;
  return (
    <Beginning view={view} begin={begin}>
      {basis => <Form view={view} basis={basis} />}
    </Beginning>
  );
}

function Form(props: { view: StudioView; basis: IBasis }): React.JSX.Element {
  const { view, basis } = props;
  const { trans } = useStudio();
  const [args] = useArgs<IArgs>(view);
  const [draft, setDraft] = useSaved(view, basis.draft);
  const { Bucket: bucket } = basis.defaults;
  const create = async (client: Client) => {
    const output = draft.TransformOutput?.S3OutputPath ?? '';
    if (parseS3(output)?.bucket === bucket) {
      await ensureBucket(client, bucket);
    }
    const request = draft as sagemaker.CreateTransformJobRequest;
    await client.call('sagemaker', 'CreateTransformJob', request);
  };
  return (
    <JobForm<Draft>
      view={view}
      title={
        args.from
          ? trans.__('New transform job like %1', args.from)
          : trans.__('New transform job')
      }
      start={trans.__('Start transforming')}
      from={args.from}
      failure={basis.failure}
      original={basis.original}
      algorithm={null}
      draft={draft}
      setDraft={setDraft}
      fresh={() => fresh(basis.defaults, { model: basis.models[0] })}
      name="TransformJobName"
      check={check}
      create={create}
      opens={CommandIDs.openTransformJob}
      facts={factsOf(draft, trans)}
    >
      <Model models={basis.models} />
      <Input />
      <Output />
      <Processing />
      <Resources at={['TransformResources']} bare />
      <More />
      <Review
        view={view}
        name="TransformJobName"
        call={{ operation: 'CreateTransformJob', request: draft }}
      />
    </JobForm>
  );
}

const check: Check<Draft> = (client, draft, signal) =>
  client.call(
    'studio',
    'ValidateTransformJob',
    { Request: { ...draft } },
    signal
  );

function factsOf(
  draft: Draft,
  trans: TranslationBundle
): [string, React.ReactNode][] {
  const resources = draft.TransformResources;
  const source = draft.TransformInput?.DataSource?.S3DataSource;
  return [
    [trans.__('Name'), draft.TransformJobName ?? '–'],
    [trans.__('Model'), draft.ModelName ?? '–'],
    [trans.__('Reads'), source?.S3Uri ?? '–'],
    [trans.__('Writes'), draft.TransformOutput?.S3OutputPath ?? '–'],
    [
      trans.__('Runs on'),
      resources?.InstanceType
        ? `${resources.InstanceCount ?? 1} × ${resources.InstanceType}`
        : '–'
    ]
  ];
}

/** Who answers. */
function Model(props: { models: string[] }): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Section title={trans.__('Model')}>
      <div className="jp-StudioNewJob-fields">
        <TextField
          path={['ModelName']}
          label={trans.__('Model')}
          required
          words={props.models}
          help={
            props.models.length
              ? undefined
              : trans.__(
                  'There is no model yet: train one, and deploy it or call CreateModel.'
                )
          }
        />
      </div>
    </Section>
  );
}

/** The files, and what of them is a record. */
function Input(): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Section title={trans.__('Input')}>
      <SectionFaults path="TransformInput" />
      <SectionFaults path={SOURCE.join('.')} />
      <UriField path={[...SOURCE, 'S3Uri']} />
      <div className="jp-StudioNewJob-fields">
        <SelectField
          path={[...SOURCE, 'S3DataType']}
          label={trans.__('Files')}
          options={[
            { value: 'S3Prefix', label: trans.__('all below this prefix') },
            {
              value: 'ManifestFile',
              label: trans.__('those that this manifest names')
            }
          ]}
        />
        <TextField
          path={['TransformInput', 'ContentType']}
          label={trans.__('Content type')}
          code
          words={TYPES}
        />
        <SelectField
          path={['TransformInput', 'SplitType']}
          label={trans.__('Split')}
          options={[
            { value: '', label: trans.__('a file is one request') },
            { value: 'Line', label: trans.__('by lines') },
            { value: 'RecordIO', label: trans.__('by records of RecordIO') },
            { value: 'TFRecord', label: trans.__('by records of TFRecord') }
          ]}
        />
        <SelectField
          path={['TransformInput', 'CompressionType']}
          label={trans.__('Compression')}
          options={[
            { value: '', label: trans.__('none') },
            { value: 'Gzip', label: trans.__('Gzip') }
          ]}
        />
      </div>
    </Section>
  );
}

/** Where the answers are stored, and how. */
function Output(): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Section title={trans.__('Output')}>
      <SectionFaults path="TransformOutput" />
      <UriField path={['TransformOutput', 'S3OutputPath']} />
      <div className="jp-StudioNewJob-fields">
        <TextField
          path={['TransformOutput', 'Accept']}
          label={trans.__('Type of answers')}
          code
          words={TYPES}
        />
        <SelectField
          path={['TransformOutput', 'AssembleWith']}
          label={trans.__('Put together')}
          options={[
            { value: '', label: trans.__('as they are') },
            { value: 'Line', label: trans.__('each ends its line') }
          ]}
        />
      </div>
    </Section>
  );
}

/** What of a record is sent, and what is kept of it and its answer. */
function Processing(): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Section title={trans.__('Records')}>
      <SectionFaults path="DataProcessing" />
      <div className="jp-StudioNewJob-fields">
        <TextField
          path={['DataProcessing', 'InputFilter']}
          label={trans.__('Input filter')}
          code
          placeholder="$[1:]"
          help={trans.__('JSONPath of what the model gets of a record.')}
        />
        <SelectField
          path={['DataProcessing', 'JoinSource']}
          label={trans.__('Join')}
          options={[
            { value: '', label: trans.__('answers alone') },
            { value: 'Input', label: trans.__('answers with their records') }
          ]}
        />
        <TextField
          path={['DataProcessing', 'OutputFilter']}
          label={trans.__('Output filter')}
          code
          placeholder="$[0,-1]"
          help={trans.__('JSONPath of what is kept in the end.')}
        />
      </div>
    </Section>
  );
}

/** How the model is asked, and what few jobs set. */
function More(): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Section title={trans.__('Options')}>
      <Labels />
      <Options title={trans.__('Requests')} count={0} path="MaxPayloadInMB">
        <div className="jp-StudioNewJob-fields">
          <SelectField
            path={['BatchStrategy']}
            label={trans.__('Records in a request')}
            options={[
              { value: '', label: trans.__('as the container says') },
              { value: 'MultiRecord', label: trans.__('as many as fit') },
              { value: 'SingleRecord', label: trans.__('one') }
            ]}
          />
          <NumberField
            path={['MaxPayloadInMB']}
            label={trans.__('Largest request (MB)')}
            placeholder="6"
            help={trans.__('Up to 100; 0 streams files that are not split.')}
          />
          <NumberField
            path={['MaxConcurrentTransforms']}
            label={trans.__('Requests at once')}
            help={trans.__('For each instance; empty: the container says.')}
          />
          <NumberField
            path={['ModelClientConfig', 'InvocationsTimeoutInSeconds']}
            label={trans.__('Longest answer (seconds)')}
            placeholder="600"
          />
          <NumberField
            path={['ModelClientConfig', 'InvocationsMaxRetries']}
            label={trans.__('Retries')}
            placeholder="3"
          />
        </div>
      </Options>
    </Section>
  );
}

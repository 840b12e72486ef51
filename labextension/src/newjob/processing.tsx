import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { useArgs, useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import { pickS3 } from '../components/s3picker';
import type { Client } from '../core/client';
import type { StudioView } from '../core/documents';
import { ensureBucket, parseS3 } from '../core/s3';
import { CommandIDs } from '../tokens';
import type { sagemaker } from '../wire';
import { Beginning } from './beginning';
import { CommandField } from './command';
import type { Check } from './faults';
import { FlagField, SectionFaults, TextField, useForm } from './form';
import { JobForm, useSaved } from './frame';
import { Labels, Options } from './more';
import { Inputs, Outputs } from './places';
import {
  begin,
  type Draft,
  fresh,
  type IArgs,
  type IBasis,
  withScript
} from './processing-draft';
import { Resources } from './resources';
import { Review } from './review';

const CLUSTER = ['ProcessingResources', 'ClusterConfig'];
const EXAMPLE = 'python3 /opt/ml/processing/code/main.py';

/** A new processing job, or one copied from another, as a form. */
export function NewProcessingJob(props: {
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
  const create = async (client: Client) => {
    if (writes(draft, basis.defaults.Bucket)) {
      await ensureBucket(client, basis.defaults.Bucket);
    }
    const request = draft as sagemaker.CreateProcessingJobRequest;
    await client.call('sagemaker', 'CreateProcessingJob', request);
  };
  return (
    <JobForm<Draft>
      view={view}
      title={
        args.from
          ? trans.__('New processing job like %1', args.from)
          : trans.__('New processing job')
      }
      start={trans.__('Start processing')}
      from={args.from}
      failure={basis.failure}
      original={basis.original}
      algorithm={null}
      draft={draft}
      setDraft={setDraft}
      fresh={() => fresh(basis.defaults)}
      name="ProcessingJobName"
      check={check}
      create={create}
      opens={CommandIDs.openProcessingJob}
      facts={factsOf(draft, trans)}
    >
      <Program setDraft={next => setDraft(() => next)} />
      <Inputs />
      <Outputs />
      <Resources at={CLUSTER} />
      <More />
      <Review
        view={view}
        name="ProcessingJobName"
        call={{ operation: 'CreateProcessingJob', request: draft }}
      />
    </JobForm>
  );
}

const check: Check<Draft> = (client, draft, signal) =>
  client.call(
    'studio',
    'ValidateProcessingJob',
    { Request: { ...draft } },
    signal
  );

function factsOf(
  draft: Draft,
  trans: TranslationBundle
): [string, React.ReactNode][] {
  const names = (all: string[]) => all.filter(Boolean).join(', ') || '–';
  const cluster = draft.ProcessingResources?.ClusterConfig;
  return [
    [trans.__('Name'), draft.ProcessingJobName ?? '–'],
    [trans.__('Image'), draft.AppSpecification?.ImageUri ?? '–'],
    [
      trans.__('Reads'),
      names((draft.ProcessingInputs ?? []).map(each => each.InputName))
    ],
    [
      trans.__('Writes'),
      names(
        (draft.ProcessingOutputConfig?.Outputs ?? []).map(
          each => each.OutputName
        )
      )
    ],
    [
      trans.__('Runs on'),
      cluster?.InstanceType
        ? `${cluster.InstanceCount ?? 1} × ${cluster.InstanceType}`
        : '–'
    ]
  ];
}

/** What is run: an image, and in it a command. */
function Program(props: {
  setDraft: (draft: Draft) => void;
}): React.JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { draft } = useForm<Draft>();
  const pick = async () => {
    const uri = await pickS3(studio, {
      title: trans.__('Choose a Python script')
    });
    if (uri) {
      props.setDraft(withScript(draft, uri));
    }
  };
  return (
    <Section title={trans.__('Program')}>
      <SectionFaults path="AppSpecification" />
      <div className="jp-StudioNewJob-fields">
        <TextField
          path={['AppSpecification', 'ImageUri']}
          label={trans.__('Image')}
          required
          code
          help={trans.__(
            'python:latest is the Python of this machine; python:3.12 wants that version.'
          )}
        />
        <CommandField
          path={['AppSpecification', 'ContainerEntrypoint']}
          placeholder={EXAMPLE}
        />
        <CommandField
          path={['AppSpecification', 'ContainerArguments']}
          label={trans.__('Arguments')}
        />
        <div className="jp-StudioNewJob-row">
          <button className="jp-StudioButton" onClick={() => void pick()}>
            {trans.__('Choose a script…')}
          </button>
          <span className="jp-StudioField-help">
            {trans.__('Makes it the input "code" and runs it from there.')}
          </span>
        </div>
      </div>
    </Section>
  );
}

/** What few jobs set. */
function More(): React.JSX.Element {
  const { trans } = useStudio();
  const { draft } = useForm<Draft>();
  return (
    <Section title={trans.__('Options')}>
      <Labels />
      <Options
        title={trans.__('Role and isolation')}
        count={draft.NetworkConfig?.EnableNetworkIsolation ? 1 : 0}
        path="RoleArn"
      >
        <div className="jp-StudioNewJob-fields">
          <TextField
            path={['RoleArn']}
            label={trans.__('Role')}
            required
            code
            help={trans.__('The ARN of the role that the job runs as.')}
          />
          <FlagField
            path={['NetworkConfig', 'EnableNetworkIsolation']}
            label={trans.__('Network isolation')}
            help={trans.__('The job reaches no network.')}
          />
        </div>
      </Options>
    </Section>
  );
}

/** Whether an output goes to a bucket. */
function writes(draft: Draft, bucket: string): boolean {
  const outputs = draft.ProcessingOutputConfig?.Outputs ?? [];
  return outputs.some(
    each => parseS3(each.S3Output?.S3Uri ?? '')?.bucket === bucket
  );
}

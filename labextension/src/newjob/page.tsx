import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { Empty } from '../components/empty';
import { useArgs, useStudio } from '../components/hooks';
import type { Client } from '../core/client';
import { told } from '../core/errors';
import type { StudioView } from '../core/documents';
import { ensureBucket } from '../core/s3';
import { CommandIDs } from '../tokens';
import type { sagemaker, studio } from '../wire';
import { Algorithm } from './algorithm';
import { Beginning } from './beginning';
import { Channels, withData } from './channels';
import {
  algorithmOf,
  begin,
  bucketToMake,
  choose,
  type Draft,
  fresh,
  type IArgs,
  type IBasis
} from './draft';
import { checkTraining } from './faults';
import { JobForm, useSaved } from './frame';
import { Hyperparameters } from './hyperparameters';
import { More } from './more';
import { Resources } from './resources';
import { Review } from './review';

/** A new training job, or one copied from another, as a form. */
export function NewJob({ view }: { view: StudioView }): React.JSX.Element {
  const { trans } = useStudio();
  const [args] = useArgs<IArgs>(view);
  return (
    <Beginning view={view} begin={begin}>
      {basis =>
        basis.lost && !args.request ? (
          <Empty
            title={trans.__('%1 cannot be copied.', args.from!)}
            hint={told(basis.lost)}
          />
        ) : (
          <Form view={view} basis={basis} />
        )
      }
    </Beginning>
  );
}

function Form(props: { view: StudioView; basis: IBasis }): React.JSX.Element {
  const { view, basis } = props;
  const { trans } = useStudio();
  const [args] = useArgs<IArgs>(view);
  const [draft, setDraft] = useDraft(view, basis);
  const algorithm = useAlgorithm(draft, basis.algorithms);
  const create = async (client: Client) => {
    const bucket = bucketToMake(draft, basis.defaults.Bucket);
    if (bucket) {
      await ensureBucket(client, bucket);
    }
    const request = draft as sagemaker.CreateTrainingJobRequest;
    await client.call('sagemaker', 'CreateTrainingJob', request);
  };
  return (
    <JobForm<Draft>
      view={view}
      title={
        args.from
          ? trans.__('New training job like %1', args.from)
          : trans.__('New training job')
      }
      start={trans.__('Start training')}
      from={args.from}
      failure={basis.failure}
      original={basis.original}
      algorithm={algorithm}
      draft={draft}
      setDraft={setDraft}
      fresh={() => fresh(basis.defaults, basis.algorithms)}
      name="TrainingJobName"
      check={checkTraining}
      create={create}
      opens={CommandIDs.openJob}
      facts={factsOf(draft, algorithm, trans)}
    >
      <Algorithm
        algorithms={basis.algorithms}
        setDraft={next => setDraft(() => next)}
      />
      <Channels />
      <Hyperparameters />
      <Resources />
      <More />
      <Review
        view={view}
        name="TrainingJobName"
        call={{ operation: 'CreateTrainingJob', request: complete(draft) }}
      />
    </JobForm>
  );
}

function factsOf(
  draft: Draft,
  algorithm: studio.DescribeAlgorithmResponse | null,
  trans: TranslationBundle
): [string, React.ReactNode][] {
  const channels = draft.InputDataConfig ?? [];
  const { InstanceType: type, InstanceCount: count } =
    draft.ResourceConfig ?? {};
  return [
    [trans.__('Name'), draft.TrainingJobName ?? '–'],
    [
      trans.__('Algorithm'),
      algorithm?.DisplayName ??
        draft.AlgorithmSpecification?.TrainingImage ??
        '–'
    ],
    [
      trans.__('Data'),
      channels.map(each => each.ChannelName).join(', ') || '–'
    ],
    [
      trans.__('Set'),
      trans._n(
        '%1 hyperparameter',
        '%1 hyperparameters',
        Object.keys(draft.HyperParameters ?? {}).length
      )
    ],
    [trans.__('Runs on'), type ? `${count ?? 1} × ${type}` : '–']
  ];
}

/** The draft as code shows it: in the order of AWS's examples, with what must be there. */
function complete(draft: Draft): sagemaker.CreateTrainingJobRequest {
  const { TrainingJobName = '', AlgorithmSpecification, ...rest } = draft;
  const { RoleArn = '', HyperParameters, InputDataConfig, ...others } = rest;
  return {
    TrainingJobName,
    AlgorithmSpecification: AlgorithmSpecification ?? {
      TrainingInputMode: 'File'
    },
    RoleArn,
    HyperParameters,
    InputDataConfig,
    ...{ OutputDataConfig: { S3OutputPath: '' }, ...others }
  };
}

/** The draft, and in it what the arguments of the page bring later. */
function useDraft(
  view: StudioView,
  basis: IBasis
): [Draft, React.Dispatch<(now: Draft) => Draft>] {
  const [draft, setDraft] = useSaved(view, basis.draft);
  // What the command brings, now or while the form is open, is taken over once.
  React.useEffect(() => {
    const take = () => {
      const { algorithm, channel, validation } = view.args as IArgs;
      const chosen = basis.algorithms.find(
        each => each.AlgorithmName === algorithm
      );
      if (algorithm || channel) {
        view.setArgs({
          algorithm: undefined,
          channel: undefined,
          validation: undefined
        });
        setDraft(now => {
          const next = chosen ? choose(now, chosen, now.HyperParameters) : now;
          return channel ? withData(next, channel, validation) : next;
        });
      }
    };
    take();
    view.argsChanged.connect(take);
    return () => {
      view.argsChanged.disconnect(take);
    };
  }, [view, basis, setDraft]);
  return [draft, setDraft];
}

/** The algorithm whose image the draft has; the last one while another is looked up. */
function useAlgorithm(
  draft: Draft,
  algorithms: studio.AlgorithmSummary[]
): studio.DescribeAlgorithmResponse | null {
  const { client } = useStudio();
  const image = draft.AlgorithmSpecification?.TrainingImage ?? '';
  const name = algorithmOf(image, algorithms)?.AlgorithmName;
  const [found, setFound] =
    React.useState<studio.DescribeAlgorithmResponse | null>(null);
  React.useEffect(() => {
    if (!name) {
      setFound(null);
      return;
    }
    const abort = new AbortController();
    client
      .call(
        'studio',
        'DescribeAlgorithm',
        { AlgorithmName: name },
        abort.signal
      )
      .then(setFound, () => !abort.signal.aborted && setFound(null));
    return () => abort.abort();
  }, [client, name]);
  return found;
}

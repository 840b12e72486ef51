import React from 'react';

import { CodeTabs } from '../codegen/copyas';
import { Empty, Problem, Skeleton } from '../components/empty';
import { useArgs, useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import { ApiError, told } from '../core/errors';
import type { StudioView } from '../core/documents';
import { CommandIDs } from '../tokens';
import type { sagemaker, studio } from '../wire';
import { Algorithm } from './algorithm';
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
import { useFaults } from './faults';
import { FormContext, type IForm, TextField } from './form';
import { Hyperparameters } from './hyperparameters';
import { More } from './more';
import { Resources } from './resources';
import { spelled, withValue } from './paths';
import { Summary, type Warnings } from './summary';

const SAVE_MS = 300;

/** A new training job, or one copied from another, as a form. */
export function NewJob({ view }: { view: StudioView }): React.JSX.Element {
  const { client, trans } = useStudio();
  const [args] = useArgs<IArgs>(view);
  const [basis, setBasis] = React.useState<IBasis | null>(null);
  const [error, setError] = React.useState<unknown>(null);
  const [attempt, again] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const abort = new AbortController();
    setError(null);
    begin(client, view.args as IArgs, abort.signal).then(
      setBasis,
      (problem: unknown) => !abort.signal.aborted && setError(problem)
    );
    return () => abort.abort();
    // Another job to copy is another form: its page has another key.
  }, [client, view, attempt]);
  if (error !== null) {
    return (
      <Problem
        what={trans.__('The form could not be prepared.')}
        error={error}
        retry={again}
      />
    );
  }
  if (!basis) {
    return <Skeleton lines={8} />;
  }
  return basis.lost && !args.request ? (
    <Empty
      title={trans.__('%1 cannot be copied.', args.from!)}
      hint={told(basis.lost)}
    />
  ) : (
    <Form view={view} basis={basis} />
  );
}

function Form(props: { view: StudioView; basis: IBasis }): React.JSX.Element {
  const { view, basis } = props;
  const studio = useStudio();
  const { trans } = studio;
  const [args, setArgs] = useArgs<IArgs>(view);
  const [draft, setDraft] = useDraft(view, basis);
  const faults = useFaults(draft);
  const algorithm = useAlgorithm(draft, basis.algorithms);
  const [touched, setTouched] = React.useState<ReadonlySet<string>>(new Set());
  const [attempted, setAttempted] = React.useState(false);
  const root = React.useRef<HTMLDivElement>(null);
  const submit = useSubmit(view, draft, basis);
  const [warnings, setWarnings] = React.useState<Warnings>({});
  const warn = React.useCallback(
    (path: string, text: string | undefined) =>
      setWarnings(now => ({ ...now, [path]: text })),
    []
  );
  const touch = (path: string) => setTouched(now => new Set([...now, path]));
  const form: IForm = {
    draft,
    original: basis.original,
    algorithm,
    set: (path, value) => {
      touch(spelled(path));
      setDraft(now => withValue(now, path, value));
    },
    touch,
    isTouched: path => attempted || touched.has(path),
    faults: faults.all ?? [],
    warn
  };
  const start = () => {
    setAttempted(true);
    if (form.faults.length && !faults.stale) {
      show(root.current!, form.faults[0].Path);
    } else {
      void submit.run();
    }
  };
  const reset = () => {
    setTouched(new Set());
    setAttempted(false);
    setDraft(() => basis.original ?? fresh(basis.defaults, basis.algorithms));
  };
  return (
    <FormContext.Provider value={form}>
      <div className="jp-StudioPage jp-StudioNewJob" ref={root}>
        <div className="jp-StudioPage-header">
          <h1>
            {args.from
              ? trans.__('New training job like %1', args.from)
              : trans.__('New training job')}
          </h1>
          <div className="jp-StudioPage-actions">
            <button className="jp-StudioButton" onClick={reset}>
              {trans.__('Start over')}
            </button>
            <button
              className="jp-StudioButton jp-mod-accept"
              disabled={submit.running}
              onClick={start}
            >
              {submit.running
                ? trans.__('Starting…')
                : trans.__('Start training')}
            </button>
          </div>
        </div>
        <div className="jp-StudioPage-body">
          {submit.error !== null && (
            <Problem
              what={trans.__('The job was not started.')}
              error={submit.error}
            />
          )}
          {basis.failure && (
            <p className="jp-StudioNewJob-warning">
              <strong>{trans.__('%1 failed.', args.from!)}</strong>{' '}
              {basis.failure}
            </p>
          )}
          <div className="jp-StudioNewJob-columns">
            <div className="jp-StudioNewJob-main">
              <Algorithm
                algorithms={basis.algorithms}
                setDraft={next => setDraft(() => next)}
              />
              <Channels />
              <Hyperparameters />
              <Resources />
              <More />
              <Review
                draft={draft}
                code={args.code}
                onCode={code => setArgs({ code })}
              />
            </div>
            <Summary
              faults={faults}
              warnings={warnings}
              from={args.from}
              show={path => {
                form.touch(path);
                show(root.current!, path);
              }}
            />
          </div>
        </div>
      </div>
    </FormContext.Provider>
  );
}

function Review(props: {
  draft: Draft;
  code?: string;
  onCode: (id: string) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Section title={trans.__('Review')}>
      <div className="jp-StudioNewJob-fields">
        <TextField
          path={['TrainingJobName']}
          label={trans.__('Name')}
          required
          help={trans.__('Letters, digits and hyphens, 63 at most.')}
        />
      </div>
      <CodeTabs
        calls={[
          { operation: 'CreateTrainingJob', request: complete(props.draft) }
        ]}
        selected={props.code}
        onSelect={props.onCode}
      />
    </Section>
  );
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

/** The draft; the arguments of the page follow it, so that it survives a reload. */
function useDraft(
  view: StudioView,
  basis: IBasis
): [Draft, React.Dispatch<(now: Draft) => Draft>] {
  const [draft, setDraft] = React.useReducer(
    (now: Draft, change: (now: Draft) => Draft) => change(now),
    basis.draft
  );
  React.useEffect(() => {
    if (draft === basis.draft) {
      return;
    }
    const save = () => view.setArgs({ request: { ...draft } as never });
    const timer = setTimeout(save, SAVE_MS);
    return () => clearTimeout(timer);
  }, [draft, view, basis]);
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
  }, [view, basis]);
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

/** Starts the job and shows it. */
function useSubmit(
  view: StudioView,
  draft: Draft,
  basis: IBasis
): { running: boolean; error: unknown; run: () => Promise<void> } {
  const { client, commands } = useStudio();
  const [running, setRunning] = React.useState(false);
  const [error, setError] = React.useState<unknown>(null);
  const run = async () => {
    setRunning(true);
    setError(null);
    try {
      const bucket = bucketToMake(draft, basis.defaults.Bucket);
      if (bucket) {
        await made(client, bucket);
      }
      const request = draft as sagemaker.CreateTrainingJobRequest;
      await client.call('sagemaker', 'CreateTrainingJob', request);
    } catch (problem) {
      setError(problem);
      setRunning(false);
      return;
    }
    view.parent?.dispose();
    await commands.execute(CommandIDs.openJob, { name: draft.TrainingJobName });
  };
  return { running, error, run };
}

/** The SDK's default bucket is there when it is needed, as the SDK has it. */
async function made(
  client: ReturnType<typeof useStudio>['client'],
  bucket: string
): Promise<void> {
  try {
    await client.s3('PUT', bucket);
  } catch (error) {
    if (!(
      error instanceof ApiError && error.code === 'BucketAlreadyOwnedByYou'
    )) {
      throw error;
    }
  }
}

/** Go to the field of a fault, or to the nearest place that the form has for it. */
function show(root: HTMLElement, path: string): void {
  const all = [...root.querySelectorAll<HTMLElement>('[data-path]')];
  const field =
    all.find(each => each.dataset['path'] === path) ??
    all.find(each => path !== '' && each.dataset['path']!.startsWith(path)) ??
    all.find(each => path.startsWith(each.dataset['path']!));
  for (
    let parent = field?.parentElement ?? null;
    parent && parent !== root;
    parent = parent.parentElement
  ) {
    if (parent instanceof HTMLDetailsElement) {
      parent.open = true;
    }
  }
  field?.focus();
}

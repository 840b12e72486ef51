import React from 'react';

import { CodeTabs } from '../codegen/copyas';
import { Problem, Skeleton } from '../components/empty';
import { useArgs, useStudio } from '../components/hooks';
import { Facts, Section } from '../components/parts';
import type { StudioView } from '../core/documents';
import { notifyError, told } from '../core/errors';
import type { sagemaker } from '../wire';
import {
  DEFAULT_MEMORY,
  DEFAULT_MOST,
  DEFAULT_SHARE,
  DEFAULT_TYPE,
  plan,
  type IBefore,
  type IDraft,
  type IPlan,
  type ISource,
  type Step
} from './draft';
import { ModelStep } from './model';
import { Progress } from './progress';
import { carryOut, Refused, type Made } from './run';
import { useArtifact, useBefore, useKnown, useServing } from './sources';
import { TrafficStep } from './traffic';
import { WhereStep } from './where';

/** The arguments of the page: what to deploy, the draft, and what became of it. */
interface IArgs {
  model?: string;
  package?: string;
  job?: string;
  data?: string;
  endpoint?: string;
  draft?: IDraft;
  step?: string;
  begun?: { endpoint: string; made: Made };
}

/** What every step gets. */
export interface IStepProps {
  draft: IDraft;
  change: (changes: Partial<IDraft>) => void;
  problem: (field: string) => string | undefined;
}

const STEPS = ['model', 'where', 'traffic', 'review'] as const;

/** From a model to an endpoint: model, where, traffic, review, and then the live progress. */
export function DeployPage(props: { view: StudioView }): React.JSX.Element {
  const { trans } = useStudio();
  const [args, setArgs] = useArgs<IArgs>(props.view);
  const known = useKnown();
  const draft = React.useMemo(() => draftOf(args), [args]);
  const artifact = useArtifact(draft);
  const serving = useServing(draft.target);
  const before = useBefore(draft.target);
  if (args.begun) {
    return (
      <Progress
        endpoint={args.begun.endpoint}
        made={args.begun.made}
        onBack={() => setArgs({ begun: undefined, step: 'review' })}
      />
    );
  }
  if (!known.value) {
    return known.error ? (
      <Problem error={known.error} retry={known.refresh} />
    ) : (
      <Skeleton />
    );
  }
  const planned = plan(
    draft,
    known.value,
    artifact.value ?? null,
    serving,
    trans,
    before
  );
  return (
    <Wizard
      planned={planned}
      step={STEPS.find(each => each === args.step) ?? 'model'}
      onStep={step => setArgs({ step })}
      onBegun={begun => setArgs({ begun })}
      summary={summaryOf(draft, planned, before, trans)}
    >
      {step => {
        const shared: IStepProps = {
          draft,
          change: changes => setArgs({ draft: { ...draft, ...changes } }),
          problem: field =>
            planned.problems.find(each => each.field === field)?.text
        };
        switch (step) {
          case 'model':
            return (
              <ModelStep
                {...shared}
                known={known.value!}
                image={artifact.value?.image}
                missing={artifact.error ? told(artifact.error) : undefined}
              />
            );
          case 'where':
            return (
              <WhereStep {...shared} known={known.value!} before={before} />
            );
          case 'traffic':
            return (
              <TrafficStep
                {...shared}
                known={known.value!}
                before={before}
                planned={planned}
              />
            );
          default:
            return <Review planned={planned} />;
        }
      }}
    </Wizard>
  );
}

/** The draft of the page; at first what the command was given. */
export function draftOf(args: IArgs): IDraft {
  if (args.draft) {
    return args.draft;
  }
  const given: [ISource['kind'], string | undefined][] = [
    ['model', args.model],
    ['package', args.package],
    ['job', args.job],
    ['data', args.data]
  ];
  const [kind, name] = given.find(([, each]) => each) ?? [];
  return {
    source: kind && name ? { kind, name } : undefined,
    target: args.endpoint
  };
}

function Wizard(props: {
  planned: IPlan;
  step: (typeof STEPS)[number];
  onStep: (step: string) => void;
  onBegun: (begun: { endpoint: string; made: Made }) => void;
  summary: [string, React.ReactNode][];
  children: (step: (typeof STEPS)[number]) => React.ReactNode;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { planned, step } = props;
  const [busy, setBusy] = React.useState(false);
  const [refused, setRefused] = React.useState<Refused | null>(null);
  const titles = {
    model: trans.__('Model'),
    where: trans.__('Where'),
    traffic: trans.__('Traffic'),
    review: trans.__('Review')
  };
  const at = STEPS.indexOf(step);
  const wrong = (each: string) =>
    planned.problems.some(problem => problem.step === (each as Step));
  const deploy = async () => {
    setBusy(true);
    setRefused(null);
    try {
      const made = await carryOut(client, planned);
      props.onBegun({ endpoint: planned.endpoint, made });
    } catch (error) {
      if (error instanceof Refused) {
        setRefused(error);
      } else {
        notifyError(trans.__('The deployment did not begin'), error);
      }
    } finally {
      setBusy(false);
    }
  };
  const first = planned.problems[0];
  return (
    <div className="jp-StudioPage jp-StudioWizard">
      <div className="jp-StudioPage-header">
        <h1>{trans.__('Deploy a model')}</h1>
        <ol aria-label={trans.__('Steps')}>
          {STEPS.map((each, index) => (
            <li key={each}>
              <button
                aria-current={each === step ? 'step' : undefined}
                className={wrong(each) ? 'jp-mod-wrong' : undefined}
                onClick={() => props.onStep(each)}
              >
                <span aria-hidden="true">{index + 1}</span>
                {titles[each]}
              </button>
            </li>
          ))}
        </ol>
      </div>
      <div className="jp-StudioPage-body jp-StudioWizard-body">
        <div className="jp-StudioWizard-step">
          {refused && <RefusedNote refused={refused} />}
          {props.children(step)}
        </div>
        <aside aria-label={trans.__('Summary')}>
          <Section title={trans.__('Summary')}>
            <Facts facts={props.summary} />
          </Section>
        </aside>
      </div>
      <div className="jp-StudioWizard-footer">
        <button
          className="jp-StudioButton"
          disabled={at === 0}
          onClick={() => props.onStep(STEPS[at - 1])}
        >
          {trans.__('Back')}
        </button>
        <button
          className="jp-StudioButton"
          disabled={at === STEPS.length - 1}
          onClick={() => props.onStep(STEPS[at + 1])}
        >
          {trans.__('Next')}
        </button>
        <span role="status">
          {first ? (
            <>
              {titles[first.step]}: {first.text}
            </>
          ) : step !== 'review' ? (
            trans.__('Ready: what is not chosen has a default.')
          ) : (
            ''
          )}
        </span>
        <button
          className="jp-StudioButton jp-mod-accept"
          disabled={busy || !!first}
          onClick={() => void deploy()}
        >
          {busy ? trans.__('Deploying…') : trans.__('Deploy')}
        </button>
      </div>
    </div>
  );
}

function RefusedNote(props: { refused: Refused }): React.JSX.Element {
  const { trans } = useStudio();
  const { operation, reason, left } = props.refused;
  const names = Object.values(left).join(', ');
  return (
    <div className="jp-StudioOutcome jp-mod-bad" role="alert">
      <strong>{trans.__('%1 was refused.', operation)}</strong>
      <p>{told(reason)}</p>
      <p>
        {names
          ? trans.__(
              'These were made before and could not be removed: %1',
              names
            )
          : trans.__('What had been made before is removed again.')}
      </p>
    </div>
  );
}

function Review(props: { planned: IPlan }): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Section title={trans.__('What will be done')}>
      <p className="jp-StudioConsole-hint">
        {trans.__(
          'The same in code: copy it to do this again without the wizard.'
        )}
      </p>
      <CodeTabs calls={props.planned.calls} />
    </Section>
  );
}

/** What a deployment makes, one a line. */
function Makes(props: { made: IPlan['made'] }): React.JSX.Element {
  const { trans } = useStudio();
  const { model, config, endpoint } = props.made;
  return (
    <>
      {model && <div>{trans.__('model %1', model)}</div>}
      <div>{trans.__('configuration %1', config)}</div>
      {endpoint && <div>{trans.__('endpoint %1', endpoint)}</div>}
    </>
  );
}

function summaryOf(
  draft: IDraft,
  planned: IPlan,
  before: IBefore,
  trans: ReturnType<typeof useStudio>['trans']
): [string, React.ReactNode][] {
  const config = planned.calls.find(
    call => call.operation === 'CreateEndpointConfig'
  )?.request as sagemaker.CreateEndpointConfigInput;
  const variants = config.ProductionVariants;
  const share = draft.share ?? DEFAULT_SHARE;
  return [
    [trans.__('Model'), draft.source?.name || '–'],
    [
      trans.__('Where'),
      draft.serverless
        ? trans.__(
            'serverless, %1 GiB, %2 at once',
            (draft.serverless.memory ?? DEFAULT_MEMORY) / 1024,
            draft.serverless.most ?? DEFAULT_MOST
          )
        : trans.__(
            '%1 × %2, this machine',
            draft.count ?? 1,
            draft.instanceType ?? DEFAULT_TYPE
          )
    ],
    [
      trans.__('Endpoint'),
      draft.target
        ? trans.__('%1 (update)', planned.endpoint)
        : trans.__('%1 (new)', planned.endpoint)
    ],
    [
      trans.__('Traffic'),
      draft.shadow && config.ShadowProductionVariants
        ? trans.__('%1 % to the shadow too', share)
        : variants.length > 1
          ? trans.__('%1 % to it', share)
          : trans.__('all requests')
    ],
    [
      trans.__('Answers'),
      config.AsyncInferenceConfig
        ? trans.__(
            'to %1',
            config.AsyncInferenceConfig.OutputConfig.S3OutputPath ?? ''
          )
        : trans.__('at once')
    ],
    [
      trans.__('Recorded'),
      config.DataCaptureConfig
        ? trans.__('%1 % of the requests', draft.capture)
        : before.captured
          ? trans.__('as before')
          : trans.__('nothing')
    ],
    [trans.__('Makes'), <Makes key="makes" made={planned.made} />]
  ];
}

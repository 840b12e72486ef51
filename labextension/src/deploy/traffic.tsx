import React from 'react';

import { Field } from '../components/form';
import { number } from '../components/format';
import { useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import type { sagemaker } from '../wire';
import { CaptureFields } from './capture';
import { Choice } from './choice';
import {
  DEFAULT_SHARE,
  names,
  type IBefore,
  type IDraft,
  type IKnown,
  type IPlan
} from './draft';
import { StrategyFields } from './strategy';
import type { IStepProps } from './wizard';

/** Third step: a new endpoint or an update, and who gets which share of the requests. */
export function TrafficStep(
  props: IStepProps & {
    known: IKnown;
    before: IBefore;
    planned: IPlan;
  }
): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, change, problem, known } = props;
  const answersLater = draft.target
    ? props.before.asynchronous
    : draft.asynchronous;
  const targets = known.endpoints.filter(each => each.status === 'InService');
  const shown =
    draft.target && !targets.some(each => each.name === draft.target)
      ? [...targets, { name: draft.target, status: '' }]
      : targets;
  return (
    <Section title={trans.__('Where the requests come in')}>
      <Field label={trans.__('Endpoint')} error={problem('target')}>
        {ids => (
          <select
            {...ids}
            value={draft.target ?? ''}
            onChange={event =>
              change({
                target: event.target.value || undefined,
                keep: undefined,
                shadow: undefined,
                alarms: undefined
              })
            }
          >
            <option value="">{trans.__('A new endpoint')}</option>
            {shown.map(each => (
              <option key={each.name} value={each.name}>
                {trans.__('Update %1', each.name)}
              </option>
            ))}
          </select>
        )}
      </Field>
      {!draft.target && (
        <Field
          label={trans.__('Name of the endpoint')}
          error={problem('endpointName')}
        >
          {ids => (
            <input
              {...ids}
              value={names(draft, known).endpoint}
              onChange={event => change({ endpointName: event.target.value })}
            />
          )}
        </Field>
      )}
      {draft.target ? <Update {...props} /> : <Beside {...props} />}
      <Shares planned={props.planned} />
      {draft.target && <StrategyFields {...props} />}
      {!answersLater && <CaptureFields {...props} />}
      <p className="jp-StudioConsole-hint">
        {trans.__(
          'New servers get requests only when they are healthy. If one fails, or an alarm goes off, what served before gets all requests again.'
        )}
      </p>
    </Section>
  );
}

function Update(props: IStepProps): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, change } = props;
  return (
    <>
      <Choice
        label={trans.__('What serves now')}
        value={!draft.keep ? 'replace' : draft.shadow ? 'shadow' : 'share'}
        choices={{
          replace: trans.__('Replace what serves now'),
          share: trans.__('Keep it, and share the requests (A/B)'),
          shadow: trans.__(
            'Keep it, and ask this one the same: it answers nobody (shadow)'
          )
        }}
        onChange={chosen =>
          change({
            keep: chosen === 'replace' ? undefined : true,
            shadow: chosen === 'shadow' ? true : undefined
          })
        }
      />
      {draft.keep && <Share {...props} />}
    </>
  );
}

function Beside(props: IStepProps & { known: IKnown }): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, change, known } = props;
  return (
    <>
      <Field
        label={trans.__('Beside it')}
        help={trans.__('A second model, to compare the two (A/B)')}
      >
        {ids => (
          <select
            {...ids}
            value={draft.beside ?? ''}
            onChange={event =>
              change({ beside: event.target.value || undefined })
            }
          >
            <option value="">{trans.__('no other model')}</option>
            {known.models
              .filter(name => name !== draft.source?.name)
              .map(name => (
                <option key={name}>{name}</option>
              ))}
          </select>
        )}
      </Field>
      {draft.beside && (
        <>
          <Choice
            label={trans.__('What the second model does')}
            value={draft.shadow ? 'shadow' : 'share'}
            choices={{
              share: trans.__('It shares the requests'),
              shadow: trans.__(
                'It is asked the same and answers nobody (shadow)'
              )
            }}
            onChange={chosen =>
              change({ shadow: chosen === 'shadow' ? true : undefined })
            }
          />
          <Share {...props} />
        </>
      )}
    </>
  );
}

function Share(props: {
  draft: IDraft;
  change: IStepProps['change'];
  problem: IStepProps['problem'];
}): React.JSX.Element {
  const { trans } = useStudio();
  const { shadow, share = DEFAULT_SHARE } = props.draft;
  return (
    <Field
      label={
        shadow
          ? trans.__('Share of the requests that the shadow is asked too')
          : trans.__('Share of the requests for this model')
      }
      error={props.problem('share')}
    >
      {ids => (
        <span className="jp-StudioTraffic-weight">
          <input
            {...ids}
            type="range"
            min={1}
            max={shadow ? 100 : 99}
            value={share}
            aria-valuetext={`${share} %`}
            onChange={event => props.change({ share: +event.target.value })}
          />
          <span>{`${share} %`}</span>
        </span>
      )}
    </Field>
  );
}

/** The shares of the requests as a bar, and what shadows are asked of them. */
function Shares(props: { planned: IPlan }): React.JSX.Element {
  const { trans } = useStudio();
  const config = props.planned.calls.find(
    call => call.operation === 'CreateEndpointConfig'
  )?.request as sagemaker.CreateEndpointConfigInput;
  const sum = config.ProductionVariants.reduce(
    (total, each) => total + (each.InitialVariantWeight ?? 1),
    0
  );
  const percent = (each: sagemaker.ProductionVariant) =>
    (100 * (each.InitialVariantWeight ?? 1)) / (sum || 1);
  const said = (share: number) => number(Math.round(10 * share) / 10);
  return (
    <>
      <ul
        className="jp-StudioWizard-shares"
        aria-label={trans.__('Shares of the requests')}
      >
        {config.ProductionVariants.map(each => (
          <li
            key={each.VariantName}
            style={{ flexGrow: Math.max(percent(each), 8) }}
          >
            <strong>{`${said(percent(each))} %`}</strong>
            <span title={each.ModelName}>{each.ModelName}</span>
          </li>
        ))}
      </ul>
      {config.ShadowProductionVariants?.map(each => (
        <p key={each.VariantName} className="jp-StudioWizard-shadow">
          <strong>{trans.__('A copy of %1 %', said(percent(each)))}</strong>{' '}
          <span title={each.ModelName}>{each.ModelName}</span>
        </p>
      ))}
    </>
  );
}

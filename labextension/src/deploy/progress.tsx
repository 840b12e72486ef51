import React from 'react';

import { CommandButton } from '../components/actions';
import { DeploymentSteps, FailedServers } from '../components/deployment';
import { Problem, Skeleton } from '../components/empty';
import { number } from '../components/format';
import { useLive, useStudio } from '../components/hooks';
import { Section, Status } from '../components/parts';
import { confirmed } from '../core/confirm';
import { ApiError } from '../core/errors';
import { Rollout } from '../endpoints/rollout';
import { CommandIDs } from '../tokens';
import type { sagemaker, studio } from '../wire';
import { cleanUp, type Made } from './run';

/** From the accepted deployment to InService, or to what went wrong and the way back. */
export function Progress(props: {
  endpoint: string;
  made: Made;
  onBack: () => void;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { endpoint } = props;
  const { value, error, refresh } = useLive(
    async signal => {
      const request = { EndpointName: endpoint };
      const [described, deployment] = await Promise.all([
        client.call('sagemaker', 'DescribeEndpoint', request, signal),
        client.call('studio', 'DescribeDeployment', request, signal)
      ]);
      return { described, deployment };
    },
    event =>
      event.type === 'resource' &&
      event.Kind === 'endpoint' &&
      event.Name === endpoint,
    [client, endpoint]
  );
  if (error instanceof ApiError && error.code === 'ValidationException') {
    return <Gone endpoint={endpoint} onBack={props.onBack} />;
  }
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  const { described, deployment } = value;
  const outcome = deployment.EndTime && deployment.Changes[0]?.Outcome;
  return (
    <div className="jp-StudioPage">
      <div className="jp-StudioPage-header">
        <h1>{trans.__('Deploy %1', endpoint)}</h1>
        <Status status={described.EndpointStatus} />
        <div className="jp-StudioPage-actions">
          <CommandButton
            command={CommandIDs.openEndpoint}
            args={{ name: endpoint }}
          >
            {trans.__('Open the endpoint')}
          </CommandButton>
        </div>
      </div>
      <div className="jp-StudioPage-body">
        <Section title={trans.__('Progress')}>
          <DeploymentSteps steps={deployment.Steps} />
          {deployment.Rollout?.Strategy && (
            <Rollout
              endpoint={endpoint}
              status={described.EndpointStatus}
              rollout={deployment.Rollout}
            />
          )}
        </Section>
        <div aria-live="polite">
          {outcome === 'Completed' && (
            <Done
              endpoint={endpoint}
              answers={
                described.AsyncInferenceConfig?.OutputConfig.S3OutputPath
              }
            />
          )}
        </div>
        {(outcome === 'Failed' || outcome === 'RolledBack') && (
          <Undone
            described={described}
            deployment={deployment}
            made={props.made}
            onBack={props.onBack}
          />
        )}
      </div>
    </div>
  );
}

/** It serves: asked once with its own training data, and what to do next. */
function Done(props: {
  endpoint: string;
  answers: string | undefined;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { endpoint, answers } = props;
  const { value } = useLive(
    async signal => {
      if (answers) {
        return null;
      }
      const { Samples: samples } = await client.call(
        'studio',
        'GetSampleRequest',
        { EndpointName: endpoint, MaxRows: 1 },
        signal
      );
      return samples.length
        ? client.invoke(endpoint, samples[0].Body, {
            'Content-Type': samples[0].ContentType
          })
        : null;
    },
    () => false,
    [client, endpoint, answers]
  );
  return (
    <div className="jp-StudioOutcome jp-mod-good">
      <strong>{trans.__('%1 is in service.', endpoint)}</strong>
      {answers && <p>{trans.__('Its answers will lie below %1.', answers)}</p>}
      {value && (
        <p>
          {value.status < 300
            ? trans.__(
                'Asked with a row of its training data, it answered in %1 ms: %2',
                number(Math.round(value.milliseconds)),
                value.body.slice(0, 200)
              )
            : trans.__(
                'Asked with a row of its training data, it refused: %1',
                value.body.slice(0, 200)
              )}
        </p>
      )}
      <div className="jp-StudioWizard-next">
        <CommandButton
          command={CommandIDs.openEndpoint}
          args={{ name: endpoint, tab: 'test' }}
          kind="accept"
        >
          {trans.__('Test it')}
        </CommandButton>
        <CommandButton
          command={CommandIDs.insertLoader}
          args={{ kind: 'endpoint', name: endpoint }}
        >
          {trans.__('Insert in notebook')}
        </CommandButton>
      </div>
    </div>
  );
}

/** It does not serve: why, the end of the log, and the ways out. */
function Undone(props: {
  described: sagemaker.DescribeEndpointOutput;
  deployment: studio.DescribeDeploymentResponse;
  made: Made;
  onBack: () => void;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { described, made } = props;
  const [left, setLeft] = React.useState<Made | null>(null);
  const names = Object.values(made).filter(Boolean);
  const clean = async (): Promise<boolean> => {
    const sure = await confirmed(
      trans.__('Remove what was made?'),
      names.join(', '),
      trans.__('Remove')
    );
    if (sure) {
      setLeft(await cleanUp(client, made));
    }
    return sure;
  };
  const again = async () => {
    if (!names.length || left || (await clean())) {
      props.onBack();
    }
  };
  return (
    <>
      <div className="jp-StudioOutcome jp-mod-bad" role="alert">
        <strong>
          {described.EndpointStatus === 'Failed'
            ? trans.__('The endpoint could not be made.')
            : trans.__('The update was undone; what served before goes on.')}
        </strong>
        <p>{described.FailureReason}</p>
      </div>
      <FailedServers servers={props.deployment.Servers} />
      <div className="jp-StudioWizard-next">
        <button
          className="jp-StudioButton jp-mod-accept"
          onClick={() => void again()}
        >
          {trans.__('Remove it and try again…')}
        </button>
        {names.length > 0 && !left && (
          <button className="jp-StudioButton" onClick={() => void clean()}>
            {trans.__('Remove it…')}
          </button>
        )}
        {left && (
          <span role="status">
            {Object.keys(left).length
              ? trans.__(
                  'These could not be removed: %1',
                  Object.values(left).join(', ')
                )
              : trans.__('Removed.')}
          </span>
        )}
      </div>
    </>
  );
}

function Gone(props: {
  endpoint: string;
  onBack: () => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <div className="jp-StudioEmpty" role="status">
      <h2>{trans.__('The endpoint %1 is gone', props.endpoint)}</h2>
      <div className="jp-StudioEmpty-actions">
        <button className="jp-StudioButton" onClick={props.onBack}>
          {trans.__('Deploy again')}
        </button>
      </div>
    </div>
  );
}

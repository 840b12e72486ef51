import React from 'react';

import { CommandButton } from '../components/actions';
import { DeploymentSteps, FailedServers } from '../components/deployment';
import { Empty, Problem, Skeleton } from '../components/empty';
import { useArgs, useLive, useStudio } from '../components/hooks';
import type { ILogState } from '../components/log/state';
import { LogView, useLog } from '../components/log/view';
import { Section, Status, Tabs } from '../components/parts';
import type { StudioView } from '../core/documents';
import { ApiError } from '../core/errors';
import { CommandIDs } from '../tokens';
import type { sagemaker, studio } from '../wire';
import { Alarms } from './alarms';
import { Autoscaling } from './autoscaling';
import { AsyncQueue, type IQueueFilter } from './asyncqueue';
import { Changes } from './changes';
import { ColdStarts } from './coldstarts';
import { Configuration } from './configuration';
import { Figures } from './charts';
import type { IRequest } from './console';
import { type IFilter, Models } from './models';
import { TestConsole } from './test';
import { Outside } from './outside';
import { Captured, Shadows } from './recordings';
import { Rollout } from './rollout';
import { Traffic } from './traffic';
import { Verdict } from './verdict';

interface IArgs {
  name: string;
  tab?: string;
  models?: IFilter;
  queue?: IQueueFilter;
  range?: string;
  request?: Partial<IRequest>;
  log?: ILogState;
}

interface IFound {
  endpoint: sagemaker.DescribeEndpointOutput;
  deployment: studio.DescribeDeploymentResponse;
}

/** One endpoint. */
export function EndpointPage(props: { view: StudioView }): React.JSX.Element {
  const { client, trans } = useStudio();
  const [args, setArgs] = useArgs<IArgs>(props.view);
  const { name } = args;
  const { value, error, refresh } = useLive(
    async (signal): Promise<IFound> => {
      const request = { EndpointName: name };
      const [endpoint, deployment] = await Promise.all([
        client.call('sagemaker', 'DescribeEndpoint', request, signal),
        client.call('studio', 'DescribeDeployment', request, signal)
      ]);
      return { endpoint, deployment };
    },
    event =>
      event.type === 'resource' &&
      event.Kind === 'endpoint' &&
      event.Name === name,
    [client, name]
  );
  if (error instanceof ApiError && error.code === 'ValidationException') {
    return (
      <Empty
        title={trans.__('There is no endpoint %1', name)}
        hint={trans.__('It was deleted, or never made here.')}
      >
        <CommandButton command={CommandIDs.openEndpoints}>
          {trans.__('All endpoints')}
        </CommandButton>
      </Empty>
    );
  }
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  const { endpoint, deployment } = value;
  const ready = endpoint.EndpointStatus === 'InService';
  const serves =
    ready ||
    ['Updating', 'RollingBack', 'UpdateRollbackFailed'].includes(
      endpoint.EndpointStatus
    );
  const many = deployment.Variants.find(each => each.MultiModel);
  const variants = deployment.Variants.filter(each => !each.Shadow).map(
    each => each.VariantName
  );
  const kind = endpoint.AsyncInferenceConfig
    ? trans.__('asynchronous')
    : deployment.Variants.some(each => each.Serverless)
      ? trans.__('serverless')
      : '';
  return (
    <div className="jp-StudioPage">
      <div className="jp-StudioPage-header">
        <h1>{name}</h1>
        <Status status={endpoint.EndpointStatus} />
        {kind && <span className="jp-StudioEndpoint-kind">{kind}</span>}
        <div className="jp-StudioPage-actions">
          <CommandButton
            command={CommandIDs.insertLoader}
            args={{ kind: 'endpoint', name }}
          >
            {trans.__('Insert in notebook')}
          </CommandButton>
          <CommandButton
            command={CommandIDs.deleteEndpoints}
            args={{ names: [name] }}
            disabled={endpoint.EndpointStatus === 'Deleting'}
          >
            {trans.__('Delete')}
          </CommandButton>
          <CommandButton
            command={CommandIDs.deploy}
            args={{ endpoint: name }}
            disabled={!ready}
            kind="accept"
          >
            {trans.__('Update…')}
          </CommandButton>
        </div>
      </div>
      <Tabs
        label={name}
        selected={args.tab ?? 'overview'}
        onSelect={tab => setArgs({ tab })}
        tabs={[
          {
            id: 'overview',
            label: trans.__('Overview'),
            content: () => (
              <Overview
                found={value}
                range={args.range}
                onRange={range => setArgs({ range })}
              />
            )
          },
          ...(many
            ? [
                {
                  id: 'models',
                  label: trans.__('Models'),
                  content: () => (
                    <Models
                      endpoint={name}
                      variant={many.VariantName}
                      filter={args.models ?? {}}
                      onFilter={models => setArgs({ models })}
                      onTest={model =>
                        setArgs({
                          tab: 'test',
                          request: { ...args.request, model }
                        })
                      }
                    />
                  )
                }
              ]
            : []),
          {
            id: 'test',
            label: trans.__('Test'),
            content: () => (
              <div className="jp-StudioPage-body">
                <TestConsole
                  endpoint={name}
                  variants={variants}
                  many={many !== undefined}
                  ready={serves}
                  answers={
                    endpoint.AsyncInferenceConfig?.OutputConfig.S3OutputPath
                  }
                  request={args.request}
                  onRequest={request => setArgs({ request })}
                />
              </div>
            )
          },
          ...(endpoint.AsyncInferenceConfig
            ? [
                {
                  id: 'queue',
                  label: trans.__('Requests'),
                  content: () => (
                    <AsyncQueue
                      endpoint={name}
                      filter={args.queue ?? {}}
                      onFilter={queue => setArgs({ queue })}
                    />
                  )
                }
              ]
            : []),
          {
            id: 'logs',
            label: trans.__('Logs'),
            content: () => (
              <Logs
                endpoint={name}
                state={args.log ?? {}}
                onState={log => setArgs({ log: { ...args.log, ...log } })}
              />
            )
          },
          {
            id: 'changes',
            label: trans.__('Changes'),
            content: () => <Changes deployment={deployment} />
          },
          {
            id: 'outside',
            label: trans.__('Use from outside'),
            content: () => (
              <Outside
                endpoint={name}
                arn={endpoint.EndpointArn}
                asynchronous={!!endpoint.AsyncInferenceConfig}
              />
            )
          },
          {
            id: 'configuration',
            label: trans.__('Configuration'),
            content: () => <Configuration endpoint={endpoint} />
          }
        ]}
      />
    </div>
  );
}

function Overview(props: {
  found: IFound;
  range: string | undefined;
  onRange: (range: string) => void;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { endpoint, deployment } = props.found;
  const name = endpoint.EndpointName;
  const { value: traffic } = useLive(
    signal =>
      client.call(
        'studio',
        'DescribeEndpointTraffic',
        { EndpointName: name },
        signal
      ),
    event =>
      (event.type === 'resource' || event.type === 'metrics') &&
      event.Kind === 'endpoint' &&
      event.Name === name,
    [client, name]
  );
  const last = deployment.Steps.find(
    step => step.Status !== 'Completed' && step.Status !== 'Skipped'
  );
  return (
    <div className="jp-StudioPage-body">
      {endpoint.FailureReason && (
        <div className="jp-StudioOutcome jp-mod-bad" role="alert">
          <strong>
            {endpoint.EndpointStatus === 'Failed'
              ? trans.__('The endpoint could not be made.')
              : trans.__(
                  'The last change was undone; what served before goes on.'
                )}
          </strong>
          <p>{endpoint.FailureReason}</p>
        </div>
      )}
      {last && (
        <Section title={trans.__('Deployment')}>
          <DeploymentSteps steps={deployment.Steps} />
          {deployment.Rollout?.Strategy && (
            <Rollout
              endpoint={name}
              status={endpoint.EndpointStatus}
              rollout={deployment.Rollout}
            />
          )}
          <FailedServers servers={deployment.Servers} />
        </Section>
      )}
      <Section title={trans.__('Variants')}>
        <Traffic
          endpoint={endpoint.EndpointName}
          variants={deployment.Variants}
          replicas={traffic?.Replicas ?? []}
          ready={endpoint.EndpointStatus === 'InService'}
        />
      </Section>
      <ColdStarts starts={deployment.ColdStarts} />
      <Verdict
        endpoint={name}
        variants={deployment.Variants}
        ready={endpoint.EndpointStatus === 'InService'}
      />
      {endpoint.ProductionVariants && endpoint.EndpointStatus !== 'Failed' && (
        <Figures
          endpoint={endpoint.EndpointName}
          variants={deployment.Variants.map(each => each.VariantName)}
          range={props.range}
          onRange={props.onRange}
        />
      )}
      <Autoscaling
        endpoint={name}
        variants={deployment.Variants.filter(
          each => !each.Shadow && !each.Serverless
        ).map(each => ({ name: each.VariantName, count: each.InstanceCount }))}
      />
      <Alarms
        endpoint={name}
        variants={deployment.Variants.filter(each => !each.Shadow).map(
          each => each.VariantName
        )}
      />
      {traffic && <Shadows shadows={traffic.Shadows} />}
      {traffic?.Capture && <Captured capture={traffic.Capture} />}
    </div>
  );
}

/** The log of a server at a time. */
function Logs(props: {
  endpoint: string;
  state: ILogState;
  onState: (changes: ILogState) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { endpoint, state } = props;
  const model = useLog('endpoint', endpoint, state.stream);
  return (
    <div className="jp-StudioEndpoint-logs">
      <LogView
        model={model}
        label={trans.__('Log of %1', endpoint)}
        state={state}
        onState={props.onState}
      />
    </div>
  );
}

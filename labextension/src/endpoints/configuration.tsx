import React from 'react';

import type { ICall } from '../codegen';
import { CodeTabs } from '../codegen/copyas';
import { Skeleton } from '../components/empty';
import { useLive, useStudio } from '../components/hooks';
import { Copyable, Facts, Section, When } from '../components/parts';
import type { sagemaker } from '../wire';

/** What an endpoint is made of, and the code that would make it again. */
export function Configuration(props: {
  endpoint: sagemaker.DescribeEndpointOutput;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { endpoint } = props;
  const config = endpoint.EndpointConfigName ?? '';
  const { value, error } = useLive(
    signal =>
      client.call(
        'sagemaker',
        'DescribeEndpointConfig',
        { EndpointConfigName: config },
        signal
      ),
    event =>
      event.type === 'resource' &&
      event.Kind === 'endpoint-config' &&
      event.Name === config,
    [client, config]
  );
  return (
    <div className="jp-StudioPage-body">
      <Section title={trans.__('Endpoint')}>
        <Facts
          facts={[
            ['ARN', <Copyable key="arn" text={endpoint.EndpointArn} />],
            [
              trans.__('Created'),
              <When key="created" at={1000 * endpoint.CreationTime} />
            ],
            [
              trans.__('Changed'),
              <When key="changed" at={1000 * endpoint.LastModifiedTime} />
            ],
            [trans.__('Configuration'), config]
          ]}
        />
      </Section>
      <Section title={trans.__('The same in code')}>
        {value ? (
          <CodeTabs calls={calls(endpoint.EndpointName, value)} />
        ) : error ? (
          <p>
            {trans.__(
              'The configuration was deleted; the endpoint keeps a copy of it.'
            )}
          </p>
        ) : (
          <Skeleton />
        )}
      </Section>
    </div>
  );
}

/** The calls that make such an endpoint. */
export function calls(
  endpoint: string,
  described: sagemaker.DescribeEndpointConfigOutput
): ICall[] {
  const config: Partial<sagemaker.DescribeEndpointConfigOutput> = {
    ...described
  };
  delete config.EndpointConfigArn;
  delete config.CreationTime;
  if (!config.EnableNetworkIsolation) {
    delete config.EnableNetworkIsolation;
  }
  return [
    { operation: 'CreateEndpointConfig', request: config },
    {
      operation: 'CreateEndpoint',
      request: {
        EndpointName: endpoint,
        EndpointConfigName: described.EndpointConfigName
      }
    }
  ];
}

import React from 'react';

import { Problem, Skeleton } from '../components/empty';
import { useLive, useStudio } from '../components/hooks';
import { Code, Copyable, Facts, Section, Tabs } from '../components/parts';
import type { Client } from '../core/client';
import { notifyError } from '../core/errors';
import type { studio } from '../wire';
import { Described } from './described';
import { Keys } from './keys';
import { OUTSIDE } from './snippets';

const ACCESS_LOG = 'studio:access-log';

interface IFound {
  api: studio.DescribeEndpointApiResponse;
  keys: studio.ApplicationKeyDescription[];
  sample: studio.Sample | undefined;
}

/** How applications outside ask the endpoint: their keys, requests to copy, what it takes. */
export function Outside(props: {
  endpoint: string;
  arn: string;
  /** It answers to S3, and so to no key. */
  asynchronous?: boolean;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { endpoint } = props;
  const { value, error, refresh } = useLive(
    signal => found(client, endpoint, signal),
    event =>
      (event.type === 'resource' && event.Kind === 'application-key') ||
      ((event.type === 'resource' || event.type === 'metrics') &&
        event.Kind === 'endpoint' &&
        event.Name === endpoint),
    [client, endpoint]
  );
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  return (
    <div className="jp-StudioPage-body">
      {props.asynchronous ? (
        <p className="jp-StudioConsole-hint">
          {trans.__(
            'This endpoint answers to S3: it is asked with signed requests only, for which keys of applications are not enough.'
          )}
        </p>
      ) : (
        <>
          <Keys endpoint={endpoint} keys={value.keys} />
          <Requests api={value.api} sample={value.sample} />
          <Described api={value.api} />
        </>
      )}
      <AccessLog
        endpoint={endpoint}
        arn={props.arn}
        days={value.api.AccessLogDays}
        onChange={refresh}
      />
    </div>
  );
}

async function found(
  client: Client,
  endpoint: string,
  signal: AbortSignal
): Promise<IFound> {
  const request = { EndpointName: endpoint };
  const [api, { ApplicationKeys: keys }, sample] = await Promise.all([
    client.call('studio', 'DescribeEndpointApi', request, signal),
    client.call('studio', 'ListApplicationKeys', request, signal),
    client
      .call('studio', 'GetSampleRequest', { ...request, MaxRows: 1 }, signal)
      .catch(() => undefined) // who may not read the data sees no rows of it
  ]);
  return { api, keys, sample: sample?.Samples[0] };
}

function Requests(props: {
  api: studio.DescribeEndpointApiResponse;
  sample: studio.Sample | undefined;
}): React.JSX.Element {
  const { trans } = useStudio();
  const [selected, setSelected] = React.useState('curl');
  const { api, sample } = props;
  const call = {
    url: api.Url,
    contentType:
      sample?.ContentType ?? api.ContentTypes[0] ?? 'application/octet-stream',
    body: sample?.Body ?? '…'
  };
  return (
    <Section title={trans.__('Requests')}>
      <p className="jp-StudioConsole-hint">
        {trans.__(
          'The key is read from the variable STUDIO_KEY. The address is reached from this machine; behind a proxy it is the proxy’s.'
        )}
      </p>
      <Tabs
        label={trans.__('Languages')}
        selected={selected}
        onSelect={setSelected}
        tabs={OUTSIDE.map(({ id, name, text }) => ({
          id,
          label: name,
          content: () => <Code code={text(call)} label={name} />
        }))}
      />
    </Section>
  );
}

function AccessLog(props: {
  endpoint: string;
  arn: string;
  days: number;
  onChange: () => void;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { arn, days } = props;
  const turn = async () => {
    const tag = { Key: ACCESS_LOG, Value: days ? 'off' : 'on' };
    await client
      .call('sagemaker', 'AddTags', { ResourceArn: arn, Tags: [tag] })
      .then(props.onChange)
      .catch(reason =>
        notifyError(trans.__('The access log was not switched'), reason)
      );
  };
  return (
    <Section title={trans.__('Access log')}>
      <label className="jp-StudioOutside-switch">
        <input
          type="checkbox"
          checked={days > 0}
          onChange={() => void turn()}
        />
        {trans.__('A line for each request, without bodies and keys')}
      </label>
      {days > 0 && (
        <Facts
          facts={[
            [trans.__('Kept'), trans._n('%1 day', '%1 days', days)],
            [
              trans.__('Log group'),
              <Copyable
                key="group"
                text={`/aws/sagemaker/Endpoints/${props.endpoint}/access`}
              />
            ]
          ]}
        />
      )}
    </Section>
  );
}

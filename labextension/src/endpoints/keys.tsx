import { Dialog, showDialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { asked } from '../components/ask';
import { number } from '../components/format';
import { StudioContext, useStudio } from '../components/hooks';
import { Copyable, Section, Status, When } from '../components/parts';
import { Scroll } from '../components/scroll';
import { confirmed } from '../core/confirm';
import { notifyError } from '../core/errors';
import { unique } from '../deploy/draft';
import type { IStudio } from '../tokens';
import type { studio } from '../wire';
import { type IKey, KeyFields, requestOf } from './keyform';

/** The keys with which applications ask an endpoint. */
export function Keys(props: {
  endpoint: string;
  keys: studio.ApplicationKeyDescription[];
}): React.JSX.Element {
  const view = useStudio();
  const { client, trans } = view;
  const { endpoint, keys } = props;
  const add = async () => {
    const names = keys.map(each => each.ApplicationKeyName);
    const first: IKey = {
      name: unique(`${endpoint}-app`, names),
      rate: '',
      burst: '',
      quota: '',
      period: 'Day',
      expires: '',
      origins: ''
    };
    const wanted = await asked<IKey>(view, {
      title: trans.__('New key for %1', endpoint),
      accept: trans.__('Make key'),
      first,
      fields: KeyFields
    });
    if (!wanted) {
      return;
    }
    try {
      const request = requestOf(endpoint, wanted);
      const made = await client.call('studio', 'CreateApplicationKey', request);
      await tell(view, wanted.name, made.ApplicationKey);
    } catch (reason) {
      notifyError(trans.__('The key was not made'), reason);
    }
  };
  const revoke = async (name: string) => {
    const sure = await confirmed(
      trans.__('Revoke the key %1?', name),
      trans.__('Applications that use it are refused at once, for good.'),
      trans.__('Revoke')
    );
    if (sure) {
      await client
        .call('studio', 'DeleteApplicationKey', { ApplicationKeyName: name })
        .catch(reason =>
          notifyError(trans.__('The key was not revoked'), reason)
        );
    }
  };
  return (
    <Section title={trans.__('Keys of applications')}>
      {keys.length ? (
        <Table keys={keys} onRevoke={name => void revoke(name)} />
      ) : (
        <p className="jp-StudioConsole-hint">
          {trans.__(
            'None. With a key a program without an AWS client may ask this endpoint, as fast and as often as you say.'
          )}
        </p>
      )}
      <div className="jp-StudioRollout-actions">
        <button className="jp-StudioButton" onClick={() => void add()}>
          {trans.__('New key…')}
        </button>
      </div>
    </Section>
  );
}

function Table(props: {
  keys: studio.ApplicationKeyDescription[];
  onRevoke: (name: string) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Scroll label={trans.__('Table of keys')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Key')}</th>
            <th scope="col">{trans.__('State')}</th>
            <th scope="col">{trans.__('Begins with')}</th>
            <th scope="col">{trans.__('Rate')}</th>
            <th scope="col">{trans.__('Quota')}</th>
            <th scope="col">{trans.__('Last used')}</th>
            <th scope="col">
              <span className="jp-StudioStatus-hidden">
                {trans.__('Actions')}
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {props.keys.map(key => (
            <tr key={key.ApplicationKeyArn}>
              <td title={key.CreatedBy}>{key.ApplicationKeyName}</td>
              <td>
                <State state={key.ApplicationKeyStatus} />
              </td>
              <td>
                <code>{key.KeyPrefix}…</code>
              </td>
              <td>
                {key.RateLimit
                  ? trans.__(
                      '%1 a second',
                      number(key.RateLimit.RequestsPerSecond)
                    )
                  : '–'}
              </td>
              <td>
                <Quota of={key} />
              </td>
              <td>
                <When at={key.LastUsedTime && 1000 * key.LastUsedTime} />
              </td>
              <td>
                <button
                  className="jp-StudioButton jp-mod-minimal"
                  aria-label={trans.__('Revoke %1', key.ApplicationKeyName)}
                  onClick={() => props.onRevoke(key.ApplicationKeyName)}
                >
                  {trans.__('Revoke…')}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function State(props: { state: string }): React.JSX.Element {
  const { trans } = useStudio();
  return props.state === 'Active' ? (
    <Status status={trans.__('Active')} tone="good" />
  ) : (
    <Status status={trans.__('Expired')} tone="warn" />
  );
}

/** How far a quota is used, as a bar and as numbers. */
function Quota(props: {
  of: studio.ApplicationKeyDescription;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { Quota: quota, Used: used = 0 } = props.of;
  if (!quota) {
    return <>–</>;
  }
  const text = {
    Day: trans.__('%1 of %2 today', number(used), number(quota.Requests)),
    Week: trans.__('%1 of %2 this week', number(used), number(quota.Requests)),
    Month: trans.__('%1 of %2 this month', number(used), number(quota.Requests))
  }[quota.Period];
  return (
    <span className="jp-StudioOutside-quota">
      <meter
        min={0}
        max={quota.Requests}
        high={0.9 * quota.Requests}
        value={used}
        aria-label={text}
      />
      {text}
    </span>
  );
}

/** Show a key, the only time that it is known. */
async function tell(
  studioOf: IStudio,
  name: string,
  secret: string
): Promise<void> {
  const { trans } = studioOf;
  const body = ReactWidget.create(
    <StudioContext.Provider value={studioOf}>
      <p>
        {trans.__(
          'Copy it now: it is stored nowhere, and nobody can show it again.'
        )}
      </p>
      <Copyable text={secret} />
    </StudioContext.Provider>
  );
  body.addClass('jp-StudioView');
  body.addClass('jp-StudioAsk');
  await showDialog({
    title: trans.__('The key %1', name),
    body,
    buttons: [Dialog.okButton({ label: trans.__('Done') })]
  });
}

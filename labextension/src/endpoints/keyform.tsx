import React from 'react';

import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import type { studio } from '../wire';

/** What a form says of a new key; "" where nothing is said. */
export interface IKey {
  name: string;
  rate: string;
  burst: string;
  quota: string;
  period: string;
  /** A day, `2026-12-31`. */
  expires: string;
  /** By spaces. */
  origins: string;
}

/** The request that makes a key; it ends with its last day. */
export function requestOf(
  endpoint: string,
  key: IKey
): studio.CreateApplicationKeyRequest {
  const origins = key.origins.split(/[\s,]+/).filter(Boolean);
  return {
    ApplicationKeyName: key.name,
    EndpointNames: [endpoint],
    ...(key.rate && {
      RateLimit: {
        RequestsPerSecond: Number(key.rate),
        ...(key.burst && { Burst: Number(key.burst) })
      }
    }),
    ...(key.quota && {
      Quota: { Requests: Number(key.quota), Period: key.period }
    }),
    ...(key.expires && {
      ExpirationTime: new Date(`${key.expires}T23:59:59`).getTime() / 1000
    }),
    ...(origins.length && { AllowedOrigins: origins })
  };
}

/** Fields of a new key. */
export function KeyFields(props: {
  value: IKey;
  onChange: (value: IKey) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { value } = props;
  const input = (
    member: keyof IKey,
    label: string,
    help: string,
    more: React.InputHTMLAttributes<HTMLInputElement> = {}
  ) => (
    <Field label={label} help={help}>
      {ids => (
        <input
          {...ids}
          {...more}
          value={value[member]}
          onChange={event =>
            props.onChange({ ...value, [member]: event.target.value })
          }
        />
      )}
    </Field>
  );
  const count = { type: 'number', min: 1 };
  return (
    <>
      {input('name', trans.__('Name'), trans.__('For whom the key is.'))}
      {input(
        'rate',
        trans.__('Requests a second'),
        trans.__('In the long run; empty: as fast as they come.'),
        { type: 'number', min: 0.01, step: 'any' }
      )}
      {input(
        'burst',
        trans.__('Burst'),
        trans.__('Requests that may come at once; 1 when it is empty.'),
        { ...count, disabled: !value.rate }
      )}
      {input(
        'quota',
        trans.__('Quota'),
        trans.__('Requests in a period; empty: as many as come.'),
        count
      )}
      <Field label={trans.__('Period')}>
        {ids => (
          <select
            {...ids}
            disabled={!value.quota}
            value={value.period}
            onChange={event =>
              props.onChange({ ...value, period: event.target.value })
            }
          >
            <option value="Day">{trans.__('Day')}</option>
            <option value="Week">{trans.__('Week')}</option>
            <option value="Month">{trans.__('Month')}</option>
          </select>
        )}
      </Field>
      {input(
        'expires',
        trans.__('Last day'),
        trans.__('Empty: it is good until it is revoked.'),
        { type: 'date' }
      )}
      {input(
        'origins',
        trans.__('Web pages'),
        trans.__('Origins as https://app.example.com; empty: no page may.')
      )}
    </>
  );
}

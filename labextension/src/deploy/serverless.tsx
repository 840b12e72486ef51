import React from 'react';

import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import { DEFAULT_MEMORY, DEFAULT_MOST, type IServerless } from './draft';
import type { IStepProps } from './wizard';

const SIZES = [1024, 2048, 3072, 4096, 5120, 6144];

/** What is chosen of a serverless endpoint: memory, requests at once, and how long it is awake. */
export function ServerlessFields(props: IStepProps): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, problem } = props;
  const size = draft.serverless ?? {};
  const change = (changes: Partial<IServerless>) =>
    props.change({ serverless: { ...size, ...changes } });
  return (
    <>
      {problem('serverless') && (
        <p className="jp-StudioOutcome jp-mod-bad" role="alert">
          {problem('serverless')}
        </p>
      )}
      <Field
        label={trans.__('Memory')}
        help={trans.__('For each server: one that takes more is ended.')}
      >
        {ids => (
          <select
            {...ids}
            value={size.memory ?? DEFAULT_MEMORY}
            onChange={event => change({ memory: +event.target.value })}
          >
            {SIZES.map(each => (
              <option key={each} value={each}>
                {trans.__('%1 GiB', each / 1024)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Count
        label={trans.__('Requests at once')}
        help={trans.__('More are told to try again: 1 to 200')}
        error={problem('most')}
        value={size.most ?? DEFAULT_MOST}
        onChange={most => change({ most })}
      />
      <Count
        label={trans.__('Requests with servers that are always there')}
        help={trans.__('0: the first request after a while waits for a start')}
        error={problem('warm')}
        value={size.warm ?? 0}
        onChange={warm => change({ warm })}
      />
      {!draft.target && (
        <Count
          label={trans.__('Seconds without requests until it sleeps')}
          help={trans.__('Empty: as everywhere in this home')}
          error={problem('idle')}
          value={size.idle}
          onChange={idle => change({ idle })}
        />
      )}
    </>
  );
}

function Count(props: {
  label: string;
  help: string;
  error: string | undefined;
  value: number | undefined;
  onChange: (value: number | undefined) => void;
}): React.JSX.Element {
  return (
    <Field label={props.label} help={props.help} error={props.error}>
      {ids => (
        <input
          {...ids}
          type="number"
          min={0}
          value={props.value ?? ''}
          onChange={event =>
            props.onChange(
              event.target.value === '' ? undefined : +event.target.value
            )
          }
        />
      )}
    </Field>
  );
}

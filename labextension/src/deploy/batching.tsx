import React from 'react';

import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import { DEFAULT_LATENCY } from './draft';
import type { IStepProps } from './wizard';

/** Whether the model that is made answers requests that wait for it together. */
export function Batching(props: IStepProps): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, change, problem } = props;
  const hint = React.useId();
  return (
    <>
      <label className="jp-StudioWizard-check">
        <input
          type="checkbox"
          checked={!!draft.batching}
          aria-describedby={hint}
          onChange={event => change({ batching: event.target.checked })}
        />
        {trans.__('Adaptive batching')}
      </label>
      <p id={hint} className="jp-StudioConsole-hint">
        {trans.__(
          'Requests that wait for the model are predicted together. Nobody waits where it is idle.'
        )}
      </p>
      {draft.batching && (
        <Field
          label={trans.__('Latency budget (milliseconds)')}
          help={trans.__(
            'How much longer the model may take for several requests than for one'
          )}
          error={problem('latency')}
        >
          {ids => (
            <input
              {...ids}
              type="number"
              min={1}
              max={10_000}
              value={draft.latency ?? DEFAULT_LATENCY}
              onChange={event =>
                change({ latency: Math.round(+event.target.value || 0) })
              }
            />
          )}
        </Field>
      )}
    </>
  );
}

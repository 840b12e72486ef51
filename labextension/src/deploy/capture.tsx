import React from 'react';

import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import {
  captureUri,
  names,
  type IBefore,
  type IDraft,
  type IKnown
} from './draft';
import type { IStepProps } from './wizard';

/** Whether requests and answers are recorded, how many of them, and where. */
export function CaptureFields(
  props: IStepProps & { known: IKnown; before: IBefore }
): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, change, problem, known } = props;
  if (props.before.captured) {
    return (
      <p className="jp-StudioConsole-hint">
        {trans.__('Requests and answers are recorded, and go on to be.')}
      </p>
    );
  }
  const on = draft.capture !== undefined;
  return (
    <>
      <label className="jp-StudioWizard-check">
        <input
          type="checkbox"
          checked={on}
          onChange={() => change({ capture: on ? undefined : 100 })}
        />
        {trans.__('Record requests and answers, to look at and to learn from')}
      </label>
      {on && (
        <>
          <Field
            label={trans.__('Per cent that is recorded')}
            error={problem('capture')}
          >
            {ids => (
              <input
                {...ids}
                type="number"
                min={1}
                max={100}
                value={draft.capture}
                onChange={event => change({ capture: +event.target.value })}
              />
            )}
          </Field>
          <Field
            label={trans.__('Recorded in')}
            help={trans.__('JSON Lines, a folder for each hour')}
            error={problem('captureUri')}
          >
            {ids => (
              <input
                {...ids}
                className="jp-mod-code"
                spellCheck={false}
                value={shownUri(draft, known)}
                onChange={event => change({ captureUri: event.target.value })}
              />
            )}
          </Field>
        </>
      )}
    </>
  );
}

function shownUri(draft: IDraft, known: IKnown): string {
  return captureUri(draft, names(draft, known).endpoint, known);
}

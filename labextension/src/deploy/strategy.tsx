import React from 'react';

import { Field } from '../components/form';
import { useLive, useStudio } from '../components/hooks';
import { Timeline } from '../components/timeline';
import { alarmsOf } from '../endpoints/alarms';
import { type IDraft } from './draft';
import { DEFAULT_STEP, DEFAULT_WAIT, stagesOf, type Strategy } from './stages';
import type { IStepProps } from './wizard';

/** How the requests move from what serves now to the new servers, drawn as it will go. */
export function StrategyFields(props: IStepProps): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, change, problem } = props;
  const strategy = draft.strategy ?? 'ALL_AT_ONCE';
  const titles: Record<Strategy, string> = {
    ALL_AT_ONCE: trans.__('All at once'),
    CANARY: trans.__('Canary: a small share first, then all'),
    LINEAR: trans.__('Linear: in equal steps'),
    ROLLING: trans.__('Rolling: in batches of servers, with little more room')
  };
  const count = (
    label: string,
    field: 'stepSize' | 'wait' | 'keepOld',
    value: number,
    max: number
  ) => (
    <Field label={label} error={problem(field)}>
      {ids => (
        <input
          {...ids}
          type="number"
          min={field === 'stepSize' ? 1 : 0}
          max={max}
          value={value}
          onChange={event => change({ [field]: +event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <>
      <Field label={trans.__('How the requests move')}>
        {ids => (
          <select
            {...ids}
            value={strategy}
            onChange={event =>
              change({ strategy: event.target.value as Strategy })
            }
          >
            {Object.entries(titles).map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        )}
      </Field>
      {strategy !== 'ALL_AT_ONCE' &&
        count(
          trans.__('Per cent in a step'),
          'stepSize',
          draft.stepSize ?? DEFAULT_STEP[strategy],
          50
        )}
      {count(
        trans.__('Seconds to watch after each step'),
        'wait',
        draft.wait ?? DEFAULT_WAIT[strategy],
        3600
      )}
      {strategy !== 'ROLLING' &&
        count(
          trans.__('Seconds to keep the old servers at the end'),
          'keepOld',
          draft.keepOld ?? 0,
          3600
        )}
      <AlarmChoice draft={draft} change={change} />
      <Timeline rollout={stagesOf(draft)} />
    </>
  );
}

/** The alarms that take the update back. */
function AlarmChoice(props: {
  draft: IDraft;
  change: IStepProps['change'];
}): React.JSX.Element | null {
  const { client, trans } = useStudio();
  const { draft, change } = props;
  const { value } = useLive(
    signal => alarmsOf(client, draft.target!, signal),
    event => event.type === 'resource' && event.Kind === 'alarm',
    [client, draft.target]
  );
  const chosen = draft.alarms ?? [];
  const names = (value ?? []).map(each => each.AlarmName!);
  return names.length ? (
    <fieldset className="jp-StudioRollout-choice">
      <legend>{trans.__('Rolled back by the alarms')}</legend>
      {names.map(name => (
        <label key={name}>
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={event =>
              change({
                alarms: event.target.checked
                  ? [...chosen, name]
                  : chosen.filter(each => each !== name)
              })
            }
          />
          {name}
        </label>
      ))}
    </fieldset>
  ) : (
    <p className="jp-StudioConsole-hint">
      {trans.__(
        'An alarm can take the update back by itself: add one on the page of the endpoint.'
      )}
    </p>
  );
}

import React from 'react';

import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import { Preview, Repeats } from '../schedules/when';
import {
  type IAction,
  type ILimits,
  type IPolicy,
  type Tracked,
  TRACKED
} from './scaling';

interface IForm<T> {
  value: T;
  onChange: (value: T) => void;
}

/** How many instances a variant may have. */
export function LimitFields(
  props: IForm<ILimits> & { variants: string[] }
): React.JSX.Element {
  const { trans } = useStudio();
  const { value, onChange, variants } = props;
  return (
    <>
      {variants.length > 1 && (
        <Field label={trans.__('Variant')}>
          {ids => (
            <select
              {...ids}
              value={value.variant}
              onChange={event =>
                onChange({ ...value, variant: event.target.value })
              }
            >
              {variants.map(each => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Field>
      )}
      <Whole
        label={trans.__('At least')}
        help={trans.__('Instances')}
        least={0}
        value={value.least}
        onChange={least => onChange({ ...value, least })}
      />
      <Whole
        label={trans.__('At most')}
        help={trans.__('Instances')}
        least={0}
        value={value.most}
        onChange={most => onChange({ ...value, most })}
      />
      <Check
        label={trans.__(
          'Look every ten seconds: more instances after half a minute, not after three'
        )}
        value={value.quick}
        onChange={quick => onChange({ ...value, quick })}
      />
    </>
  );
}

/** What a policy keeps to. */
export function PolicyFields(
  props: IForm<IPolicy> & { fresh: boolean }
): React.JSX.Element {
  const { trans } = useStudio();
  const { value, onChange } = props;
  const words = useWords();
  return (
    <>
      <Field label={trans.__('Name')}>
        {ids => (
          <input
            {...ids}
            type="text"
            value={value.name}
            readOnly={!props.fresh}
            onChange={event => onChange({ ...value, name: event.target.value })}
          />
        )}
      </Field>
      <Field label={trans.__('Keep to')}>
        {ids => (
          <select
            {...ids}
            value={value.tracked}
            onChange={event =>
              onChange({ ...value, tracked: event.target.value as Tracked })
            }
          >
            {TRACKED.map(each => (
              <option key={each} value={each}>
                {words[each].name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Whole
        label={trans.__('Target')}
        help={words[value.tracked].unit}
        least={0}
        value={value.target}
        onChange={target => onChange({ ...value, target })}
      />
      <Whole
        label={trans.__('Pause after more instances')}
        help={trans.__('Seconds before there may be still more')}
        least={0}
        value={value.outSeconds}
        onChange={outSeconds => onChange({ ...value, outSeconds })}
      />
      <Whole
        label={trans.__('Pause before fewer instances')}
        help={trans.__('Seconds after any change')}
        least={0}
        value={value.inSeconds}
        onChange={inSeconds => onChange({ ...value, inSeconds })}
      />
      <Check
        label={trans.__('Never make it smaller')}
        value={value.growsOnly}
        onChange={growsOnly => onChange({ ...value, growsOnly })}
      />
    </>
  );
}

/** When there are to be other limits. */
export function ActionFields(props: IForm<IAction>): React.JSX.Element {
  const { trans } = useStudio();
  const { value, onChange } = props;
  return (
    <>
      <Field label={trans.__('Name')}>
        {ids => (
          <input
            {...ids}
            type="text"
            value={value.name}
            onChange={event => onChange({ ...value, name: event.target.value })}
          />
        )}
      </Field>
      <Repeats
        times={value}
        onChange={times => onChange({ ...value, ...times })}
      />
      <Preview times={value} />
      <Whole
        label={trans.__('At least')}
        help={trans.__('Instances, from then on')}
        least={0}
        value={value.least}
        onChange={least => onChange({ ...value, least })}
      />
      <Whole
        label={trans.__('At most')}
        help={trans.__('Instances, from then on')}
        least={0}
        value={value.most}
        onChange={most => onChange({ ...value, most })}
      />
    </>
  );
}

/** The names of what can be tracked, and the units of their targets. */
export function useWords(): Record<Tracked, { name: string; unit: string }> {
  const { trans } = useStudio();
  return {
    requests: {
      name: trans.__('Requests of an instance'),
      unit: trans.__('a minute')
    },
    concurrency: {
      name: trans.__('Requests at the same time'),
      unit: trans.__('for each instance')
    },
    latency: { name: trans.__('Latency of the model'), unit: trans.__('ms') },
    cpu: { name: trans.__('CPU'), unit: trans.__('per cent of an instance') },
    gpu: { name: trans.__('GPU'), unit: trans.__('per cent') }
  };
}

function Whole(props: {
  label: string;
  help: string;
  least: number;
  value: number;
  onChange: (value: number) => void;
}): React.JSX.Element {
  return (
    <Field label={props.label} help={props.help}>
      {ids => (
        <input
          {...ids}
          type="number"
          min={props.least}
          step="any"
          value={props.value}
          onChange={event => props.onChange(+event.target.value)}
        />
      )}
    </Field>
  );
}

function Check(props: {
  label: string;
  value: boolean;
  onChange: (value: boolean) => void;
}): React.JSX.Element {
  return (
    <label className="jp-StudioScaling-check">
      <input
        type="checkbox"
        checked={props.value}
        onChange={event => props.onChange(event.target.checked)}
      />
      {props.label}
    </label>
  );
}

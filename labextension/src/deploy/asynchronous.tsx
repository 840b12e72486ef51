import React from 'react';

import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import { DEFAULT_AT_ONCE, places } from './answers';
import { names, type IAsynchronous, type IKnown } from './draft';
import type { IStepProps } from './wizard';

/** What is chosen of an endpoint that answers to S3: the folders, and requests at once. */
export function AsynchronousFields(
  props: IStepProps & { known: IKnown }
): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, problem, known } = props;
  const { output, failure } = places(
    draft,
    names(draft, known).endpoint,
    known
  );
  const change = (changes: Partial<IAsynchronous>) =>
    props.change({ asynchronous: { ...draft.asynchronous, ...changes } });
  return (
    <>
      <Place
        label={trans.__('Answers')}
        help={trans.__('A folder in S3: an object for each request')}
        error={problem('output')}
        value={output}
        onChange={value => change({ output: value })}
      />
      <Place
        label={trans.__('Failures')}
        help={trans.__('Why a request was not answered; empty: not stored')}
        error={problem('failure')}
        value={failure}
        onChange={value => change({ failure: value })}
      />
      <Field
        label={trans.__('Requests at once')}
        help={trans.__('For each instance; others wait their turn')}
        error={problem('atOnce')}
      >
        {ids => (
          <input
            {...ids}
            type="number"
            min={1}
            max={1000}
            value={draft.asynchronous?.most ?? DEFAULT_AT_ONCE}
            onChange={event => change({ most: +event.target.value })}
          />
        )}
      </Field>
    </>
  );
}

function Place(props: {
  label: string;
  help: string;
  error: string | undefined;
  value: string;
  onChange: (value: string) => void;
}): React.JSX.Element {
  return (
    <Field label={props.label} help={props.help} error={props.error}>
      {ids => (
        <input
          {...ids}
          className="jp-mod-code"
          spellCheck={false}
          value={props.value}
          onChange={event => props.onChange(event.target.value.trim())}
        />
      )}
    </Field>
  );
}

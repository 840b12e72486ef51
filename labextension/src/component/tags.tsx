import React from 'react';

import { useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import { notifyError } from '../core/errors';
import type { studio } from '../wire';

/** The tags of a component, to be added to and removed from. */
export function Tags(props: {
  arn: string;
  tags: studio.Tag[];
  disabled: boolean;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const [key, setKey] = React.useState('');
  const [value, setValue] = React.useState('');
  const first = React.useRef<HTMLInputElement>(null);
  const attempt = async (what: string, act: () => Promise<unknown>) => {
    try {
      await act();
      return true;
    } catch (error) {
      notifyError(what, error);
      return false;
    }
  };
  const add = async () => {
    const tags = [{ Key: key.trim(), Value: value.trim() }];
    const done = await attempt(trans.__('The tag was not added'), () =>
      client.call('sagemaker', 'AddTags', {
        ResourceArn: props.arn,
        Tags: tags
      })
    );
    if (done) {
      setKey('');
      setValue('');
      first.current?.focus();
    }
  };
  const remove = (name: string) =>
    attempt(trans.__('The tag was not removed'), () =>
      client.call('sagemaker', 'DeleteTags', {
        ResourceArn: props.arn,
        TagKeys: [name]
      })
    );
  return (
    <Section title={trans.__('Tags')}>
      {props.tags.length > 0 && (
        <ul className="jp-StudioComponent-tags">
          {props.tags.map(tag => (
            <li key={tag.Key}>
              <span>
                {tag.Key}
                {tag.Value && <strong>{tag.Value}</strong>}
              </span>
              <button
                className="jp-StudioButton jp-mod-minimal"
                disabled={props.disabled}
                aria-label={trans.__('Remove the tag %1', tag.Key)}
                onClick={() => void remove(tag.Key)}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
      <form
        className="jp-StudioComponent-newtag"
        onSubmit={event => {
          event.preventDefault();
          void add();
        }}
      >
        <input
          ref={first}
          aria-label={trans.__('Key of a new tag')}
          placeholder={trans.__('Key')}
          value={key}
          maxLength={128}
          onChange={event => setKey(event.target.value)}
        />
        <input
          aria-label={trans.__('Value of a new tag')}
          placeholder={trans.__('Value')}
          value={value}
          maxLength={256}
          onChange={event => setValue(event.target.value)}
        />
        <button
          className="jp-StudioButton"
          disabled={props.disabled || !key.trim()}
        >
          {trans.__('Add')}
        </button>
      </form>
    </Section>
  );
}

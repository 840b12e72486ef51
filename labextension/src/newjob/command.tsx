import React from 'react';

import { useStudio } from '../components/hooks';
import { Bound, useForm } from './form';
import { type Path, valueAt } from './paths';

/** A list of words, written as a command line. */
export function CommandField(props: {
  path: Path;
  label?: string;
  placeholder?: string;
  required?: boolean;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, set } = useForm<object>();
  const words = (valueAt(draft, props.path) as string[] | undefined) ?? [];
  const [text, setText] = React.useState(() => joined(words));
  React.useEffect(() => {
    // Somebody else has changed the words.
    setText(now =>
      joined(split(now)) === joined(words) ? now : joined(words)
    );
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [joined(words)]);
  return (
    <Bound
      path={props.path}
      label={props.label ?? trans.__('Command')}
      required={props.required}
      help={trans.__(
        'Words are separated by spaces; quotes hold a word together.'
      )}
    >
      {control => (
        <input
          {...control}
          type="text"
          className="jp-mod-code"
          spellCheck={false}
          value={text}
          placeholder={props.placeholder}
          onChange={event => {
            setText(event.target.value);
            const next = split(event.target.value);
            set(props.path, next.length ? next : undefined);
          }}
        />
      )}
    </Bound>
  );
}

/** The words of a command line; quotes hold a word together, a backslash takes the next as it is. */
export function split(line: string): string[] {
  const words = line.match(/(?:\\.|'[^']*'?|"(?:\\.|[^"])*"?|[^\s'"\\])+/g);
  return (words ?? []).map(word =>
    word.replace(
      /\\(.)|'([^']*)'?|"((?:\\.|[^"])*)"?/g,
      (_, escaped?: string, single?: string, double?: string) =>
        escaped ?? single ?? (double ?? '').replace(/\\(["\\])/g, '$1')
    )
  );
}

/** A command line that `split` takes apart into these words. */
export function joined(words: string[]): string {
  return words
    .map(word =>
      /^[^\s'"\\]+$/.test(word) ? word : `"${word.replace(/(["\\])/g, '\\$1')}"`
    )
    .join(' ');
}

import React from 'react';

import { useLive, useStudio } from '../components/hooks';
import type { studio } from '../wire';
import { useView, useViewStore } from './hooks';
import { useKept } from './kept';
import { concerns, MOST } from './rows';

/** A parameter, a metric, a tag or an attribute of components. */
export type IField = studio.TrialComponentField;

export type FieldKind = 'attribute' | 'parameter' | 'metric' | 'tag';

/** Whose fields: those of all components of the view, or of those that are chosen, if any are. */
export type Whose = 'view' | 'chosen';

/** New fields come with new components: there is no hurry. */
const PACE_MS = 2000;

type Asked = studio.ListTrialComponentFieldsRequest;

/** The components whose fields are asked for; the same object while they are the same. */
export function useWhose(
  whose: Whose = 'view'
): Pick<studio.ListTrialComponentFieldsRequest, 'Query' | 'Names'> {
  const query = useView(state => state.query);
  const names = useView(state =>
    whose === 'chosen' && state.selection.length ? state.selection : state.names
  );
  return React.useMemo(
    () => ({
      ...(query && { Query: query }),
      ...(names && { Names: names.slice(0, MOST) })
    }),
    [query, names]
  );
}

/**
 * The fields of some kinds whose names hold a text.
 *
 * Nothing is asked unless `wanted`.
 */
export function useFields(
  kinds: readonly FieldKind[],
  asked: {
    whose?: Whose;
    contains?: string;
    limit?: number;
    wanted?: boolean;
  } = {}
): {
  fields: readonly IField[];
  total: number;
  error: unknown;
  loading: boolean;
} {
  const { client } = useStudio();
  const { contains = '', limit = 100, wanted = true } = asked;
  const of = useWhose(asked.whose);
  const key = kinds.join();
  const question = React.useMemo(
    () =>
      JSON.stringify({
        ...of,
        Kinds: key.split(','),
        Limit: limit,
        ...(contains && { Contains: contains })
      }),
    [of, key, contains, limit]
  );
  const { last, keep } = useKept<studio.ListTrialComponentFieldsResponse>(
    useViewStore(),
    question
  );
  const {
    value = last,
    error,
    loading
  } = useLive(
    async signal => {
      const request = JSON.parse(question) as Asked;
      const asked = ['studio', 'ListTrialComponentFields'] as const;
      return wanted
        ? keep(await client.call(...asked, request, signal))
        : undefined;
    },
    event => wanted && concerns(event),
    [client, question, wanted],
    PACE_MS
  );
  return {
    fields: value?.Fields ?? NONE,
    total: value?.Total ?? 0,
    error,
    loading
  };
}

const NONE: readonly IField[] = [];

/** The name that is searched for by what is typed: fields are written `param.depth`, or `metric["val/loss`. */
export function nameIn(typed: string): string {
  const [begin] = /^(?:param|metric|tag)(?:\.|\["?)/.exec(typed) ?? [''];
  const name = typed.slice(begin.length);
  return begin.includes('[') ? name.replace(/"?\]?$/, '') : name;
}

/** A name of a field, typed or chosen; it counts when it is one of the fields or empty. */
export function FieldPicker(props: {
  label: string;
  value: string | undefined;
  kinds: readonly FieldKind[];
  whose?: Whose;
  /** Only those with numbers. */
  numeric?: boolean;
  /** Fields go by their plain names, not as queries write them: all are of one kind. */
  named?: boolean;
  /** Written in the empty box. */
  empty?: string;
  onChange: (field: string | undefined) => void;
}): React.JSX.Element {
  const { value = '', onChange } = props;
  const [text, setText] = React.useState(value);
  React.useEffect(() => setText(value), [value]);
  const searched = text === value ? '' : text;
  const [focused, setFocused] = React.useState(false);
  const { fields, loading } = useFields(props.kinds, {
    whose: props.whose,
    contains: nameIn(searched),
    limit: 60,
    wanted: focused
  });
  const list = React.useId();
  const offered = fields.filter(
    ({ Type }) => !props.numeric || Type !== 'Text'
  );
  const written = ({ Field, Name }: IField) => (props.named ? Name : Field);
  const commit = (typed: string) => {
    const found = offered.find(it => it.Field === typed || it.Name === typed);
    if (typed === '' || found) {
      onChange(found && written(found));
    }
    setText(found ? written(found) : typed === '' ? '' : value);
  };
  // Who types faster than the fields come need not wait for them.
  const [early, setEarly] = React.useState<string | null>(null);
  React.useEffect(() => {
    if (early !== null && !loading) {
      setEarly(null);
      commit(early);
    }
    // What is chosen is one of the fields that have just come.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [early, loading]);
  const enter = (typed: string) => {
    if (loading && typed !== '' && typed !== value) {
      setEarly(typed);
    } else {
      commit(typed);
    }
  };
  return (
    <label className="jp-StudioCompare-field">
      {props.label}
      <input
        list={list}
        value={text}
        placeholder={props.empty}
        size={Math.min(24, Math.max(10, text.length))}
        onChange={event => {
          const typed = event.target.value;
          // A choice of the list comes as one change to a whole name.
          if (offered.some(each => written(each) === typed) || typed === '') {
            commit(typed);
          } else {
            setText(typed);
          }
        }}
        onFocus={() => setFocused(true)}
        onBlur={() => enter(text.trim())}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            enter(text.trim());
          } else if (event.key === 'Escape') {
            setEarly(null);
            setText(value);
          }
        }}
      />
      <datalist id={list}>
        {offered.map(each => (
          <option key={each.Field} value={written(each)} />
        ))}
      </datalist>
    </label>
  );
}

import React from 'react';

import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import type { studio } from '../wire';
import type { Draft } from './draft';
import { plain } from './faults';
import { type Path, shown, spelled, valueAt } from './paths';

/** What the fields of a form share; `D` is the request that it makes. */
export interface IForm<D extends object = Draft> {
  draft: D;
  /** The request that was copied, to show what differs. */
  original: D | null;
  /** The algorithm of a training job's image; null for any other image. */
  algorithm: studio.DescribeAlgorithmResponse | null;
  set: (path: Path, value: unknown) => void;
  /** Fields that were changed, or left, once: their faults are shown. */
  touch: (path: string) => void;
  isTouched: (path: string) => boolean;
  faults: studio.ValidationFault[];
  /** Say what is likely to go wrong with a member, or with undefined that nothing is. */
  warn: (path: string, text: string | undefined) => void;
}

export const FormContext = React.createContext<IForm<object> | null>(null);

/** The form around; whoever names `D` knows which it is. */
export function useForm<D extends object = Draft>(): IForm<D> {
  const form = React.useContext(FormContext);
  if (!form) {
    throw new Error('Fields must be rendered below FormContext.');
  }
  return form as IForm<D>;
}

/** The message to show at a field; none while the user has not been there. */
export function useFault(path: Path): string | undefined {
  const { trans } = useStudio();
  const form = useForm<object>();
  const name = spelled(path);
  const messages = form.faults
    .filter(fault => fault.Path === name)
    .map(fault => plain(fault.Message, trans));
  return form.isTouched(name) && messages.length
    ? messages.join(' ')
    : undefined;
}

/** Tell of what is likely to go wrong, as long as it is. */
export function useWarning(path: string, text: string | undefined): void {
  const { warn } = useForm<object>();
  React.useEffect(() => {
    warn(path, text);
    return () => warn(path, undefined);
  }, [warn, path, text]);
}

/** What the copied job has here, in words; undefined when it has the same. */
export function useWas(path: Path): string | undefined {
  const { trans } = useStudio();
  const { draft, original } = useForm<object>();
  const before = valueAt(original, path);
  if (!original || before === valueAt(draft, path)) {
    return undefined;
  }
  return before === undefined
    ? trans.__('not set in the original')
    : trans.__('was %1', shown(before));
}

interface IBound {
  path: Path;
  label: string;
  help?: React.ReactNode;
  required?: boolean;
}

/** A field of a member of the request, whatever its control. */
export function Bound(
  props: IBound & {
    children: (
      control: React.HTMLAttributes<HTMLElement> & { 'data-path': string }
    ) => React.ReactNode;
  }
): React.JSX.Element {
  const form = useForm<object>();
  const name = spelled(props.path);
  const was = useWas(props.path);
  const help = [props.help, was && <em key="was">{was}</em>].filter(Boolean);
  return (
    <div className={was ? 'jp-StudioNewJob-changed' : undefined}>
      <Field
        label={props.label}
        required={props.required}
        error={useFault(props.path)}
        help={
          help.length
            ? help.map((part, index) => (
                <React.Fragment key={index}>
                  {index > 0 && ' · '}
                  {part}
                </React.Fragment>
              ))
            : undefined
        }
      >
        {ids =>
          props.children({
            ...ids,
            'data-path': name,
            onBlur: () => form.touch(name)
          })
        }
      </Field>
    </div>
  );
}

/** One line of text. */
export function TextField(
  props: IBound & {
    placeholder?: string;
    /** Words to choose from, beside any other. */
    words?: string[];
    code?: boolean;
  }
): React.JSX.Element {
  const form = useForm<object>();
  const list = React.useId();
  const value = valueAt(form.draft, props.path);
  return (
    <Bound {...props}>
      {control => (
        <>
          <input
            {...control}
            type="text"
            spellCheck={false}
            className={props.code ? 'jp-mod-code' : undefined}
            value={shown(value)}
            placeholder={props.placeholder}
            list={props.words?.length ? list : undefined}
            onChange={event =>
              form.set(props.path, event.target.value || undefined)
            }
          />
          {!!props.words?.length && (
            <datalist id={list}>
              {props.words.map(word => (
                <option key={word} value={word} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Bound>
  );
}

/**
 * A number; what is no number is kept as it was typed, and the engine says so. `scale` is how many
 * of the request's units one of the field's is: 60 for minutes of a member in seconds.
 */
export function NumberField(
  props: IBound & { placeholder?: string; scale?: number }
): React.JSX.Element {
  const form = useForm<object>();
  const scale = props.scale ?? 1;
  const value = valueAt(form.draft, props.path);
  const units = typeof value === 'number' ? value / scale : value;
  return (
    <Bound {...props}>
      {control => (
        <input
          {...control}
          type="text"
          inputMode="numeric"
          value={shown(units)}
          placeholder={props.placeholder}
          onChange={event =>
            form.set(props.path, parsed(event.target.value, scale))
          }
        />
      )}
    </Bound>
  );
}

function parsed(text: string, scale: number): number | string | undefined {
  const number = Number(text);
  return text.trim() === ''
    ? undefined
    : Number.isFinite(number) && !/\.$/.test(text)
      ? scale === 1
        ? number
        : Math.round(number * scale)
      : text;
}

/** One of some values; the empty one removes the member. */
export function SelectField(
  props: IBound & {
    options: { value: string; label: string }[];
  }
): React.JSX.Element {
  const form = useForm<object>();
  const value = shown(valueAt(form.draft, props.path));
  const known = props.options.some(option => option.value === value);
  return (
    <Bound {...props}>
      {control => (
        <select
          {...control}
          value={value}
          onChange={event =>
            form.set(props.path, event.target.value || undefined)
          }
        >
          {!known && <option value={value}>{value}</option>}
          {props.options.map(option => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Bound>
  );
}

/** A flag that is absent when it is off. */
export function FlagField(props: IBound): React.JSX.Element {
  const form = useForm<object>();
  const value = valueAt(form.draft, props.path) === true;
  return (
    <Bound {...props}>
      {control => (
        <input
          {...control}
          type="checkbox"
          checked={value}
          onChange={event =>
            form.set(props.path, event.target.checked || undefined)
          }
        />
      )}
    </Bound>
  );
}

/** The faults of a whole section, which no field of it shows. */
export function SectionFaults(props: { path: string }): React.JSX.Element {
  const { trans } = useStudio();
  const { faults } = useForm<object>();
  return (
    <>
      {faults
        .filter(fault => fault.Path === props.path)
        .map(fault => (
          <p
            key={fault.Message}
            className="jp-StudioField-error"
            data-path={props.path}
            tabIndex={-1}
            role="alert"
          >
            {plain(fault.Message, trans)}
          </p>
        ))}
    </>
  );
}

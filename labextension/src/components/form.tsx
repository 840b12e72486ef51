import React from 'react';

/** A labelled control with its help and its error, joined for screen readers. */
export function Field(props: {
  label: string;
  help?: React.ReactNode;
  error?: string;
  required?: boolean;
  children: (ids: {
    id: string;
    'aria-describedby'?: string;
    'aria-invalid'?: boolean;
  }) => React.ReactNode;
}): React.JSX.Element {
  const id = React.useId();
  const described = [props.help && `${id}-help`, props.error && `${id}-error`]
    .filter(Boolean)
    .join(' ');
  return (
    <div className={`jp-StudioField ${props.error ? 'jp-mod-invalid' : ''}`}>
      <label htmlFor={id}>
        {props.label}
        {props.required && <span aria-hidden="true"> *</span>}
      </label>
      {props.children({
        id,
        'aria-describedby': described || undefined,
        'aria-invalid': !!props.error
      })}
      {props.error && (
        <span className="jp-StudioField-error" id={`${id}-error`} role="alert">
          {props.error}
        </span>
      )}
      {props.help && (
        <span className="jp-StudioField-help" id={`${id}-help`}>
          {props.help}
        </span>
      )}
    </div>
  );
}

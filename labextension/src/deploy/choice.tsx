import React from 'react';

/** Radio buttons for texts. */
export function Choice<T extends string>(props: {
  label: string;
  value: T;
  choices: Record<T, string>;
  onChange: (chosen: T) => void;
}): React.JSX.Element {
  const group = React.useId();
  return (
    <div
      role="radiogroup"
      className="jp-StudioWizard-kinds"
      aria-label={props.label}
    >
      {Object.entries<string>(props.choices).map(([each, text]) => (
        <label key={each}>
          <input
            type="radio"
            name={group}
            checked={props.value === each}
            onChange={() => props.onChange(each as T)}
          />
          {text}
        </label>
      ))}
    </div>
  );
}

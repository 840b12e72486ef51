import React from 'react';

import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import type { IPart, Put } from './basis';
import { isNotebook } from './request';

/** Values for the parameters of a notebook, or arguments of a script. */
export function Parameters(props: IPart & { put: Put }): React.JSX.Element {
  const { trans } = useStudio();
  const { run, put, path, basis } = props;
  const known = basis.file.parameters;
  const own = Object.keys(run.parameters).filter(name => !(name in known));
  const set = (name: string, value: string | undefined) => {
    const parameters = { ...run.parameters };
    delete parameters[name];
    put({
      parameters:
        value === undefined ? parameters : { ...parameters, [name]: value }
    });
  };
  return (
    <Section title={trans.__('Parameters')}>
      {Object.keys(known).length === 0 && (
        <p className="jp-StudioField-help">
          {isNotebook(path)
            ? trans.__(
                'No cell of the notebook has the tag "parameters". Values that you add here are assigned before its first cell.'
              )
            : trans.__(
                'What you add here are arguments of the script: --name value.'
              )}
        </p>
      )}
      <div className="jp-StudioNewJob-fields">
        {Object.entries(known).map(([name, value]) => (
          <Field
            key={name}
            label={name}
            help={
              name in run.parameters ? trans.__('was %1', value) : undefined
            }
          >
            {ids => (
              <input
                {...ids}
                type="text"
                className="jp-mod-code"
                spellCheck={false}
                value={run.parameters[name] ?? value}
                onChange={({ target }) =>
                  set(name, target.value === value ? undefined : target.value)
                }
              />
            )}
          </Field>
        ))}
        {own.map(name => (
          <Field key={name} label={name}>
            {ids => (
              <div className="jp-StudioNewJob-row">
                <input
                  {...ids}
                  type="text"
                  className="jp-mod-code jp-StudioNewJob-wide"
                  spellCheck={false}
                  value={run.parameters[name]}
                  onChange={({ target }) => set(name, target.value)}
                />
                <button
                  className="jp-StudioButton jp-mod-minimal"
                  aria-label={trans.__('Remove %1', name)}
                  onClick={() => set(name, undefined)}
                >
                  {trans.__('Remove')}
                </button>
              </div>
            )}
          </Field>
        ))}
      </div>
      <Add taken={[...Object.keys(known), ...own]} add={set} />
    </Section>
  );
}

function Add(props: {
  taken: string[];
  add: (name: string, value: string) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const [name, setName] = React.useState('');
  const usable = /^[A-Za-z_][\w-]*$/.test(name) && !props.taken.includes(name);
  const add = (event: React.FormEvent) => {
    event.preventDefault();
    if (usable) {
      props.add(name, '');
      setName('');
    }
  };
  return (
    <form className="jp-StudioNewJob-row" onSubmit={add}>
      <input
        type="text"
        className="jp-mod-code"
        spellCheck={false}
        aria-label={trans.__('Name of another parameter')}
        placeholder={trans.__('name')}
        value={name}
        onChange={event => setName(event.target.value)}
      />
      <button className="jp-StudioButton" disabled={!usable}>
        {trans.__('Add a parameter')}
      </button>
    </form>
  );
}

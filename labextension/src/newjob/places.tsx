import React from 'react';

import { useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import { SectionFaults, SelectField, TextField, useForm } from './form';
import { type Path, shown, valueAt } from './paths';
import { type Draft, input, output } from './processing-draft';
import { dropTarget, UriField } from './uris';

const OUTPUTS = ['ProcessingOutputConfig', 'Outputs'];

/** Files of S3 that the program finds in folders. */
export function Inputs(): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, set } = useForm<Draft>();
  const inputs = draft.ProcessingInputs ?? [];
  const add = (uri = '') => {
    const name = free(
      'data',
      inputs.map(each => each.InputName)
    );
    set(
      ['ProcessingInputs', inputs.length],
      input(name, uri, `/opt/ml/processing/${name}`)
    );
  };
  return (
    <Section title={trans.__('Inputs')}>
      <SectionFaults path="ProcessingInputs" />
      {inputs.map((each, index) => (
        <Place
          key={index}
          at={['ProcessingInputs', index]}
          name="InputName"
          label={trans.__('Input %1', each.InputName || index + 1)}
        >
          <UriField path={['ProcessingInputs', index, 'S3Input', 'S3Uri']} />
          <div className="jp-StudioNewJob-fields">
            <TextField
              path={['ProcessingInputs', index, 'S3Input', 'LocalPath']}
              label={trans.__('Folder in the job')}
              required
              code
            />
            <SelectField
              path={[
                'ProcessingInputs',
                index,
                'S3Input',
                'S3DataDistributionType'
              ]}
              label={trans.__('Several hosts')}
              options={[
                {
                  value: 'FullyReplicated',
                  label: trans.__('each gets everything')
                },
                {
                  value: 'ShardedByS3Key',
                  label: trans.__('each gets its share')
                }
              ]}
            />
          </div>
        </Place>
      ))}
      <div
        className="jp-StudioNewJob-row jp-StudioNewJob-drop"
        {...dropTarget(add)}
      >
        <button className="jp-StudioButton" onClick={() => add()}>
          {trans.__('Add input')}
        </button>
        <span className="jp-StudioField-help">
          {trans.__('Objects of S3 can be dropped here too.')}
        </span>
      </div>
    </Section>
  );
}

/** Folders of the job whose files are stored in S3. */
export function Outputs(): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, set } = useForm<Draft>();
  const outputs = draft.ProcessingOutputConfig?.Outputs ?? [];
  const add = () =>
    set(
      [...OUTPUTS, outputs.length],
      output(
        free(
          'output',
          outputs.map(each => each.OutputName)
        ),
        ''
      )
    );
  return (
    <Section title={trans.__('Outputs')}>
      <SectionFaults path="ProcessingOutputConfig" />
      {outputs.map((each, index) => (
        <Place
          key={index}
          at={[...OUTPUTS, index]}
          name="OutputName"
          label={trans.__('Output %1', each.OutputName || index + 1)}
        >
          <UriField path={[...OUTPUTS, index, 'S3Output', 'S3Uri']} />
          <div className="jp-StudioNewJob-fields">
            <TextField
              path={[...OUTPUTS, index, 'S3Output', 'LocalPath']}
              label={trans.__('Folder in the job')}
              required
              code
            />
            <SelectField
              path={[...OUTPUTS, index, 'S3Output', 'S3UploadMode']}
              label={trans.__('Stored')}
              options={[
                { value: 'EndOfJob', label: trans.__('when the job ends') },
                { value: 'Continuous', label: trans.__('while the job runs') }
              ]}
            />
          </div>
        </Place>
      ))}
      <div className="jp-StudioNewJob-row">
        <button className="jp-StudioButton" onClick={add}>
          {trans.__('Add output')}
        </button>
      </div>
    </Section>
  );
}

/** The fields of an input or an output, with its name and the way to be rid of it. */
function Place(
  props: React.PropsWithChildren<{ at: Path; name: string; label: string }>
): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, set } = useForm<Draft>();
  const name = shown(valueAt(draft, [...props.at, props.name]));
  return (
    <fieldset className="jp-StudioNewJob-channel">
      <legend>{props.label}</legend>
      <button
        className="jp-StudioButton jp-mod-minimal jp-StudioNewJob-remove"
        aria-label={trans.__('Remove %1', name)}
        onClick={() => set(props.at, undefined)}
      >
        {trans.__('Remove')}
      </button>
      <div className="jp-StudioNewJob-fields">
        <TextField
          path={[...props.at, props.name]}
          label={trans.__('Name')}
          required
        />
      </div>
      {props.children}
    </fieldset>
  );
}

/** `base`, or the first of `base-2` … that is not taken. */
function free(base: string, taken: string[]): string {
  let name = base;
  for (let number = 2; taken.includes(name); number++) {
    name = `${base}-${number}`;
  }
  return name;
}

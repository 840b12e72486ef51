import React from 'react';

import { pickS3 } from '../components/s3picker';
import { useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import type { studio } from '../wire';
import { CommandField } from './command';
import { channel, choose, type Draft, OWN } from './draft';
import { SectionFaults, SelectField, TextField, useForm } from './form';
import { withValue } from './paths';

/** The algorithm, or an image and a program of one's own. */
export function Algorithm(props: {
  algorithms: studio.AlgorithmSummary[];
  setDraft: (draft: Draft) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, algorithm } = useForm();
  // What was entered for an algorithm comes back with it.
  const kept = React.useRef(new Map<string, Record<string, string>>());
  const image = draft.AlgorithmSpecification?.TrainingImage;
  const chosen = algorithm?.AlgorithmName ?? (image ? OWN : '');
  const pick = (name: string) => {
    kept.current.set(chosen, draft.HyperParameters ?? {});
    const found = props.algorithms.find(each => each.AlgorithmName === name);
    props.setDraft(choose(draft, found ?? null, kept.current.get(name)));
  };
  const choices = [
    ...props.algorithms,
    {
      AlgorithmName: OWN,
      DisplayName: trans.__('Own script or image'),
      Description: trans.__(
        'Runs a command of yours with the packages of this machine.'
      )
    }
  ];
  return (
    <Section title={trans.__('Algorithm')}>
      <div
        className="jp-StudioNewJob-cards"
        role="radiogroup"
        aria-label={trans.__('Algorithm')}
      >
        {choices.map(choice => (
          <label key={choice.AlgorithmName} className="jp-StudioNewJob-card">
            <input
              type="radio"
              name="algorithm"
              checked={chosen === choice.AlgorithmName}
              onChange={() => pick(choice.AlgorithmName)}
              data-path={
                chosen ? undefined : 'AlgorithmSpecification.TrainingImage'
              }
            />
            <span>
              <strong>{choice.DisplayName}</strong>
              <span>{choice.Description}</span>
            </span>
          </label>
        ))}
      </div>
      {algorithm && <Known algorithm={algorithm} />}
      {chosen === OWN && <Own setDraft={props.setDraft} />}
      <SectionFaults path="AlgorithmSpecification" />
    </Section>
  );
}

function Known(props: {
  algorithm: studio.DescribeAlgorithmResponse;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { draft } = useForm();
  const { ImageTags: tags, MetricDefinitions: metrics } = props.algorithm;
  const image = draft.AlgorithmSpecification?.TrainingImage ?? '';
  const repository = image.replace(/:[^:/]*$/, '');
  return (
    <div className="jp-StudioNewJob-fields">
      <SelectField
        path={['AlgorithmSpecification', 'TrainingImage']}
        label={trans.__('Version')}
        help={trans.__('Tag of the image %1', repository)}
        options={tags.map(tag => ({
          value: `${repository}:${tag}`,
          label: tag
        }))}
      />
      <details>
        <summary>
          {trans._n(
            'Reports %1 metric',
            'Reports up to %1 metrics',
            metrics.length
          )}
        </summary>
        <p className="jp-StudioNewJob-names">
          {metrics.map(metric => metric.Name).join(', ')}
        </p>
      </details>
    </div>
  );
}

function Own(props: { setDraft: (draft: Draft) => void }): React.JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { draft } = useForm();
  const pick = async () => {
    const uri = await pickS3(studio, {
      title: trans.__('Choose a Python script')
    });
    if (uri) {
      props.setDraft(withScript(draft, uri));
    }
  };
  return (
    <div className="jp-StudioNewJob-fields">
      <TextField
        path={['AlgorithmSpecification', 'TrainingImage']}
        label={trans.__('Image')}
        required
        code
        help={trans.__(
          'python:latest is the Python of this machine; python:3.12 wants that version.'
        )}
      />
      <CommandField path={COMMAND} placeholder={EXAMPLE} required />
      <div className="jp-StudioNewJob-row">
        <button className="jp-StudioButton" onClick={() => void pick()}>
          {trans.__('Choose a script…')}
        </button>
        <span className="jp-StudioField-help">
          {trans.__('Puts it into the channel "code" and runs it from there.')}
        </span>
      </div>
    </div>
  );
}

const COMMAND = ['AlgorithmSpecification', 'ContainerEntrypoint'];
const EXAMPLE = 'python3 /opt/ml/input/data/code/train.py';

/** The draft that runs the script at `uri` with Python. */
export function withScript(draft: Draft, uri: string): Draft {
  const others = (draft.InputDataConfig ?? []).filter(
    each => each.ChannelName !== 'code'
  );
  const file = uri.slice(uri.lastIndexOf('/') + 1);
  return withValue(
    { ...draft, InputDataConfig: [...others, channel('code', uri)] },
    COMMAND,
    ['python3', `/opt/ml/input/data/code/${file}`]
  );
}

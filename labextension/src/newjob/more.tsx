import React from 'react';

import { useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import {
  FlagField,
  NumberField,
  SectionFaults,
  SelectField,
  TextField,
  useForm
} from './form';
import { Pairs } from './pairs';

const EXAMPLE_URI = 's3://bucket/checkpoints/';
const USUAL_FOLDER = '/opt/ml/checkpoints';

/** Where the model goes, and what few jobs set. */
export function More(): React.JSX.Element {
  const { trans } = useStudio();
  const { draft } = useForm();
  return (
    <Section title={trans.__('Output and options')}>
      <div className="jp-StudioNewJob-fields">
        <TextField
          path={['OutputDataConfig', 'S3OutputPath']}
          label={trans.__('Output')}
          required
          code
          help={trans.__(
            'The model is stored below this S3 URI, in a folder of the job.'
          )}
        />
        <SelectField
          path={['AlgorithmSpecification', 'TrainingInputMode']}
          label={trans.__('Input mode')}
          options={[
            { value: 'File', label: trans.__('File: copied before it starts') },
            {
              value: 'FastFile',
              label: trans.__('FastFile: read where it lies')
            },
            { value: 'Pipe', label: trans.__('Pipe: streamed') }
          ]}
        />
      </div>
      <Labels />
      <Options
        title={trans.__('Checkpoints')}
        count={draft.CheckpointConfig ? 1 : 0}
        path="CheckpointConfig"
      >
        <div className="jp-StudioNewJob-fields">
          <TextField
            path={['CheckpointConfig', 'S3Uri']}
            label={trans.__('S3 URI')}
            code
            placeholder={EXAMPLE_URI}
            help={trans.__(
              'Restored from here when the job starts, stored here while it runs.'
            )}
          />
          <TextField
            path={['CheckpointConfig', 'LocalPath']}
            label={trans.__('Folder in the job')}
            code
            placeholder={USUAL_FOLDER}
          />
        </div>
      </Options>
      <Options
        title={trans.__('Role, isolation and spot')}
        count={rare(draft)}
        path="RetryStrategy"
      >
        <div className="jp-StudioNewJob-fields">
          <TextField
            path={['RoleArn']}
            label={trans.__('Role')}
            required
            code
            help={trans.__('The ARN of the role that the job runs as.')}
          />
          <FlagField
            path={['EnableNetworkIsolation']}
            label={trans.__('Network isolation')}
            help={trans.__('The job reaches no network.')}
          />
          <FlagField
            path={['EnableManagedSpotTraining']}
            label={trans.__('Managed spot training')}
          />
          <NumberField
            path={['StoppingCondition', 'MaxWaitTimeInSeconds']}
            label={trans.__('Longest wait and run (minutes)')}
            scale={60}
            help={trans.__('With managed spot training only.')}
          />
        </div>
      </Options>
    </Section>
  );
}

/** Tags and environment variables, which jobs of every kind have. */
export function Labels(): React.JSX.Element {
  const { trans } = useStudio();
  const { draft } = useForm<{
    Tags?: object[];
    Environment?: Record<string, string>;
  }>();
  return (
    <>
      <Options
        title={trans.__('Tags')}
        count={draft.Tags?.length ?? 0}
        path="Tags"
      >
        <Pairs
          path={['Tags']}
          name={trans.__('Tag')}
          add={trans.__('Add tag')}
          list
        />
      </Options>
      <Options
        title={trans.__('Environment variables')}
        count={Object.keys(draft.Environment ?? {}).length}
        path="Environment"
      >
        <Pairs
          path={['Environment']}
          name={trans.__('Variable')}
          add={trans.__('Add variable')}
        />
      </Options>
    </>
  );
}

/** Options that few need: shown at once where some are set. */
export function Options(
  props: React.PropsWithChildren<{ title: string; count: number; path: string }>
): React.JSX.Element {
  const { faults } = useForm<object>();
  const faulty = faults.some(fault => fault.Path.startsWith(props.path));
  const [open, setOpen] = React.useState(props.count > 0);
  return (
    <details
      open={open || faulty}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>
        {props.title}
        {props.count > 0 && ` (${props.count})`}
      </summary>
      <SectionFaults path={props.path} />
      {props.children}
    </details>
  );
}

function rare(draft: {
  EnableNetworkIsolation?: boolean;
  EnableManagedSpotTraining?: boolean;
}): number {
  return [draft.EnableNetworkIsolation, draft.EnableManagedSpotTraining].filter(
    Boolean
  ).length;
}

import React from 'react';

import { Field } from '../components/form';
import { Grid, type IColumn } from '../components/grid';
import { useLive, useStudio } from '../components/hooks';
import { Section, When } from '../components/parts';
import { pickS3 } from '../components/s3picker';
import { imageName } from '../core/lineage';
import { searchNewest } from '../core/search';
import type { sagemaker } from '../wire';
import { Batching } from './batching';
import { names, type IKnown, type ISource } from './draft';
import type { IStepProps } from './wizard';

const MOST = 1000;
/** Images whose models need no script: what is in the archive says how it is called. */
const PORTABLE = [
  'lightgbm:latest',
  'mlflow-pyfunc:latest',
  'onnxruntime:latest',
  '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3',
  '763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6-cpu-py312'
];
const EXAMPLE = 's3://bucket/path/model.tar.gz';

/** First step: an existing model, what a training job made, or a model.tar.gz. */
export function ModelStep(
  props: IStepProps & {
    known: IKnown;
    /** The image that is known to read the artifact. */
    image: string | undefined;
    missing: string | undefined;
  }
): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, change, problem } = props;
  const kind = draft.source?.kind ?? 'model';
  const kinds: [ISource['kind'], string][] = [
    ['model', trans.__('A model')],
    ['package', trans.__('An approved version')],
    ['job', trans.__('What a training job made')],
    ['data', trans.__('A model.tar.gz in S3')]
  ];
  const group = React.useId();
  const choose = (source: ISource) =>
    change({ source, modelName: undefined, endpointName: undefined });
  return (
    <Section title={trans.__('What to deploy')}>
      <div
        role="radiogroup"
        className="jp-StudioWizard-kinds"
        aria-label={trans.__('What to deploy')}
      >
        {kinds.map(([id, label]) => (
          <label key={id}>
            <input
              type="radio"
              name={group}
              checked={kind === id}
              onChange={() => choose({ kind: id, name: '' })}
            />
            {label}
          </label>
        ))}
      </div>
      {kind === 'data' ? (
        <DataSource {...props} choose={choose} />
      ) : (
        <Picker
          key={kind}
          kind={kind}
          chosen={draft.source?.name ?? ''}
          choose={name => choose({ kind, name })}
        />
      )}
      {props.missing && <p role="alert">{props.missing}</p>}
      {kind !== 'model' && draft.source?.name && (
        <Field
          label={trans.__('Name of the model that is made')}
          error={problem('modelName')}
        >
          {ids => (
            <input
              {...ids}
              value={names(draft, props.known).model}
              onChange={event => change({ modelName: event.target.value })}
            />
          )}
        </Field>
      )}
      {kind !== 'model' && draft.source?.name && <Batching {...props} />}
    </Section>
  );
}

/** What is looked for, and of which kind the events are that change it. */
const PICKED = {
  model: { resource: 'Model', kind: 'model', filters: [] },
  package: {
    resource: 'ModelPackage',
    kind: 'model-package',
    filters: [
      { Name: 'ModelApprovalStatus', Operator: 'Equals', Value: 'Approved' }
    ]
  },
  job: {
    resource: 'TrainingJob',
    kind: 'training-job',
    filters: [
      { Name: 'TrainingJobStatus', Operator: 'Equals', Value: 'Completed' }
    ]
  }
} satisfies Record<
  string,
  {
    resource: Parameters<typeof searchNewest>[1];
    kind: string;
    filters: sagemaker.Filter[];
  }
>;

function candidate(record: sagemaker.SearchRecord): ICandidate | null {
  const model = record.Model?.Model;
  if (model) {
    const container = model.PrimaryContainer ?? model.Containers?.[0];
    return made(model.ModelName, container?.Image, model.CreationTime);
  }
  const version = record.ModelPackage;
  if (version) {
    const name = version.ModelPackageArn?.split(':model-package/').pop();
    const [container] = version.InferenceSpecification?.Containers ?? [];
    return container ? made(name, container.Image, version.CreationTime) : null;
  }
  const job = record.TrainingJob;
  const image = job?.AlgorithmSpecification?.TrainingImage;
  return job ? made(job.TrainingJobName, image, job.CreationTime) : null;
}

function made(name = '', image = '', at = 0): ICandidate {
  return { name, image: imageName(image), at: 1000 * at };
}

interface ICandidate {
  name: string;
  image: string;
  at: number;
}

function Picker(props: {
  kind: keyof typeof PICKED;
  chosen: string;
  choose: (name: string) => void;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { kind } = props;
  const [filter, setFilter] = React.useState('');
  const { value } = useLive(
    signal => {
      const { resource, filters } = PICKED[kind];
      return searchNewest(client, resource, MOST, signal, filters);
    },
    event => event.type === 'resource' && event.Kind === PICKED[kind].kind,
    [client, kind]
  );
  const rows = React.useMemo(
    (): ICandidate[] =>
      (value?.records ?? []).flatMap(record => {
        const found = candidate(record);
        return found ? [found] : [];
      }),
    [value]
  );
  const shown = rows.filter(row =>
    `${row.name} ${row.image}`.toLowerCase().includes(filter.toLowerCase())
  );
  const columns: IColumn<ICandidate>[] = [
    {
      id: 'name',
      title: trans.__('Name'),
      width: 260,
      cell: row => <span title={row.name}>{row.name}</span>
    },
    {
      id: 'image',
      title: trans.__('Image'),
      width: 180,
      cell: row => <span>{row.image}</span>
    },
    {
      id: 'at',
      title: trans.__('Created'),
      width: 100,
      cell: row => <When at={row.at} />
    }
  ];
  const { label, none } = {
    model: {
      label: trans.__('Models'),
      none: trans.__('There is no model yet: deploy what a training job made.')
    },
    package: {
      label: trans.__('Approved versions'),
      none: trans.__('No version is approved: approve one on its group’s page.')
    },
    job: {
      label: trans.__('Completed training jobs'),
      none: trans.__('No training job has completed yet.')
    }
  }[kind];
  return (
    <>
      <div className="jp-StudioWizard-search">
        <input
          type="search"
          placeholder={trans.__('Search')}
          aria-label={trans.__('Search %1', label)}
          value={filter}
          onChange={event => setFilter(event.target.value)}
        />
        <span role="status">
          {trans.__('%1 of %2', shown.length, value?.total ?? 0)}
        </span>
      </div>
      <div className="jp-StudioWizard-picker">
        <Grid
          label={label}
          columns={columns}
          count={shown.length}
          row={index => shown[index]}
          keyOf={row => row.name}
          selected={new Set(props.chosen ? [props.chosen] : [])}
          onSelect={keys => {
            const name = [...keys].pop();
            if (name) {
              props.choose(name);
            }
          }}
          onOpen={row => props.choose(row.name)}
          empty={
            value && (
              <p className="jp-StudioConsole-hint">
                {rows.length ? trans.__('Nothing matches.') : none}
              </p>
            )
          }
        />
      </div>
    </>
  );
}

function DataSource(
  props: IStepProps & {
    choose: (source: ISource) => void;
    image: string | undefined;
  }
): React.JSX.Element {
  const studio = useStudio();
  const { client, trans } = studio;
  const { draft, change, choose, problem } = props;
  const uri = draft.source?.name ?? '';
  const algorithms =
    useLive(
      signal => client.call('studio', 'ListAlgorithms', {}, signal),
      () => false,
      [client]
    ).value?.Algorithms ?? [];
  const image = draft.image ?? props.image ?? '';
  const browse = async () => {
    const found = await pickS3(studio, {
      title: trans.__('The model.tar.gz to deploy'),
      start: uri || undefined
    });
    if (found) {
      choose({ kind: 'data', name: found });
    }
  };
  return (
    <>
      <Field
        label={trans.__('Artifact')}
        help={trans.__('An archive as training jobs write it: model.tar.gz')}
        error={uri ? undefined : problem('source')}
        required
      >
        {ids => (
          <span className="jp-StudioWizard-uri">
            <input
              {...ids}
              value={uri}
              placeholder={EXAMPLE}
              onChange={event =>
                choose({ kind: 'data', name: event.target.value.trim() })
              }
            />
            <button className="jp-StudioButton" onClick={() => void browse()}>
              {trans.__('Browse…')}
            </button>
          </span>
        )}
      </Field>
      <Field
        label={trans.__('Image')}
        help={trans.__('The algorithm that reads the archive')}
        error={problem('image')}
        required
      >
        {ids => (
          <select
            {...ids}
            value={image}
            onChange={event =>
              change({ image: event.target.value || undefined })
            }
          >
            <option value="">{trans.__('Choose…')}</option>
            {algorithms.map(each => (
              <option key={each.AlgorithmName} value={each.TrainingImage}>
                {`${each.DisplayName} (${imageName(each.TrainingImage)})`}
              </option>
            ))}
            {PORTABLE.map(each => (
              <option key={each} value={each}>
                {imageName(each)}
              </option>
            ))}
            {image &&
              !PORTABLE.includes(image) &&
              !algorithms.some(each => each.TrainingImage === image) && (
                <option value={image}>{imageName(image)}</option>
              )}
          </select>
        )}
      </Field>
    </>
  );
}

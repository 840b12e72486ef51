import React from 'react';

import type { ICall } from '../codegen';
import { copyAs } from '../codegen/copyas';
import { CommandButton, CommandLink } from '../components/actions';
import { Empty, Problem, Skeleton } from '../components/empty';
import { useArgs, useLive, useStudio } from '../components/hooks';
import { Copyable, Facts, Section, When } from '../components/parts';
import type { StudioView } from '../core/documents';
import { artifact, containers, imageName, jobOf } from '../core/lineage';
import { ApiError } from '../core/errors';
import { parseS3 } from '../core/s3';
import { CommandIDs, type IStudio } from '../tokens';
import type { sagemaker } from '../wire';
import { Endpoints } from './list';

interface IFound {
  model: sagemaker.DescribeModelOutput;
  endpoints: sagemaker.ModelDashboardEndpoint[];
  /** The training job that wrote the artifact, if it is still there. */
  job: string;
}

/** One model. */
export function ModelPage(props: { view: StudioView }): React.JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const [{ name }] = useArgs<{ name: string }>(props.view);
  const { value, error, refresh } = useLive(
    signal => load(studio, name, signal),
    event =>
      event.type === 'resource' &&
      (event.Kind === 'endpoint' ||
        (event.Kind === 'model' && event.Name === name)),
    [studio, name]
  );
  if (error instanceof ApiError && error.code === 'ValidationException') {
    return (
      <Empty
        title={trans.__('There is no model %1', name)}
        hint={trans.__(
          'It was deleted, or never made here. Endpoints that served it may go on.'
        )}
      >
        <CommandButton command={CommandIDs.openModels}>
          {trans.__('All models')}
        </CommandButton>
      </Empty>
    );
  }
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  return (
    <div className="jp-StudioPage">
      <div className="jp-StudioPage-header">
        <h1>{name}</h1>
        <div className="jp-StudioPage-actions">
          <button
            className="jp-StudioButton"
            onClick={() => void copyAs(studio, name, [creation(value.model)])}
          >
            {trans.__('Copy as…')}
          </button>
          <CommandButton
            command={CommandIDs.insertLoader}
            args={{ kind: 'model', name }}
          >
            {trans.__('Insert in notebook')}
          </CommandButton>
          <CommandButton
            command={CommandIDs.registerModel}
            args={{ model: name }}
          >
            {trans.__('Register…')}
          </CommandButton>
          <CommandButton
            command={CommandIDs.deleteModels}
            args={{ names: [name] }}
          >
            {trans.__('Delete')}
          </CommandButton>
          <CommandButton
            command={CommandIDs.newTransformJob}
            args={{ model: name }}
          >
            {trans.__('Transform files…')}
          </CommandButton>
          <CommandButton
            command={CommandIDs.deploy}
            args={{ model: name }}
            kind="accept"
          >
            {trans.__('Deploy…')}
          </CommandButton>
        </div>
      </div>
      <div className="jp-StudioPage-body">
        <Served endpoints={value.endpoints} name={name} />
        {containers(value.model).map((container, index) => (
          <Container key={index} container={container} job={value.job} />
        ))}
        <Section title={trans.__('Model')}>
          <Facts
            facts={[
              [
                trans.__('Created'),
                <When key="at" at={1000 * value.model.CreationTime} />
              ],
              [
                trans.__('Role'),
                <span key="role">{value.model.ExecutionRoleArn ?? '–'}</span>
              ],
              [
                trans.__('Network'),
                value.model.EnableNetworkIsolation
                  ? trans.__('isolated')
                  : trans.__('not isolated')
              ],
              ['ARN', <Copyable key="arn" text={value.model.ModelArn} />]
            ]}
          />
        </Section>
      </div>
    </div>
  );
}

function Served(props: {
  endpoints: sagemaker.ModelDashboardEndpoint[];
  name: string;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Section title={trans.__('Served by')}>
      {props.endpoints.length ? (
        <Endpoints of={props.endpoints} />
      ) : (
        <span>
          {trans.__('No endpoint serves it.')}{' '}
          <CommandLink command={CommandIDs.deploy} args={{ model: props.name }}>
            {trans.__('Deploy it')}
          </CommandLink>
        </span>
      )}
    </Section>
  );
}

function Container(props: {
  container: sagemaker.ContainerDefinition;
  job: string;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { container, job } = props;
  const uri = artifact(container);
  const at = parseS3(uri);
  const variables = Object.entries(container.Environment ?? {});
  return (
    <Section title={imageName(container.Image ?? trans.__('Container'))}>
      <Facts
        facts={[
          ...versionFact(container, trans),
          [
            trans.__('Training job'),
            job ? (
              <CommandLink
                key="job"
                command={CommandIDs.openJob}
                args={{ name: job }}
              >
                {job}
              </CommandLink>
            ) : (
              '–'
            )
          ],
          [
            trans.__('Artifact'),
            at ? (
              <span key="uri" className="jp-StudioModels-artifact">
                <CommandLink
                  command={CommandIDs.openObjects}
                  args={{
                    bucket: at.bucket,
                    prefix: at.key.replace(/[^/]*$/, '')
                  }}
                >
                  {uri}
                </CommandLink>
                <a href={client.s3Url(at.bucket, at.key)} download>
                  {trans.__('Download')}
                </a>
              </span>
            ) : (
              uri || '–'
            )
          ],
          [
            trans.__('Image'),
            <Copyable key="image" text={container.Image ?? ''} />
          ]
        ]}
      />
      {variables.length > 0 && (
        <table className="jp-StudioModels-environment">
          <caption>{trans.__('Environment')}</caption>
          <thead>
            <tr>
              <th scope="col">{trans.__('Variable')}</th>
              <th scope="col">{trans.__('Value')}</th>
            </tr>
          </thead>
          <tbody>
            {variables.map(([variable, value]) => (
              <tr key={variable}>
                <td>
                  <code>{variable}</code>
                </td>
                <td>{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

/** The version that the container was made of, if it was. */
function versionFact(
  { ModelPackageName: version }: sagemaker.ContainerDefinition,
  trans: IStudio['trans']
): [string, React.ReactNode][] {
  const [group, number] = (version?.split(':').pop() ?? '')
    .replace(/^model-package\//, '')
    .split('/');
  return version
    ? [
        [
          trans.__('Version'),
          <CommandLink
            key="version"
            command={CommandIDs.openModelGroup}
            args={{ name: group }}
          >
            {number ? `${group} ${number}` : group}
          </CommandLink>
        ]
      ]
    : [];
}

/** The call that makes such a model. */
function creation(described: sagemaker.DescribeModelOutput): ICall {
  const request: Partial<sagemaker.DescribeModelOutput> = { ...described };
  delete request.ModelArn;
  delete request.CreationTime;
  if (!request.EnableNetworkIsolation) {
    delete request.EnableNetworkIsolation;
  }
  return { operation: 'CreateModel', request };
}

async function load(
  { client }: IStudio,
  name: string,
  signal: AbortSignal
): Promise<IFound> {
  const filter = { Name: 'ModelName', Operator: 'Equals', Value: name };
  const [model, search] = await Promise.all([
    client.call('sagemaker', 'DescribeModel', { ModelName: name }, signal),
    client.call(
      'sagemaker',
      'Search',
      { Resource: 'Model', SearchExpression: { Filters: [filter] } },
      signal
    )
  ]);
  const [container] = containers(model);
  const uri = container ? artifact(container) : '';
  const job = jobOf(uri);
  const endpoints = search.Results?.[0]?.Model?.Endpoints ?? [];
  return { model, endpoints, job: (await wrote(client, job, uri)) ? job : '' };
}

/** Whether the job is still there, and is the one that wrote the artifact. */
async function wrote(
  client: IStudio['client'],
  job: string,
  uri: string
): Promise<boolean> {
  if (!job) {
    return false;
  }
  try {
    const found = await client.call('sagemaker', 'DescribeTrainingJob', {
      TrainingJobName: job
    });
    return found.ModelArtifacts.S3ModelArtifacts === uri;
  } catch (error) {
    if (error instanceof ApiError && error.status < 500) {
      return false;
    }
    throw error;
  }
}

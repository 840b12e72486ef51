import React from 'react';

import { carry, CommandButton, CommandLink } from '../components/actions';
import { Empty, Problem, Skeleton } from '../components/empty';
import { useArgs, useLive, useStudio } from '../components/hooks';
import { List, type IListArgs, type IListColumn } from '../components/list';
import { tone, When } from '../components/parts';
import type { StudioView } from '../core/documents';
import { artifact, containers, imageName, jobOf } from '../core/lineage';
import { openMenu } from '../core/menu';
import { searchNewest } from '../core/search';
import { CommandIDs } from '../tokens';
import type { sagemaker } from '../wire';

const MOST = 1000;

/** A model as the list shows it. */
export interface IModelRow {
  name: string;
  arn: string;
  image: string;
  job: string;
  endpoints: sagemaker.ModelDashboardEndpoint[];
  createdAt: number;
}

/** The rows of Search's records of models. */
export function modelRows(records: sagemaker.SearchRecord[]): IModelRow[] {
  return records.flatMap(({ Model: found }) => {
    const model = found?.Model;
    if (!model) {
      return [];
    }
    const [container] = containers(model);
    return [
      {
        name: model.ModelName ?? '',
        arn: model.ModelArn ?? '',
        image: imageName(container?.Image ?? ''),
        job: jobOf(container ? artifact(container) : ''),
        endpoints: found.Endpoints ?? [],
        createdAt: 1000 * (model.CreationTime ?? 0)
      }
    ];
  });
}

/** All models. */
export function ModelsPage(props: { view: StudioView }): React.JSX.Element {
  const { client, commands, trans } = useStudio();
  const [args, setArgs] = useArgs<IListArgs>(props.view);
  const [selected, setSelected] = React.useState<ReadonlySet<string>>(
    new Set()
  );
  const { value, error, refresh } = useLive(
    signal => searchNewest(client, 'Model', MOST, signal),
    event =>
      event.type === 'resource' &&
      (event.Kind === 'model' || event.Kind === 'endpoint'),
    [client]
  );
  const rows = React.useMemo(() => modelRows(value?.records ?? []), [value]);
  const columns = useColumns();
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  const chosen = rows.map(row => row.name).filter(name => selected.has(name));
  return (
    <List
      title={trans.__('Models')}
      label={trans.__('Models')}
      columns={columns}
      rows={rows}
      total={value.total}
      keyOf={row => row.name}
      text={searched}
      args={args}
      setArgs={setArgs}
      selected={selected}
      onSelect={setSelected}
      onOpen={row =>
        void commands.execute(CommandIDs.openModel, { name: row.name })
      }
      onDelete={() =>
        chosen.length &&
        void commands.execute(CommandIDs.deleteModels, { names: chosen })
      }
      onDragStart={(row, event) =>
        carry(event, { kind: 'model', name: row.name })
      }
      onContextMenu={(row, event) =>
        openMenu(
          commands,
          [
            { command: CommandIDs.openModel, args: { name: row.name } },
            { command: CommandIDs.deploy, args: { model: row.name } },
            {
              command: CommandIDs.newTransformJob,
              args: { model: row.name }
            },
            {
              command: CommandIDs.insertLoader,
              args: { kind: 'model', name: row.name }
            },
            null,
            {
              command: CommandIDs.deleteModels,
              args: { names: chosen.includes(row.name) ? chosen : [row.name] }
            }
          ],
          event
        )
      }
      actions={
        <>
          <CommandButton command={CommandIDs.openModelGroups}>
            {trans.__('Groups')}
          </CommandButton>
          <CommandButton
            command={CommandIDs.registerModel}
            args={chosen.length === 1 ? { model: chosen[0] } : {}}
            disabled={chosen.length !== 1}
          >
            {trans.__('Register…')}
          </CommandButton>
          <CommandButton
            command={CommandIDs.deleteModels}
            args={{ names: chosen }}
            disabled={!chosen.length}
          >
            {trans.__('Delete')}
          </CommandButton>
          <CommandButton
            command={CommandIDs.deploy}
            args={chosen.length === 1 ? { model: chosen[0] } : {}}
            kind="accept"
          >
            {trans.__('Deploy…')}
          </CommandButton>
        </>
      }
      empty={
        <Empty
          title={trans.__('No models yet')}
          hint={trans.__(
            'Train one, or deploy the model.tar.gz that you have: deploying makes the model.'
          )}
        >
          <CommandButton command={CommandIDs.newJob} kind="accept">
            {trans.__('New training job')}
          </CommandButton>
          <CommandButton command={CommandIDs.deploy}>
            {trans.__('Deploy a model')}
          </CommandButton>
        </Empty>
      }
    />
  );
}

function searched(row: IModelRow): string {
  const endpoints = row.endpoints.map(each => each.EndpointName).join(' ');
  return `${row.name} ${row.image} ${row.job} ${endpoints}`;
}

function useColumns(): IListColumn<IModelRow>[] {
  const { trans } = useStudio();
  return React.useMemo(
    () => [
      {
        id: 'name',
        title: trans.__('Name'),
        width: 210,
        value: row => row.name,
        cell: row => (
          <CommandLink
            command={CommandIDs.openModel}
            args={{ name: row.name }}
            title={row.name}
          >
            {row.name}
          </CommandLink>
        )
      },
      {
        id: 'endpoints',
        title: trans.__('Served by'),
        width: 200,
        value: row => row.endpoints.length,
        cell: row => <Endpoints of={row.endpoints} />
      },
      {
        id: 'image',
        title: trans.__('Image'),
        width: 190,
        value: row => row.image,
        cell: row => <span title={row.image}>{row.image}</span>
      },
      {
        id: 'job',
        title: trans.__('Training job'),
        width: 200,
        value: row => row.job,
        cell: row =>
          row.job ? (
            <CommandLink command={CommandIDs.openJob} args={{ name: row.job }}>
              {row.job}
            </CommandLink>
          ) : (
            <span>–</span>
          )
      },
      {
        id: 'created',
        title: trans.__('Created'),
        width: 100,
        value: row => row.createdAt,
        cell: row => <When at={row.createdAt} />
      }
    ],
    [trans]
  );
}

/** Links to endpoints, each with the sign of its status. */
export function Endpoints(props: {
  of: sagemaker.ModelDashboardEndpoint[];
}): React.JSX.Element {
  return props.of.length ? (
    <span className="jp-StudioModels-endpoints">
      {props.of.map(each => (
        <span key={each.EndpointName} className="jp-StudioStatus">
          <span
            className={`jp-StudioStatus-dot jp-mod-${tone(each.EndpointStatus)}`}
            role="img"
            aria-label={each.EndpointStatus}
            title={each.EndpointStatus}
          />
          <CommandLink
            command={CommandIDs.openEndpoint}
            args={{ name: each.EndpointName }}
          >
            {each.EndpointName}
          </CommandLink>
        </span>
      ))}
    </span>
  ) : (
    <span>–</span>
  );
}

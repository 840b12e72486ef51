import React from 'react';

import { carry, CommandButton, CommandLink } from '../components/actions';
import { Empty, Problem, Skeleton } from '../components/empty';
import { number } from '../components/format';
import { useArgs, useLive, useStudio } from '../components/hooks';
import { List, type IListArgs, type IListColumn } from '../components/list';
import { Status, When } from '../components/parts';
import type { StudioView } from '../core/documents';
import { openMenu } from '../core/menu';
import { searchNewest } from '../core/search';
import { CommandIDs } from '../tokens';
import type { sagemaker } from '../wire';
import { lately, type ILately } from './metrics';

const MOST = 1000;

/** An endpoint as the list shows it. */
export interface IEndpointRow {
  name: string;
  status: string;
  reason: string;
  variants: sagemaker.ProductionVariantSummary[];
  createdAt: number;
  lately?: ILately;
}

/** The rows of Search's records of endpoints. */
export function endpointRows(
  records: sagemaker.SearchRecord[]
): IEndpointRow[] {
  return records.flatMap(({ Endpoint: endpoint }) =>
    endpoint
      ? [
          {
            name: endpoint.EndpointName,
            status: endpoint.EndpointStatus,
            reason: endpoint.FailureReason ?? '',
            variants: endpoint.ProductionVariants ?? [],
            createdAt: 1000 * endpoint.CreationTime
          }
        ]
      : []
  );
}

/** All endpoints. */
export function EndpointsPage(props: { view: StudioView }): React.JSX.Element {
  const { client, commands, trans } = useStudio();
  const [args, setArgs] = useArgs<IListArgs>(props.view);
  const [selected, setSelected] = React.useState<ReadonlySet<string>>(
    new Set()
  );
  const { value, error, refresh } = useLive(
    signal => searchNewest(client, 'Endpoint', MOST, signal),
    event => event.type === 'resource' && event.Kind === 'endpoint',
    [client]
  );
  const found = React.useMemo(
    () => endpointRows(value?.records ?? []),
    [value]
  );
  const figures = useLive(
    signal =>
      lately(
        client,
        found.map(({ name, variants }) => ({
          name,
          variants: variants.map(each => each.VariantName)
        })),
        Date.now(),
        signal
      ),
    event => event.type === 'metrics' && event.Kind === 'endpoint',
    [client, found]
  ).value;
  const rows = React.useMemo(
    () => found.map(row => ({ ...row, lately: figures?.[row.name] })),
    [found, figures]
  );
  const columns = useColumns();
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  const chosen = rows.map(row => row.name).filter(name => selected.has(name));
  return (
    <List
      title={trans.__('Endpoints')}
      label={trans.__('Endpoints')}
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
        void commands.execute(CommandIDs.openEndpoint, { name: row.name })
      }
      onDelete={() =>
        chosen.length &&
        void commands.execute(CommandIDs.deleteEndpoints, { names: chosen })
      }
      onDragStart={(row, event) =>
        carry(event, { kind: 'endpoint', name: row.name })
      }
      onContextMenu={(row, event) =>
        openMenu(
          commands,
          [
            { command: CommandIDs.openEndpoint, args: { name: row.name } },
            { command: CommandIDs.deploy, args: { endpoint: row.name } },
            {
              command: CommandIDs.insertLoader,
              args: { kind: 'endpoint', name: row.name }
            },
            null,
            {
              command: CommandIDs.deleteEndpoints,
              args: { names: chosen.includes(row.name) ? chosen : [row.name] }
            }
          ],
          event
        )
      }
      actions={
        <>
          <CommandButton
            command={CommandIDs.deleteEndpoints}
            args={{ names: chosen }}
            disabled={!chosen.length}
          >
            {trans.__('Delete')}
          </CommandButton>
          <CommandButton command={CommandIDs.deploy} kind="accept">
            {trans.__('Deploy…')}
          </CommandButton>
        </>
      }
      empty={
        <Empty
          title={trans.__('No endpoints yet')}
          hint={trans.__(
            'An endpoint answers requests with a model. Deploy one that you have trained.'
          )}
        >
          <CommandButton command={CommandIDs.deploy} kind="accept">
            {trans.__('Deploy a model')}
          </CommandButton>
          <CommandButton command={CommandIDs.newJob}>
            {trans.__('New training job')}
          </CommandButton>
        </Empty>
      }
    />
  );
}

function searched(row: IEndpointRow): string {
  const variants = row.variants.map(each => each.VariantName).join(' ');
  return `${row.name} ${row.status} ${variants}`;
}

/** "depth-5 90 % · depth-3 10 %": the shares of the traffic. */
export function shares(variants: sagemaker.ProductionVariantSummary[]): string {
  const weights = variants.map(each => each.CurrentWeight ?? 1);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return variants
    .map(({ VariantName: name }, index) =>
      variants.length > 1 && sum > 0
        ? `${name} ${number(Math.round((1000 * weights[index]) / sum) / 10)} %`
        : name
    )
    .join(' · ');
}

function instances(row: IEndpointRow): number {
  return row.variants.reduce(
    (sum, each) => sum + (each.CurrentInstanceCount ?? 0),
    0
  );
}

function useColumns(): IListColumn<IEndpointRow>[] {
  const { trans } = useStudio();
  return React.useMemo(
    () => [
      {
        id: 'name',
        title: trans.__('Name'),
        width: 190,
        value: row => row.name,
        cell: row => (
          <CommandLink
            command={CommandIDs.openEndpoint}
            args={{ name: row.name }}
            title={row.name}
          >
            {row.name}
          </CommandLink>
        )
      },
      {
        id: 'status',
        title: trans.__('Status'),
        width: 110,
        value: row => row.status,
        cell: row => (
          <Status
            status={row.status}
            detail={row.status === 'Failed' ? row.reason : undefined}
          />
        )
      },
      {
        id: 'variants',
        title: trans.__('Variants'),
        width: 190,
        value: row => row.variants.length,
        cell: row => (
          <span title={shares(row.variants)}>{shares(row.variants)}</span>
        )
      },
      {
        id: 'instances',
        title: trans.__('Instances'),
        width: 95,
        numeric: true,
        value: instances,
        cell: row => (
          <span>
            {row.variants.some(each => each.CurrentServerlessConfig)
              ? trans.__('serverless')
              : instances(row)}
          </span>
        )
      },
      {
        id: 'requests',
        title: trans.__('Asked, 5 min'),
        width: 115,
        numeric: true,
        value: row => row.lately?.requests ?? 0,
        cell: row => <span>{number(row.lately?.requests ?? 0)}</span>
      },
      {
        id: 'errors',
        title: trans.__('Failed, 5 min'),
        width: 115,
        numeric: true,
        value: row => row.lately?.errors ?? 0,
        cell: row => <span>{number(row.lately?.errors ?? 0)}</span>
      },
      {
        id: 'p90',
        title: trans.__('p90'),
        width: 80,
        numeric: true,
        value: row => row.lately?.p90 ?? -1,
        cell: row => (
          <span>
            {row.lately?.p90 === undefined
              ? '–'
              : trans.__('%1 ms', number(row.lately.p90))}
          </span>
        )
      },
      {
        id: 'created',
        title: trans.__('Created'),
        width: 95,
        value: row => row.createdAt,
        cell: row => <When at={row.createdAt} />
      }
    ],
    [trans]
  );
}

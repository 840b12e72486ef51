import React from 'react';

import { CommandButton, CommandLink } from '../components/actions';
import { Empty, Problem, Skeleton } from '../components/empty';
import { useArgs, useLive, useStudio } from '../components/hooks';
import { List, type IListArgs, type IListColumn } from '../components/list';
import { When } from '../components/parts';
import type { Client } from '../core/client';
import type { StudioView } from '../core/documents';
import { openMenu } from '../core/menu';
import { searchNewest } from '../core/search';
import { CommandIDs } from '../tokens';
import { Approval } from './approval';
import { aliasesOf } from './versions';

const MOST = 1000;

/** A group as the list shows it. */
interface IRow {
  name: string;
  description: string;
  versions: number;
  latest: number;
  status: string;
  aliases: string;
  createdAt: number;
}

/** All groups of the registry. */
export function ModelGroupsPage(props: {
  view: StudioView;
}): React.JSX.Element {
  const { client, commands, trans } = useStudio();
  const [args, setArgs] = useArgs<IListArgs>(props.view);
  const [selected, setSelected] = React.useState<ReadonlySet<string>>(
    new Set()
  );
  const { value, error, refresh } = useLive(
    signal => groups(client, signal),
    event =>
      event.type === 'resource' &&
      (event.Kind === 'model-package-group' || event.Kind === 'model-package'),
    [client]
  );
  const columns = useColumns();
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  const chosen = value.rows
    .map(row => row.name)
    .filter(name => selected.has(name));
  const remove = (names: string[]) =>
    void commands.execute(CommandIDs.deleteModelGroups, { names });
  const open = (name: string) =>
    void commands.execute(CommandIDs.openModelGroup, { name });
  return (
    <List
      title={trans.__('Model groups')}
      label={trans.__('Model groups')}
      columns={columns}
      rows={value.rows}
      total={value.total}
      keyOf={row => row.name}
      text={row => `${row.name} ${row.description} ${row.aliases}`}
      args={args}
      setArgs={setArgs}
      selected={selected}
      onSelect={setSelected}
      onOpen={row => open(row.name)}
      onDelete={() => chosen.length && remove(chosen)}
      onContextMenu={(row, event) =>
        openMenu(
          commands,
          [
            { command: CommandIDs.openModelGroup, args: { name: row.name } },
            null,
            {
              command: CommandIDs.deleteModelGroups,
              args: { names: chosen.includes(row.name) ? chosen : [row.name] }
            }
          ],
          event
        )
      }
      actions={
        <>
          <CommandButton
            command={CommandIDs.deleteModelGroups}
            args={{ names: chosen }}
            disabled={!chosen.length}
          >
            {trans.__('Delete')}
          </CommandButton>
          <CommandButton command={CommandIDs.newModelGroup} kind="accept">
            {trans.__('New group…')}
          </CommandButton>
        </>
      }
      empty={
        <Empty
          title={trans.__('Nothing is registered yet')}
          hint={trans.__(
            'A group holds the versions of a model, and who approved them. Register… stands on the pages of training jobs and models.'
          )}
        >
          <CommandButton command={CommandIDs.newModelGroup} kind="accept">
            {trans.__('New group…')}
          </CommandButton>
          <CommandButton command={CommandIDs.openModels}>
            {trans.__('All models')}
          </CommandButton>
        </Empty>
      }
    />
  );
}

/** The groups with what their versions come to. */
async function groups(
  client: Client,
  signal: AbortSignal
): Promise<{ rows: IRow[]; total: number }> {
  const [found, versions] = await Promise.all([
    client.call(
      'studio',
      'QueryResources',
      { Kind: 'model-package-group', Limit: MOST },
      signal
    ),
    searchNewest(client, 'ModelPackage', MOST, signal)
  ]);
  const packages = versions.records.flatMap(each => each.ModelPackage ?? []);
  const rows = found.Rows.map(row => {
    const own = packages.filter(
      each => each.ModelPackageGroupName === row.Name
    );
    return {
      name: row.Name,
      description: row.Description ?? '',
      versions: own.length,
      latest: own[0]?.ModelPackageVersion ?? 0,
      status: own[0]?.ModelApprovalStatus ?? '',
      aliases: [...aliasesOf(row.Tags ?? [])]
        .flatMap(([number, names]) => names.map(it => `${it} ${number}`))
        .join(', '),
      createdAt: 1000 * row.CreationTime
    };
  });
  return { rows, total: found.Total };
}

function useColumns(): IListColumn<IRow>[] {
  const { trans } = useStudio();
  return React.useMemo(
    () => [
      {
        id: 'name',
        title: trans.__('Name'),
        width: 220,
        value: row => row.name,
        cell: row => (
          <CommandLink
            command={CommandIDs.openModelGroup}
            args={{ name: row.name }}
            title={[row.name, row.description].filter(Boolean).join('\n')}
          >
            {row.name}
          </CommandLink>
        )
      },
      {
        id: 'versions',
        title: trans.__('Versions'),
        width: 80,
        numeric: true,
        value: row => row.versions,
        cell: row => row.versions.toLocaleString()
      },
      {
        id: 'latest',
        title: trans.__('Latest'),
        width: 150,
        value: row => row.latest,
        cell: row =>
          row.latest ? (
            <span>
              {row.latest} <Approval status={row.status} />
            </span>
          ) : (
            <span>–</span>
          )
      },
      {
        id: 'aliases',
        title: trans.__('Aliases'),
        width: 200,
        value: row => row.aliases,
        cell: row => <span title={row.aliases}>{row.aliases || '–'}</span>
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

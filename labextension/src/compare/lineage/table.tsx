import React from 'react';

import { CommandLink } from '../../components/actions';
import { useStudio } from '../../components/hooks';
import { Copyable, Status, When } from '../../components/parts';
import { Scroll } from '../../components/scroll';
import type { Link, Vertex } from './classes';
import { nameOf, pageOf, typeOf } from './things';

const MOST_NAMED = 3;

/** The same as the graph says, in rows. */
export function TableTwin(props: {
  vertices: Vertex[];
  edges: Link[];
}): React.JSX.Element {
  const { trans } = useStudio();
  const { vertices, edges } = props;
  const names = new Map(vertices.map(it => [it.Arn, nameOf(it)]));
  const before = new Map<string, string[]>();
  for (const { SourceArn: from, DestinationArn: to } of edges) {
    const name = names.get(from);
    if (name !== undefined) {
      before.set(to, [...(before.get(to) ?? []), name]);
    }
  }
  const rows = [...vertices].sort((one, other) => one.Depth - other.Depth);
  return (
    <Scroll label={trans.__('Table of lineage')}>
      <table className="jp-StudioLineage-table">
        <thead>
          <tr>
            <th scope="col">{trans.__('Steps')}</th>
            <th scope="col">{trans.__('Type')}</th>
            <th scope="col">{trans.__('Name')}</th>
            <th scope="col">{trans.__('Directly from')}</th>
            <th scope="col">{trans.__('Status')}</th>
            <th scope="col">{trans.__('Source')}</th>
            <th scope="col">{trans.__('Created')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(thing => (
            <Row
              key={thing.Arn}
              thing={thing}
              before={before.get(thing.Arn) ?? []}
            />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Row(props: { thing: Vertex; before: string[] }): React.JSX.Element {
  const { trans } = useStudio();
  const { thing, before } = props;
  const page = pageOf(thing);
  const name = nameOf(thing);
  const rest = before.length - MOST_NAMED;
  const steps = Math.abs(thing.Depth).toLocaleString();
  return (
    <tr>
      <td className="jp-mod-numeric">
        {thing.Depth === 0
          ? trans.__('chosen')
          : thing.Depth < 0
            ? trans.__('%1 before', steps)
            : trans.__('%1 after', steps)}
      </td>
      <td>{typeOf(thing, trans)}</td>
      <th scope="row">
        {page ? (
          <CommandLink command={page[0]} args={page[1]}>
            {name}
          </CommandLink>
        ) : (
          name
        )}
      </th>
      <td title={before.join('\n')}>
        {before.slice(0, MOST_NAMED).join(', ')}
        {rest > 0 && trans.__(', and %1 more', rest.toLocaleString())}
      </td>
      <td>{thing.Status && <Status status={thing.Status} />}</td>
      <td>
        <Copyable text={thing.SourceUri ?? thing.Arn} />
      </td>
      <td>
        <When at={1000 * thing.CreationTime} />
      </td>
    </tr>
  );
}

import React from 'react';

import { CommandButton } from '../components/actions';
import { bytes } from '../components/format';
import { useStudio } from '../components/hooks';
import { Copyable, Status, When } from '../components/parts';
import { Scroll } from '../components/scroll';
import { CommandIDs } from '../tokens';
import type { studio } from '../wire';

/** The images that are built here from Dockerfiles. */
export function Own(props: {
  images: studio.OwnImage[];
  available: boolean;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Scroll label={trans.__('Images of Studio')}>
      <table className="jp-StudioImages-table">
        <thead>
          <tr>
            <th scope="col">{trans.__('Name')}</th>
            <th scope="col">{trans.__('Status')}</th>
            <th scope="col">{trans.__('URI')}</th>
            <th scope="col">{trans.__('Digest')}</th>
            <th scope="col">{trans.__('Size')}</th>
            <th scope="col">{trans.__('Built')}</th>
            <th scope="col">
              <span className="jp-StudioStatus-hidden">
                {trans.__('Actions')}
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {props.images.map(each => (
            <tr key={each.Name}>
              <th scope="row">{each.Name}</th>
              <td>
                <Status status={each.Built ? 'Built' : 'Not built'} />
              </td>
              <td>
                <Copyable text={each.Uri} />
              </td>
              <td>
                {each.Digest ? (
                  <Copyable
                    text={each.Digest}
                    label={each.Digest.slice(0, 19)}
                  />
                ) : (
                  '–'
                )}
              </td>
              <td>{each.Bytes === undefined ? '–' : bytes(each.Bytes)}</td>
              <td>
                <When at={each.CreationTime && 1000 * each.CreationTime} />
              </td>
              <td>
                <CommandButton
                  command={CommandIDs.buildImage}
                  args={{ name: each.Name }}
                  disabled={!props.available}
                >
                  {each.Built ? trans.__('Build again…') : trans.__('Build…')}
                </CommandButton>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

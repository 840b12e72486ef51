import React from 'react';

import { number } from '../components/format';
import { useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import { imageName } from '../core/lineage';
import { Approval } from './approval';
import { type IVersion, metricsOf } from './versions';

/** Versions side by side; of two of them how much each metric changed. */
export function Comparison(props: { versions: IVersion[] }): React.JSX.Element {
  const { trans } = useStudio();
  const versions = [...props.versions].sort((a, b) => a.number - b.number);
  const metrics = metricsOf(versions);
  const two = versions.length === 2;
  return (
    <Section title={trans.__('Compared')}>
      <div className="jp-StudioScroll">
        <table className="jp-StudioRegistry">
          <thead>
            <tr>
              <th scope="col">{trans.__('Metric')}</th>
              {versions.map(each => (
                <th key={each.number} scope="col" className="jp-mod-numeric">
                  {trans.__('Version %1', each.number)}
                </th>
              ))}
              {two && (
                <th scope="col" className="jp-mod-numeric">
                  {trans.__('Change')}
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {metrics.map(name => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {versions.map(each => (
                  <td key={each.number} className="jp-mod-numeric">
                    {name in each.metrics ? number(each.metrics[name]) : '–'}
                  </td>
                ))}
                {two && (
                  <td className="jp-mod-numeric">
                    {change(
                      versions[0].metrics[name],
                      versions[1].metrics[name]
                    )}
                  </td>
                )}
              </tr>
            ))}
            <tr>
              <th scope="row">{trans.__('Approval')}</th>
              {versions.map(each => (
                <td key={each.number} className="jp-mod-numeric">
                  <Approval status={each.status} />
                </td>
              ))}
              {two && <td />}
            </tr>
            <tr>
              <th scope="row">{trans.__('Image')}</th>
              {versions.map(each => (
                <td key={each.number} className="jp-mod-numeric">
                  {imageName(each.image)}
                </td>
              ))}
              {two && <td />}
            </tr>
          </tbody>
        </table>
      </div>
      {!metrics.length && (
        <p>
          {trans.__(
            'These versions have no metrics: their jobs printed none, and CustomerMetadataProperties and ModelMetrics have no numbers.'
          )}
        </p>
      )}
    </Section>
  );
}

function change(before: number | undefined, after: number | undefined): string {
  if (before === undefined || after === undefined) {
    return '–';
  }
  const by = after - before;
  return `${by > 0 ? '+' : ''}${number(by)}`;
}

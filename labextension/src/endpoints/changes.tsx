import React from 'react';

import { DeploymentSteps } from '../components/deployment';
import { duration, number, percent } from '../components/format';
import { useStudio } from '../components/hooks';
import { Section, When } from '../components/parts';
import { Scroll } from '../components/scroll';
import type { studio } from '../wire';
import { sizeOf } from './size';

/** What was done to an endpoint, and its servers, past and present. */
export function Changes(props: {
  deployment: studio.DescribeDeploymentResponse;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { deployment } = props;
  return (
    <div className="jp-StudioPage-body">
      <Section
        title={
          deployment.EndTime === undefined
            ? trans.__('Under way')
            : trans.__('The last change')
        }
      >
        <DeploymentSteps steps={deployment.Steps} />
      </Section>
      <Section title={trans.__('Changes')}>
        {deployment.Changes.length ? (
          <Past changes={deployment.Changes} />
        ) : (
          <p>{trans.__('None has ended yet.')}</p>
        )}
      </Section>
      <Section title={trans.__('Servers')}>
        <Servers servers={deployment.Servers} />
      </Section>
    </div>
  );
}

function Past(props: {
  changes: studio.DeploymentChange[];
}): React.JSX.Element {
  const { trans } = useStudio();
  const kinds: Record<string, string> = {
    Created: trans.__('Created'),
    Updated: trans.__('Updated'),
    Rescaled: trans.__('Weights and instances')
  };
  const outcomes: Record<string, [string, string]> = {
    Completed: ['good', trans.__('done')],
    RolledBack: ['warn', trans.__('undone')],
    Failed: ['bad', trans.__('failed')]
  };
  return (
    <Scroll label={trans.__('Table of changes')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('When')}</th>
            <th scope="col">{trans.__('What')}</th>
            <th scope="col">{trans.__('Outcome')}</th>
            <th scope="col">{trans.__('Took')}</th>
            <th scope="col">{trans.__('Configuration')}</th>
            <th scope="col">{trans.__('Variants')}</th>
          </tr>
        </thead>
        <tbody>
          {props.changes.map(change => (
            <tr key={change.StartTime}>
              <td>
                <When at={1000 * change.StartTime} />
              </td>
              <td>
                {kinds[change.Kind] ?? change.Kind}
                <Stages stages={change.Stages} />
              </td>
              <td title={change.Message}>
                <span className="jp-StudioStatus">
                  <span
                    className={`jp-StudioStatus-dot jp-mod-${outcomes[change.Outcome]?.[0]}`}
                    aria-hidden="true"
                  />
                  {outcomes[change.Outcome]?.[1] ?? change.Outcome}
                </span>
                {change.Message && (
                  <p className="jp-StudioChanges-message">{change.Message}</p>
                )}
              </td>
              <td>{duration(change.EndTime - change.StartTime)}</td>
              <td>{change.EndpointConfigName}</td>
              <td>
                {change.Variants.map(variant => (
                  <div key={variant.VariantName}>
                    {trans.__(
                      '%1: %2, weight %3, %4 × %5',
                      variant.Shadow
                        ? trans.__('%1 (shadow)', variant.VariantName)
                        : variant.VariantName,
                      variant.ModelName,
                      number(variant.Weight),
                      variant.InstanceCount,
                      sizeOf(variant, trans)
                    )}
                  </div>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** The shares that the new servers were given one after the other, if it was not all at once. */
function Stages(props: {
  stages: studio.RolloutStage[];
}): React.JSX.Element | null {
  const { trans } = useStudio();
  return props.stages.some(each => each.Share < 1) ? (
    <ol
      className="jp-StudioChanges-stages"
      aria-label={trans.__('Share of the new servers, stage by stage')}
    >
      {props.stages.map((stage, index) => (
        <li key={index}>
          <span
            className="jp-StudioChanges-bar"
            style={{ height: Math.max(22 * stage.Share, 1) }}
            aria-hidden="true"
          />
          <span
            title={
              stage.StartTime === undefined
                ? undefined
                : new Date(1000 * stage.StartTime).toLocaleString()
            }
          >
            {percent(stage.Share)}
          </span>
        </li>
      ))}
    </ol>
  ) : null;
}

const TONES: Record<string, string> = {
  Serving: 'good',
  Failed: 'bad',
  Lost: 'bad',
  Stopped: 'warn',
  Downloading: 'busy',
  Starting: 'busy',
  Pending: 'busy'
};

function Servers(props: { servers: studio.ModelServer[] }): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Scroll label={trans.__('Table of servers')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Variant')}</th>
            <th scope="col">{trans.__('Instance')}</th>
            <th scope="col">{trans.__('Deployment')}</th>
            <th scope="col">{trans.__('Status')}</th>
            <th scope="col">{trans.__('Started')}</th>
            <th scope="col">{trans.__('Until it served')}</th>
          </tr>
        </thead>
        <tbody>
          {props.servers.map(server => (
            <tr key={server.LogStreamName}>
              <td>{server.VariantName}</td>
              <td>{server.Number}</td>
              <td>{server.Generation}</td>
              <td title={server.Message}>
                <span className="jp-StudioStatus">
                  <span
                    className={`jp-StudioStatus-dot jp-mod-${TONES[server.Status] ?? 'none'}`}
                    aria-hidden="true"
                  />
                  {server.Status}
                </span>
              </td>
              <td>
                <When at={1000 * server.StartTime} />
              </td>
              <td>{untilServed(server)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function untilServed(server: studio.ModelServer): string {
  const served = server.Stages.find(stage => stage.Name === 'Serving');
  return served ? duration(served.StartTime - server.StartTime) : '–';
}

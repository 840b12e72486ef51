import React from 'react';

import { CommandLink } from '../components/actions';
import { number, percent } from '../components/format';
import { useStudio } from '../components/hooks';
import { Facts, Section, Status, When } from '../components/parts';
import { Scroll } from '../components/scroll';
import { parseS3 } from '../core/s3';
import { CommandIDs } from '../tokens';
import type { studio } from '../wire';

/** How the answers of shadows differ from those that clients got. */
export function Shadows(props: {
  shadows: studio.ShadowRecord[];
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <>
      {props.shadows.map(shadow => (
        <Section
          key={shadow.VariantName}
          title={trans.__('Shadow %1', shadow.VariantName)}
        >
          <Shadow shadow={shadow} />
        </Section>
      ))}
    </>
  );
}

function Shadow(props: { shadow: studio.ShadowRecord }): React.JSX.Element {
  const { trans } = useStudio();
  const { shadow } = props;
  if (!shadow.Compared && !shadow.Dropped) {
    return (
      <p>
        {trans.__(
          'It was asked nothing yet. It gets what clients ask, after their answers, and answers nobody.'
        )}
      </p>
    );
  }
  const share = (count: number) =>
    shadow.Compared
      ? trans.__('%1 (%2)', number(count), percent(count / shadow.Compared))
      : number(count);
  return (
    <>
      <Facts
        facts={[
          [trans.__('Compared'), number(shadow.Compared)],
          [trans.__('The same'), share(shadow.Same)],
          [trans.__('Different'), share(shadow.Different)],
          [trans.__('Failed'), share(shadow.Failed)],
          [trans.__('Not mirrored'), number(shadow.Dropped)],
          [trans.__('Largest difference'), number(shadow.LargestDifference)],
          [
            trans.__('Since'),
            <When
              key="since"
              at={shadow.Since === undefined ? undefined : 1000 * shadow.Since}
            />
          ]
        ]}
      />
      {shadow.Examples.length > 0 && (
        <Examples name={shadow.VariantName} examples={shadow.Examples} />
      )}
    </>
  );
}

function Examples(props: {
  name: string;
  examples: studio.ShadowExample[];
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Scroll label={trans.__('Differences of %1', props.name)}>
      <table className="jp-StudioExamples">
        <thead>
          <tr>
            <th scope="col">{trans.__('When')}</th>
            <th scope="col">{trans.__('Asked')}</th>
            <th scope="col">{trans.__('Answer')}</th>
            <th scope="col">{trans.__('Answer of the shadow')}</th>
            <th scope="col">{trans.__('Difference')}</th>
            <th scope="col">{trans.__('Latency')}</th>
          </tr>
        </thead>
        <tbody>
          {props.examples.map((each, index) => (
            <tr key={index}>
              <td title={each.InferenceId}>
                <When at={1000 * each.Time} />
              </td>
              <td>
                <code title={each.Input}>{each.Input}</code>
              </td>
              <td>
                <code title={each.Output}>{each.Output}</code>
              </td>
              <td>
                {each.Outcome === 'Failed' && (
                  <Status
                    status={
                      each.ShadowStatus
                        ? trans.__('Status %1', each.ShadowStatus)
                        : trans.__('No answer')
                    }
                    tone="bad"
                  />
                )}
                <code title={each.ShadowOutput}>{each.ShadowOutput}</code>
              </td>
              <td>
                {each.Difference === undefined ? '–' : number(each.Difference)}
              </td>
              <td>
                {trans.__(
                  '%1 ms, shadow %2 ms',
                  number(each.ModelLatency / 1000),
                  number(each.ShadowModelLatency / 1000)
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** What is captured of an endpoint's requests, and where it lies. */
export function Captured(props: {
  capture: studio.CaptureRecord;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { capture } = props;
  const { bucket, key: prefix } = parseS3(capture.S3Uri) ?? {};
  const at = (seconds: number | undefined) => (
    <When at={seconds === undefined ? undefined : 1000 * seconds} />
  );
  return (
    <Section title={trans.__('Captured data')}>
      {capture.Problem && (
        <div className="jp-StudioOutcome jp-mod-bad" role="alert">
          <strong>{trans.__('S3 refuses what was captured.')}</strong>
          <p>{capture.Problem}</p>
        </div>
      )}
      <Facts
        facts={[
          [
            trans.__('State'),
            <Status
              key="state"
              status={
                capture.CaptureStatus === 'Started'
                  ? trans.__('Started')
                  : trans.__('Stopped')
              }
              tone={capture.CaptureStatus === 'Started' ? 'good' : 'warn'}
              detail={trans.__(
                '%1 % of the requests',
                capture.SamplingPercentage
              )}
            />
          ],
          [
            trans.__('Folder'),
            <CommandLink
              key="folder"
              command={CommandIDs.openObjects}
              args={{ bucket, prefix }}
            >
              {capture.S3Uri}
            </CommandLink>
          ],
          [trans.__('Captured'), number(capture.Captured)],
          [trans.__('Dropped'), number(capture.Dropped)],
          [trans.__('The last'), at(capture.LastCaptureTime)],
          [trans.__('Objects stored'), number(capture.StoredObjects)],
          [trans.__('The last stored'), at(capture.LastStoreTime)]
        ]}
      />
    </Section>
  );
}

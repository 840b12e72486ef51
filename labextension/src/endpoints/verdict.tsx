import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { asked } from '../components/ask';
import { Problem } from '../components/empty';
import { number } from '../components/format';
import { useLive, useStudio } from '../components/hooks';
import { Section, Status, When } from '../components/parts';
import { Scroll } from '../components/scroll';
import { notifyError } from '../core/errors';
import { unique } from '../deploy/draft';
import type { studio } from '../wire';
import { Narrowing } from './narrowing';
import { VerdictActions } from './verdictactions';
import { fieldsFor, firstTest, type ITest, requestOf } from './verdictform';

type Test = studio.DescribeVariantTestResponse;
const TONES: Record<string, string> = {
  Running: 'busy',
  TreatmentWon: 'good',
  ControlWon: 'good',
  NoDifference: 'none',
  Inconclusive: 'warn',
  GuardrailViolated: 'bad',
  Stopped: 'warn'
};

/** The state of a test as people say it. */
function inWords(
  test: studio.VariantTestSummary,
  trans: TranslationBundle
): string {
  const words: Record<string, string> = {
    Running: trans.__('running'),
    TreatmentWon: trans.__('%1 won', test.TreatmentVariant),
    ControlWon: trans.__('%1 won', test.ControlVariant),
    NoDifference: trans.__('no difference that matters'),
    Inconclusive: trans.__('inconclusive'),
    GuardrailViolated: trans.__('a guardrail is violated'),
    Stopped: trans.__('stopped')
  };
  return words[test.VariantTestStatus] ?? test.VariantTestStatus;
}

interface IFound {
  tests: studio.VariantTestSummary[];
  /** The youngest. */
  shown?: Test;
}

/** Tests of two variants: the youngest in full, and how to begin another. */
export function Verdict(props: {
  endpoint: string;
  variants: studio.DeployedVariant[];
  ready: boolean;
}): React.JSX.Element | null {
  const studioOf = useStudio();
  const { client, trans } = studioOf;
  const { endpoint } = props;
  const { value, error, refresh } = useLive(
    async (signal): Promise<IFound> => {
      const { VariantTests: tests } = await client.call(
        'studio',
        'ListVariantTests',
        { EndpointName: endpoint },
        signal
      );
      const shown = tests.length
        ? await client.call(
            'studio',
            'DescribeVariantTest',
            { VariantTestName: tests[0].VariantTestName },
            signal
          )
        : undefined;
      return { tests, shown };
    },
    event => event.type === 'resource' && event.Kind === 'variant-test',
    [client, endpoint]
  );
  const able = props.variants.filter(each => !each.Shadow && each.Weight > 0);
  const running = value?.shown?.VariantTestStatus === 'Running';
  if (!value?.tests.length && able.length < 2) {
    return null;
  }
  const begin = async () => {
    const names = able.map(each => each.VariantName);
    const known = value?.tests.map(each => each.VariantTestName) ?? [];
    const wanted = await asked<ITest>(studioOf, {
      title: trans.__('Test which variant of %1 is better', endpoint),
      accept: trans.__('Start the test'),
      first: firstTest(unique(`${endpoint}-test`, known), names),
      fields: fieldsFor(names)
    });
    if (wanted) {
      await client
        .call('studio', 'CreateVariantTest', requestOf(endpoint, wanted))
        .catch(reason =>
          notifyError(trans.__('The test was not started'), reason)
        );
    }
  };
  return (
    <Section title={trans.__('A/B test')}>
      {!!error && !value && <Problem error={error} retry={refresh} />}
      {value?.shown ? (
        <Shown test={value.shown} />
      ) : (
        value && (
          <p>
            {trans.__(
              'None yet. A test says which of two variants is better, and may be looked at at any time.'
            )}
          </p>
        )
      )}
      {value && !running && able.length > 1 && (
        <div className="jp-StudioRollout-actions">
          <button
            className="jp-StudioButton"
            disabled={!props.ready}
            onClick={() => void begin()}
          >
            {trans.__('Start a test…')}
          </button>
        </div>
      )}
      {value && value.tests.length > 1 && (
        <Earlier tests={value.tests.slice(1)} />
      )}
    </Section>
  );
}

/** A test as it stands. */
function Shown(props: { test: Test }): React.JSX.Element {
  const { trans } = useStudio();
  const { test } = props;
  const status = test.VariantTestStatus;
  return (
    <div className="jp-StudioVerdict">
      <div
        className={`jp-StudioOutcome ${status === 'GuardrailViolated' ? 'jp-mod-bad' : ''}`}
        role="status"
      >
        <strong>{test.VariantTestName}</strong>{' '}
        <Status status={inWords(test, trans)} tone={TONES[status]} />
        <span>
          {test.EndTime === undefined
            ? trans.__(', begun')
            : trans.__(', ended')}{' '}
          <When at={1000 * (test.EndTime ?? test.CreationTime)} />
        </span>
        <p>{test.Summary}</p>
        {test.Decision && (
          <p>
            {trans.__(
              '%1 got the requests of both',
              test.Decision.Action === 'Promote'
                ? test.TreatmentVariant
                : test.ControlVariant
            )}{' '}
            <When at={1000 * test.Decision.Time} />.
          </p>
        )}
        {test.Action && <p>{trans.__('The weights are being changed.')}</p>}
        {test.Problem && <p>{test.Problem}</p>}
      </div>
      {test.Unbalanced && (
        <div className="jp-StudioOutcome jp-mod-bad" role="alert">
          <strong>{trans.__('The arms are not comparable.')}</strong>
          <p>
            {trans.__(
              'They did not get the requests, or the feedback, that their weights say: something loses them. Find out what before you trust the result.'
            )}
          </p>
        </div>
      )}
      <VerdictActions test={test} />
      {test.Series.length > 0 && <Narrowing test={test} />}
      <Arms test={test} />
      {test.Guardrails.length > 0 && <Guardrails test={test} />}
    </div>
  );
}

/** How both arms did. */
function Arms(props: { test: Test }): React.JSX.Element {
  const { trans } = useStudio();
  const { test } = props;
  const left = test.SamplesLeft;
  return (
    <>
      <Scroll label={trans.__('Table of the arms of the test')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{trans.__('Arm')}</th>
              <th scope="col">{trans.__('Requests')}</th>
              <th scope="col">{trans.__('Errors')}</th>
              <th scope="col">{trans.__('Feedback')}</th>
              <th scope="col">{meanTitle(test, trans)}</th>
            </tr>
          </thead>
          <tbody>
            {test.Arms.map(arm => (
              <tr key={arm.VariantName}>
                <th scope="row">
                  {arm.VariantName}{' '}
                  <span className="jp-StudioTraffic-shadow">
                    {arm.Role === 'Control'
                      ? trans.__('control')
                      : trans.__('treatment')}
                  </span>
                </th>
                <td>{number(arm.Requests)}</td>
                <td>{number(arm.Errors)}</td>
                <td>
                  {number(arm.Feedbacks)}
                  {arm.LateFeedbacks > 0 &&
                    ` ${trans.__('(%1 too late)', number(arm.LateFeedbacks))}`}
                </td>
                <td>{mean(test, arm)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p className="jp-StudioField-help">
        {left !== undefined && left > 0
          ? trans.__(
              '%1 values so far. About %2 more find a difference of %3 %, if there is one.',
              number(test.Samples),
              number(left),
              number(100 * test.MinimumEffect)
            )
          : trans.__('%1 values.', number(test.Samples))}
      </p>
    </>
  );
}

function meanTitle(test: Test, trans: TranslationBundle): string {
  switch (test.Metric) {
    case 'Conversion':
      return trans.__('Conversion');
    case 'Errors':
      return trans.__('Share of errors');
    case 'ModelLatency':
      return trans.__('Latency');
    default:
      return trans.__('Mean value');
  }
}

function mean(test: Test, arm: studio.VariantTestArm): string {
  if (arm.Mean === undefined) {
    return '–';
  }
  switch (test.Metric) {
    case 'Conversion':
    case 'Errors':
      return `${number(100 * arm.Mean)} %`;
    case 'ModelLatency':
      return `${number(arm.Mean / 1000)} ms`;
    default:
      return number(arm.Mean);
  }
}

function Guardrails(props: { test: Test }): React.JSX.Element {
  const { trans } = useStudio();
  const states: Record<string, [string, string]> = {
    Unknown: ['none', trans.__('not known yet')],
    Held: ['good', trans.__('held')],
    Violated: ['bad', trans.__('violated')]
  };
  return (
    <ul className="jp-StudioRollout-alarms" aria-label={trans.__('Guardrails')}>
      {props.test.Guardrails.map(each => (
        <li key={each.Metric}>
          <Status status={states[each.State][1]} tone={states[each.State][0]} />
          {trans.__(
            '%1 at most %2 % worse',
            each.Metric,
            number(100 * each.MaxWorsening)
          )}
        </li>
      ))}
    </ul>
  );
}

function Earlier(props: {
  tests: studio.VariantTestSummary[];
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <details>
      <summary>{trans.__('Earlier tests')}</summary>
      <ul className="jp-StudioVerdict-earlier">
        {props.tests.map(test => (
          <li key={test.VariantTestName}>
            <Status
              status={inWords(test, trans)}
              tone={TONES[test.VariantTestStatus]}
            />{' '}
            {trans.__(
              '%1: %2 against %3, %4',
              test.VariantTestName,
              test.TreatmentVariant,
              test.ControlVariant,
              test.Metric
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}

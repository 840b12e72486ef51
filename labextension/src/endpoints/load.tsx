import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { Problem } from '../components/empty';
import { Field } from '../components/form';
import { number } from '../components/format';
import { useLive, useNow, useStudio } from '../components/hooks';
import { Section, Status, When } from '../components/parts';
import { Scroll } from '../components/scroll';
import { base64Of } from '../core/base64';
import { confirmed } from '../core/confirm';
import { notifyError } from '../core/errors';
import type { studio } from '../wire';
import type { IRequest } from './console';
import { LoadCharts, milliseconds, percentiles } from './loadcharts';
import { broken, FIRST_LOAD, type ILoad, MOST, requestOf } from './loads';

/** Asks the endpoint again and again what the console holds, and draws how it bears that. */
export function LoadTest(props: {
  endpoint: string;
  request: IRequest;
  file: File | null;
  ready: boolean;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { endpoint, request, file, ready } = props;
  const [load, setLoad] = React.useState(FIRST_LOAD);
  const [busy, setBusy] = React.useState(false);
  const [shown, setShown] = React.useState('');
  const [beside, setBeside] = React.useState('');
  const { value, error, refresh } = useLive(
    signal =>
      client.call(
        'studio',
        'ListLoadTests',
        { EndpointName: endpoint },
        signal
      ),
    event => event.type === 'resource' && event.Kind === 'load-test',
    [client, endpoint]
  );
  const tests = value?.LoadTests ?? [];
  const running = tests.find(each => each.LoadTestStatus === 'InProgress');
  const chosen = tests.find(each => each.LoadTestName === shown) ?? tests[0];
  const start = async () => {
    if (!(await confirmed(...question(endpoint, load, trans)))) {
      return;
    }
    setBusy(true);
    try {
      const body = await base64Of(file ?? new Blob([request.body]));
      const begun = requestOf(endpoint, load, request, body, Date.now());
      await client.call('studio', 'StartLoadTest', begun);
      setShown(begun.LoadTestName);
      refresh();
    } catch (reason) {
      notifyError(trans.__('The load test did not begin'), reason);
    } finally {
      setBusy(false);
    }
  };
  const stop = async (LoadTestName: string) => {
    try {
      await client.call('studio', 'StopLoadTest', { LoadTestName });
      refresh();
    } catch (reason) {
      notifyError(trans.__('The load test was not stopped'), reason);
    }
  };
  return (
    <Section title={trans.__('Load test')} className="jp-StudioLoad">
      <p className="jp-StudioConsole-hint">
        {trans.__(
          'Sends the request above again and again, through the router and from the machine of Studio: what is measured has no network in it. Latency counts from when a request was due, so that a stall is charged for all whom it kept waiting.'
        )}
      </p>
      <LoadForm load={load} onChange={setLoad} />
      <div className="jp-StudioConsole-send">
        <button
          className="jp-StudioButton jp-mod-accept"
          disabled={busy || !ready || !!running || broken(load) !== null}
          onClick={() => void start()}
        >
          {trans.__('Start load test…')}
        </button>
        {running && (
          <>
            <button
              className="jp-StudioButton jp-mod-warn"
              onClick={() => void stop(running.LoadTestName)}
            >
              {trans.__('Stop load test')}
            </button>
            <Progress test={running} />
          </>
        )}
      </div>
      {error !== null && <Problem error={error} retry={refresh} />}
      {chosen ? (
        <>
          <Shown
            test={chosen}
            beside={tests.find(
              each =>
                each.LoadTestName === beside &&
                each.LoadTestName !== chosen.LoadTestName
            )}
          />
          <Kept
            tests={tests}
            shown={chosen.LoadTestName}
            beside={beside}
            onShow={setShown}
            onBeside={setBeside}
          />
        </>
      ) : (
        value && (
          <p className="jp-StudioConsole-hint">
            {trans.__('No load test of this endpoint yet.')}
          </p>
        )
      )}
    </Section>
  );
}

/** What is asked before a test begins. */
function question(
  endpoint: string,
  load: ILoad,
  trans: TranslationBundle
): [string, string, string] {
  return [
    trans.__('Send %1 to %2?', said(load, trans), endpoint),
    trans.__(
      'It is real traffic: it is counted in the metrics, kept where data are captured, copied to shadows, part of a test of variants that runs, and may make the endpoint scale.'
    ),
    trans.__('Start')
  ];
}

function said(load: ILoad, trans: TranslationBundle): string {
  return load.mode === 'rate'
    ? trans.__('%1 requests a second for %2 s', number(load.rate), load.seconds)
    : trans.__(
        'requests on %1 connections for %2 s',
        load.connections,
        load.seconds
      );
}

/** The load of a test in few words. */
function loadOf(
  test: studio.LoadTestSummary,
  trans: TranslationBundle
): string {
  const { RequestsPerSecond: rate, DurationInSeconds: seconds } = test;
  return rate
    ? trans.__('%1/s for %2 s', number(rate), seconds)
    : trans.__('%1 connections for %2 s', test.Connections, seconds);
}

function LoadForm(props: {
  load: ILoad;
  onChange: (load: ILoad) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { load } = props;
  const wrong = broken(load);
  const amount = (
    name: 'rate' | 'connections' | 'seconds',
    label: string,
    least: number
  ) => (
    <Field
      label={label}
      error={
        wrong === name
          ? trans.__('From %1 to %2', least, number(MOST[name]))
          : undefined
      }
    >
      {ids => (
        <input
          {...ids}
          type="number"
          min={least}
          max={MOST[name]}
          step={name === 'rate' ? 'any' : 1}
          value={load[name]}
          onChange={event =>
            props.onChange({ ...load, [name]: +event.target.value })
          }
        />
      )}
    </Field>
  );
  return (
    <div className="jp-StudioConsole-options">
      <Field label={trans.__('Load')}>
        {ids => (
          <select
            {...ids}
            value={load.mode}
            onChange={event =>
              props.onChange({
                ...load,
                mode: event.target.value as ILoad['mode']
              })
            }
          >
            <option value="rate">{trans.__('a rate of requests')}</option>
            <option value="connections">
              {trans.__('connections that wait for answers')}
            </option>
          </select>
        )}
      </Field>
      {load.mode === 'rate'
        ? amount('rate', trans.__('Requests a second'), 0.1)
        : amount('connections', trans.__('Connections'), 1)}
      {amount('seconds', trans.__('Seconds'), 1)}
    </div>
  );
}

function Progress(props: { test: studio.LoadTestSummary }): React.JSX.Element {
  const { trans } = useStudio();
  const { test } = props;
  const now = useNow(true);
  const share = (now / 1000 - test.CreationTime) / test.DurationInSeconds;
  return (
    <>
      <progress
        aria-label={trans.__('Progress of the load test')}
        max={1}
        value={Math.min(Math.max(share, 0), 1)}
      />
      <span>{trans.__('%1 answered', number(test.Answered))}</span>
    </>
  );
}

/** The figures of a test, and of another. */
function Shown(props: {
  test: studio.LoadTestSummary;
  beside: studio.LoadTestSummary | undefined;
}): React.JSX.Element | null {
  const { trans } = useStudio();
  const test = useLoadTest(props.test.LoadTestName);
  const other = useLoadTest(props.beside?.LoadTestName);
  if (!test) {
    return null;
  }
  const both = [
    { label: loadOf(test, trans), test },
    ...(other ? [{ label: loadOf(other, trans), test: other }] : [])
  ];
  if (both.length > 1 && both[0].label === both[1].label) {
    both[1].label = trans.__('%1 (compared)', both[1].label);
  }
  const wanted = test.RequestsPerSecond;
  const rate = number(Number(test.AnsweredPerSecond.toPrecision(3)));
  return (
    <>
      <p className="jp-StudioConsole-facts">
        <Status status={test.LoadTestStatus} detail={test.FailureReason} />
        <strong>{percentiles(test, trans)}</strong>
        <span>
          {wanted
            ? trans.__('%1 of %2 requests a second', rate, number(wanted))
            : trans.__('%1 requests a second', rate)}
        </span>
        {test.Latency && (
          <span>
            {trans.__('slowest %1 ms', milliseconds(test.Latency.Maximum))}
          </span>
        )}
      </p>
      {test.Errors.length > 0 && (
        <p role="alert">
          {trans.__(
            'Failed: %1. Send one request above to see what is said.',
            test.Errors.map(
              each => `${number(each.Count)} × ${each.Kind}`
            ).join(', ')
          )}
        </p>
      )}
      {test.GeneratorLag > 20 && (
        <p className="jp-StudioConsole-hint">
          {trans.__(
            'The machine was busy: the process that sends was late by up to %1 ms itself, and the latencies contain that.',
            milliseconds(test.GeneratorLag)
          )}
        </p>
      )}
      {both.length > 1 && (
        <p className="jp-StudioConsole-hint">
          {trans.__(
            'Solid lines: %1. Dotted: %2, %3.',
            both[0].label,
            both[1].label,
            percentiles(both[1].test, trans)
          )}
        </p>
      )}
      {test.Seconds.length > 0 && <LoadCharts tests={both} />}
    </>
  );
}

function useLoadTest(
  name: string | undefined
): studio.DescribeLoadTestResponse | undefined {
  const { client } = useStudio();
  return useLive(
    async signal =>
      name === undefined
        ? undefined
        : client.call(
            'studio',
            'DescribeLoadTest',
            { LoadTestName: name },
            signal
          ),
    event =>
      event.type === 'resource' &&
      event.Kind === 'load-test' &&
      event.Name === name,
    [client, name]
  ).value;
}

/** The last tests: one is shown, another compared with it. */
function Kept(props: {
  tests: studio.LoadTestSummary[];
  shown: string;
  beside: string;
  onShow: (name: string) => void;
  onBeside: (name: string) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { tests, shown, beside } = props;
  return (
    <Scroll label={trans.__('Table of load tests')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Load')}</th>
            <th scope="col">{trans.__('Begun')}</th>
            <th scope="col">{trans.__('Status')}</th>
            <th scope="col">{trans.__('Answered/s')}</th>
            <th scope="col">{trans.__('Failed')}</th>
            <th scope="col">{trans.__('p50, ms')}</th>
            <th scope="col">{trans.__('p99, ms')}</th>
            <th scope="col">{trans.__('Compare with')}</th>
          </tr>
        </thead>
        <tbody>
          {tests.map(test => {
            const name = test.LoadTestName;
            const { Latency: latency } = test;
            return (
              <tr key={name}>
                <th scope="row">
                  <button
                    className="jp-StudioLink"
                    aria-current={name === shown ? 'true' : undefined}
                    onClick={() => props.onShow(name)}
                  >
                    {loadOf(test, trans)}
                    {test.TargetVariant && `, ${test.TargetVariant}`}
                  </button>
                </th>
                <td>
                  <When at={1000 * test.CreationTime} />
                </td>
                <td>
                  <Status status={test.LoadTestStatus} />
                </td>
                <td>{number(Number(test.AnsweredPerSecond.toPrecision(3)))}</td>
                <td>{number(test.Failed)}</td>
                <td>{latency ? milliseconds(latency.P50) : '–'}</td>
                <td>{latency ? milliseconds(latency.P99) : '–'}</td>
                <td>
                  <input
                    type="checkbox"
                    aria-label={trans.__('Compare with %1', name)}
                    disabled={name === shown}
                    checked={name === beside && name !== shown}
                    onChange={event =>
                      props.onBeside(event.target.checked ? name : '')
                    }
                  />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

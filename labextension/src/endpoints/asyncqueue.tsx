import React from 'react';

import { CommandLink } from '../components/actions';
import { Empty, Problem, Skeleton } from '../components/empty';
import { Field } from '../components/form';
import { bytes, number } from '../components/format';
import { useLive, useStudio } from '../components/hooks';
import { Facts, Section, Status, When } from '../components/parts';
import { Scroll } from '../components/scroll';
import { notifyError } from '../core/errors';
import { parseS3 } from '../core/s3';
import { CommandIDs } from '../tokens';
import type { studio } from '../wire';

/** Which requests are shown. */
export interface IQueueFilter {
  status?: Row['Status'];
  shown?: number;
}

type Row = studio.AsyncInvocation;
type Act = (
  operation: 'RetryAsyncInvocation' | 'StopAsyncInvocation',
  row: Row
) => Promise<void>;

const PAGE = 50;
const PACE_MS = 2000;
const TONES: Record<Row['Status'], string> = {
  Waiting: 'none',
  InProgress: 'busy',
  Completed: 'good',
  Failed: 'bad',
  Stopped: 'none'
};

/** The requests of an endpoint that answers to S3. */
export function AsyncQueue(props: {
  endpoint: string;
  filter: IQueueFilter;
  onFilter: (filter: IQueueFilter) => void;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { endpoint, filter } = props;
  const shown = filter.shown ?? PAGE;
  const {
    value: fresh,
    error,
    refresh
  } = useLive(
    signal =>
      client.call(
        'studio',
        'ListAsyncInvocations',
        {
          EndpointName: endpoint,
          StatusEquals: filter.status,
          MaxResults: Math.min(shown, 500)
        },
        signal
      ),
    event =>
      (event.type === 'metrics' || event.type === 'resource') &&
      event.Kind === 'endpoint' &&
      event.Name === endpoint,
    [client, endpoint, filter.status, shown]
  );
  // What was found last stays while something else is looked for: so does the focus.
  const kept = React.useRef(fresh);
  kept.current = fresh ?? kept.current;
  const value = kept.current;
  const open = Boolean(value?.Waiting || value?.InProgress);
  // Events tell of metrics, which come late for who watches a request.
  React.useEffect(() => {
    const timer = open ? setInterval(refresh, PACE_MS) : undefined;
    return () => clearInterval(timer);
  }, [open, refresh]);
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  const act: Act = async (operation, row) => {
    try {
      await client.call('studio', operation, {
        EndpointName: endpoint,
        InvocationId: row.InvocationId
      });
    } catch (reason) {
      notifyError(trans.__('%1 stays as it is', row.InferenceId), reason);
    }
    refresh();
  };
  return (
    <div className="jp-StudioPage-body">
      <Section title={trans.__('Requests')}>
        <About found={value} />
        <Filter
          status={filter.status}
          onStatus={status => props.onFilter({ ...filter, status })}
        />
        {value.Invocations.length ? (
          <Table endpoint={endpoint} rows={value.Invocations} onAct={act} />
        ) : (
          <Empty
            title={
              filter.status
                ? trans.__('There is no such request')
                : trans.__('Nobody has asked yet')
            }
            hint={trans.__(
              'Ask with InvokeEndpointAsync: answers will lie below %1.',
              value.S3OutputPath
            )}
          />
        )}
        {value.NextToken && shown < 500 && (
          <button
            className="jp-StudioButton"
            onClick={() => props.onFilter({ ...filter, shown: 2 * shown })}
          >
            {trans.__('Show more')}
          </button>
        )}
      </Section>
    </div>
  );
}

function About(props: {
  found: studio.ListAsyncInvocationsResponse;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { found } = props;
  const most = found.Instances * found.MaxConcurrentInvocationsPerInstance;
  const oldest = found.OldestTime;
  return (
    <Facts
      facts={[
        [
          trans.__('Waiting'),
          found.Waiting && !found.Instances
            ? trans.__('%1, for an instance', number(found.Waiting))
            : number(found.Waiting)
        ],
        [
          trans.__('Being answered'),
          trans.__('%1 of %2 at once', number(found.InProgress), number(most))
        ],
        [
          trans.__('Oldest'),
          <When
            key="oldest"
            at={oldest === undefined ? undefined : 1000 * oldest}
          />
        ],
        [trans.__('Answered'), number(found.Completed)],
        [trans.__('Failed'), number(found.Failed)],
        [trans.__('Answers'), <Place key="out" uri={found.S3OutputPath} />],
        [
          trans.__('Failures'),
          found.S3FailurePath ? (
            <Place key="failures" uri={found.S3FailurePath} />
          ) : (
            trans.__('not stored')
          )
        ],
        [
          trans.__('Topics told'),
          <Told
            key="told"
            answers={found.SuccessTopic}
            failures={found.ErrorTopic}
          />
        ]
      ]}
    />
  );
}

function Told(props: {
  answers: string | undefined;
  failures: string | undefined;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { answers, failures } = props;
  if (!answers && !failures) {
    return <>{trans.__('none')}</>;
  }
  if (answers === failures) {
    return <span title={answers}>{topic(answers)}</span>;
  }
  return (
    <>
      {answers && (
        <span title={answers}>{trans.__('%1 of answers', topic(answers))}</span>
      )}
      {answers && failures && ', '}
      {failures && (
        <span title={failures}>
          {trans.__('%1 of failures', topic(failures))}
        </span>
      )}
    </>
  );
}

/** The name of a topic. */
function topic(arn: string | undefined): string {
  return arn?.split(':').pop() ?? '';
}

function Filter(props: {
  status: Row['Status'] | undefined;
  onStatus: (status: Row['Status'] | undefined) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <div className="jp-StudioConsole-options" role="search">
      <Field label={trans.__('State')}>
        {ids => (
          <select
            {...ids}
            value={props.status ?? ''}
            onChange={event => props.onStatus(event.target.value || undefined)}
          >
            <option value="">{trans.__('any')}</option>
            <option value="Waiting">{trans.__('waiting')}</option>
            <option value="InProgress">{trans.__('being answered')}</option>
            <option value="Completed">{trans.__('answered')}</option>
            <option value="Failed">{trans.__('failed')}</option>
            <option value="Stopped">{trans.__('taken back')}</option>
          </select>
        )}
      </Field>
    </div>
  );
}

function Table(props: {
  endpoint: string;
  rows: Row[];
  onAct: Act;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Scroll label={trans.__('Requests of %1', props.endpoint)}>
      <table className="jp-StudioExamples">
        <thead>
          <tr>
            <th scope="col">{trans.__('Request')}</th>
            <th scope="col">{trans.__('State')}</th>
            <th scope="col">{trans.__('Actions')}</th>
            <th scope="col">{trans.__('Came')}</th>
            <th scope="col">{trans.__('Waited')}</th>
            <th scope="col">{trans.__('Took')}</th>
            <th scope="col">{trans.__('Input')}</th>
            <th scope="col">{trans.__('Answer')}</th>
          </tr>
        </thead>
        <tbody>
          {props.rows.map(row => (
            <RequestRow key={row.InvocationId} row={row} onAct={props.onAct} />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function RequestRow(props: { row: Row; onAct: Act }): React.JSX.Element {
  const { trans } = useStudio();
  const { row } = props;
  const [busy, setBusy] = React.useState(false);
  const words: Record<Row['Status'], string> = {
    Waiting: trans.__('Waiting'),
    InProgress: trans.__('Being answered'),
    Completed: trans.__('Answered'),
    Failed: trans.__('Failed'),
    Stopped: trans.__('Taken back')
  };
  const act = async (operation: Parameters<Act>[0]) => {
    setBusy(true);
    await props.onAct(operation, row);
    setBusy(false);
  };
  const button = (label: string, operation: Parameters<Act>[0]) => (
    <button
      className="jp-StudioButton jp-mod-minimal"
      aria-label={`${label}: ${row.InferenceId}`}
      disabled={busy}
      onClick={() => void act(operation)}
    >
      {label}
    </button>
  );
  const place = row.OutputLocation ?? row.FailureLocation;
  return (
    <tr>
      <th scope="row">
        <code>{row.InferenceId}</code>
      </th>
      <td>
        <Status
          status={words[row.Status]}
          tone={TONES[row.Status]}
          detail={
            row.Attempts ? trans.__('attempt %1', row.Attempts + 1) : undefined
          }
        />
        {row.Reason && <p className="jp-StudioReplicas-unwell">{row.Reason}</p>}
        {row.Problem && (
          <p className="jp-StudioReplicas-unwell">{row.Problem}</p>
        )}
      </td>
      <td>
        {row.Status === 'Waiting' &&
          button(trans.__('Take back'), 'StopAsyncInvocation')}
        {row.Status === 'Failed' &&
          button(trans.__('Ask again'), 'RetryAsyncInvocation')}
      </td>
      <td>
        <When at={1000 * row.AcceptedTime} />
      </td>
      <td>{seconds(row.AcceptedTime, row.StartTime)}</td>
      <td>{seconds(row.StartTime, row.EndTime)}</td>
      <td>
        {row.InputLocation?.startsWith('s3://') ? (
          <Place short uri={row.InputLocation} />
        ) : (
          (row.InputLocation ?? trans.__('in the request'))
        )}
      </td>
      <td>
        {place ? <Place short uri={place} /> : '–'}
        {row.Size !== undefined && ` ${bytes(row.Size)}`}
      </td>
    </tr>
  );
}

/** An object, or what lies below a URI, in the S3 browser. */
export function Place(props: {
  uri: string;
  short?: boolean;
}): React.JSX.Element {
  const { bucket, key } = parseS3(props.uri) ?? { bucket: '', key: '' };
  return (
    <CommandLink
      command={CommandIDs.openObjects}
      args={{ bucket, prefix: key.slice(0, key.lastIndexOf('/') + 1) || key }}
    >
      <span title={props.uri}>{props.short ? shortened(key) : props.uri}</span>
    </CommandLink>
  );
}

function seconds(from: number | undefined, to: number | undefined): string {
  return from === undefined || to === undefined
    ? '–'
    : `${number(Math.max(0, to - from))} s`;
}

/** The name of an object, without its middle when it is long. */
function shortened(key: string): string {
  const name = key.slice(key.lastIndexOf('/') + 1);
  return name.length > 28 ? `${name.slice(0, 12)}…${name.slice(-12)}` : name;
}

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { duration, exact, number, relative } from '../components/format';
import type { IColumn } from '../components/grid';
import { Status } from '../components/parts';
import type { studio } from '../wire';
import { type IJobKind, textsOf, TRAINING } from './kinds';
import { algorithm, seconds } from './model';

const MOST_METRICS = 4;

/** The columns of the table; `now`, in milliseconds, is what times are measured by. */
export function columns(
  kind: IJobKind,
  trans: TranslationBundle,
  now: number
): IColumn<studio.ResourceRow>[] {
  const trains = kind === TRAINING;
  const every: IColumn<studio.ResourceRow>[] = [
    {
      id: 'name',
      title: trans.__('Name'),
      width: 230,
      sortable: true,
      cell: row => row.Name
    },
    {
      id: 'status',
      title: trans.__('Status'),
      width: 170,
      sortable: true,
      text: row => `${row.Status}: ${detail(row) ?? ''}`,
      cell: row => <Status status={row.Status} detail={detail(row)} />
    },
    {
      id: 'created',
      title: trans.__('Created'),
      width: 95,
      sortable: true,
      text: row => ago(row.CreationTime * 1000, now),
      cell: row => <Created at={row.CreationTime * 1000} now={now} />
    },
    {
      id: 'duration',
      title: textsOf(kind, trans).time,
      width: 115,
      sortable: true,
      numeric: true,
      cell: row => {
        const spent = seconds(row, now);
        return spent === undefined ? '–' : duration(spent);
      }
    },
    {
      id: 'metrics',
      title: trans.__('Metrics'),
      width: 240,
      cell: row => <Metrics row={row} />
    },
    {
      id: 'algorithm',
      title: trains ? trans.__('Algorithm') : trans.__('Image'),
      width: 180,
      cell: row => <span title={row.Image}>{algorithm(row.Image)}</span>
    },
    {
      id: 'instance',
      title: trans.__('Instances'),
      width: 130,
      cell: row =>
        (row.InstanceCount ?? 1) > 1
          ? `${row.InstanceCount} × ${row.InstanceType}`
          : (row.InstanceType ?? '')
    },
    {
      id: 'tags',
      title: trans.__('Tags'),
      width: 140,
      cell: row => <span title={tags(row, '\n')}>{tags(row, ', ')}</span>
    }
  ];
  return trains ? every : every.filter(each => each.id !== 'metrics');
}

/** Why a job failed or waits, or what it does. */
function detail(row: studio.ResourceRow): string | undefined {
  if (row.FailureReason) {
    return row.FailureReason;
  }
  if (row.SecondaryStatus === 'Pending') {
    return row.StatusMessage;
  }
  return row.SecondaryStatus === row.Status ? undefined : row.SecondaryStatus;
}

/** As `When`, without a clock in each of ten thousand rows. */
function Created(props: { at: number; now: number }): React.JSX.Element {
  const date = new Date(props.at);
  return (
    <time dateTime={date.toISOString()} title={exact(props.at)}>
      {ago(props.at, props.now)}
    </time>
  );
}

function ago(at: number, now: number): string {
  return relative(at, Math.max(now, at));
}

function Metrics(props: { row: studio.ResourceRow }): React.JSX.Element {
  const sorted = [...(props.row.Metrics ?? [])].sort(
    (one, other) => rank(one.MetricName) - rank(other.MetricName)
  );
  const texts = sorted.map(
    metric => `${metric.MetricName} ${number(metric.Value)}`
  );
  const rest = texts.length - MOST_METRICS;
  return (
    <span title={texts.join('\n')}>
      {texts.slice(0, MOST_METRICS).join(' · ')}
      {rest > 0 && ` +${rest}`}
    </span>
  );
}

/** What models are chosen by comes first, what only tells that work goes on comes last. */
function rank(metric: string): number {
  if (/progress|throughput/.test(metric)) {
    return 2;
  }
  return /^(validation|test):/.test(metric) ? 0 : 1;
}

function tags(row: studio.ResourceRow, between: string): string {
  return (row.Tags ?? []).map(tag => `${tag.Key}=${tag.Value}`).join(between);
}

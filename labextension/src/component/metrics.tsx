import React from 'react';

import { Problem, Skeleton } from '../components/empty';
import { number } from '../components/format';
import { useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import { Scroll } from '../components/scroll';
import { type IChartState, MetricCharts, SystemCharts } from '../job/charts';
import type { studio } from '../wire';
import { SYSTEM, useSeries } from './series';

const FEW_ROWS = 20;
/** Metrics that are drawn at once: more, nobody looks at together. */
const MOST_DRAWN = 60;

/** The metrics of a component: a summary of each, and their curves, live. */
export function Metrics(props: {
  component: studio.TrialComponentDetail;
  charts: IChartState;
  onCharts: (changes: IChartState) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { component } = props;
  const own = component.Metrics.filter(it => !it.MetricName.startsWith(SYSTEM));
  const system = component.Metrics.filter(it =>
    it.MetricName.startsWith(SYSTEM)
  );
  const start = 1000 * (component.StartTime ?? component.CreationTime);
  return (
    <>
      <Section title={trans.__('Metrics')}>
        {own.length === 0 ? (
          <p className="jp-StudioJob-none">
            {trans.__(
              'None yet. A program that runs as this component logs them: run.log_metric("loss", 0.5, step=1).'
            )}
          </p>
        ) : (
          <Curves {...props} metrics={own} start={start} />
        )}
      </Section>
      {own.length > 0 && <Summary metrics={own} />}
      {system.length > 0 && (
        <Section title={trans.__('System')}>
          <System component={component} metrics={system} start={start} />
        </Section>
      )}
    </>
  );
}

function Curves(props: {
  component: studio.TrialComponentDetail;
  metrics: studio.TrialComponentMetric[];
  start: number;
  charts: IChartState;
  onCharts: (changes: IChartState) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { metrics, charts } = props;
  const wanted = (charts.filter ?? '').toLowerCase();
  const curves = metrics.filter(it => it.Count > 1);
  const found = curves.filter(it =>
    it.MetricName.toLowerCase().includes(wanted)
  );
  const drawn = found.slice(0, MOST_DRAWN);
  const axis = charts.byTime ? 'Time' : 'Step';
  const { series, error, refresh } = useSeries(
    props.component.Name,
    drawn.map(it => it.MetricName),
    axis
  );
  if (curves.length === 0) {
    return (
      <p className="jp-StudioJob-none">
        {trans.__('Each has a single value: there is no curve to draw.')}
      </p>
    );
  }
  if (!series) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  return (
    <>
      <MetricCharts
        series={series}
        start={props.start}
        state={charts}
        onState={props.onCharts}
      />
      {drawn.length < found.length && (
        <p className="jp-StudioJob-none">
          {trans.__(
            '%1 of %2 metrics are drawn; filter to see others.',
            drawn.length,
            found.length
          )}
        </p>
      )}
    </>
  );
}

function System(props: {
  component: studio.TrialComponentDetail;
  metrics: studio.TrialComponentMetric[];
  start: number;
}): React.JSX.Element {
  const names = props.metrics.map(it => it.MetricName).slice(0, MOST_DRAWN);
  const { series, error, refresh } = useSeries(
    props.component.Name,
    names,
    'Time'
  );
  if (!series) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  return <SystemCharts series={series} start={props.start} />;
}

function Summary(props: {
  metrics: studio.TrialComponentMetric[];
}): React.JSX.Element {
  const { trans } = useStudio();
  const [filter, setFilter] = React.useState('');
  const [more, setMore] = React.useState(false);
  const wanted = filter.toLowerCase();
  const found = props.metrics.filter(it =>
    it.MetricName.toLowerCase().includes(wanted)
  );
  const shown = more ? found : found.slice(0, FEW_ROWS);
  return (
    <Section
      title={trans.__('Values')}
      actions={
        props.metrics.length > FEW_ROWS && (
          <input
            type="search"
            aria-label={trans.__('Filter values')}
            placeholder={trans.__('Filter')}
            value={filter}
            onChange={event => setFilter(event.target.value)}
          />
        )
      }
    >
      <Scroll label={trans.__('Table of metrics')}>
        <table className="jp-StudioComponent-values">
          <thead>
            <tr>
              <th scope="col">{trans.__('Metric')}</th>
              <th scope="col">{trans.__('Last')}</th>
              <th scope="col">{trans.__('Least')}</th>
              <th scope="col">{trans.__('Greatest')}</th>
              <th scope="col">{trans.__('Mean')}</th>
              <th scope="col">{trans.__('Deviation')}</th>
              <th scope="col">{trans.__('Values')}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(metric => (
              <Row key={metric.MetricName} metric={metric} />
            ))}
          </tbody>
        </table>
      </Scroll>
      {shown.length < found.length && (
        <div>
          <button className="jp-StudioButton" onClick={() => setMore(true)}>
            {trans.__('Show all (%1 of %2)', shown.length, found.length)}
          </button>
        </div>
      )}
    </Section>
  );
}

function Row(props: {
  metric: studio.TrialComponentMetric;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { metric } = props;
  const odd = metric.Count - metric.Finite;
  const count = metric.Count.toLocaleString();
  return (
    <tr>
      <th scope="row">{metric.MetricName}</th>
      <Cell
        value={metric.Last}
        step={metric.LastStep}
        missing={trans.__('not finite')}
      />
      <Cell value={metric.Minimum} step={metric.MinimumStep} />
      <Cell value={metric.Maximum} step={metric.MaximumStep} />
      <Cell value={metric.Mean} />
      <Cell value={metric.StdDev} />
      <td className="jp-mod-numeric">
        {odd > 0
          ? trans.__('%1, %2 not finite', count, odd.toLocaleString())
          : count}
      </td>
    </tr>
  );
}

/** A number; where it was, the step beside it. */
function Cell(props: {
  value: number | undefined;
  step?: number;
  missing?: string;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { value, step } = props;
  if (value === undefined) {
    return (
      <td className="jp-mod-numeric jp-StudioJob-none">
        {props.missing ?? '–'}
      </td>
    );
  }
  return (
    <td className="jp-mod-numeric" title={String(value)}>
      {number(value)}
      {step !== undefined && (
        <span className="jp-StudioComponent-step">
          {trans.__('step %1', step.toLocaleString())}
        </span>
      )}
    </td>
  );
}

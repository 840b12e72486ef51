import React from 'react';

import { Empty, Problem, Skeleton } from '../../components/empty';
import { useStudio } from '../../components/hooks';
import { useFields } from '../fields';
import { useComponents } from '../hooks';
import { useSettings } from '../settings';
import { Card } from './card';
import { boundFields, exampleSpec, specOf } from './custom';
import {
  type ChartKind,
  fieldsOf,
  type IChartState,
  type IScatterSettings
} from './settings';

/** The pane "Scatter": charts with a point, a box or a cell for components by their fields. */
export default function ScatterPane(): React.JSX.Element {
  const { trans } = useStudio();
  const [settings, change] = useSettings<IScatterSettings>('scatter');
  const parameters = useFields(['parameter'], { limit: 2 });
  const metrics = useFields(['metric'], { limit: 2 });
  const [first, second] = [parameters.fields, metrics.fields].map(fields =>
    fields.map(({ Field }) => Field)
  );
  const charts = settings.charts ?? automatic(first, second);
  const fields = [...new Set(charts.flatMap(wanted))];
  const { value, error, refresh } = useComponents(fields);
  if (error && !value) {
    return <Problem error={error} retry={refresh} />;
  }
  if (!value || (metrics.loading && !charts.length)) {
    return <Skeleton />;
  }
  const add = (kind: ChartKind) => {
    const [x = 'created_at', other] = first;
    const [y = 'duration'] = second;
    const chart: IChartState = {
      id: `chart-${Date.now().toString(36)}`,
      kind,
      x,
      y: kind === 'heatmap' || kind === 'contour' ? (other ?? 'duration') : y,
      z: y,
      ...(kind === 'custom' && { spec: exampleSpec(x, y) })
    };
    change({ charts: [...charts, chart] });
  };
  return (
    <div className="jp-StudioScatter">
      <div className="jp-StudioCharts-controls">
        <label>
          {trans.__('Add chart')}
          <select
            value=""
            onChange={event => add(event.target.value as ChartKind)}
          >
            <option value="" disabled>
              {trans.__('of which kind?')}
            </option>
            <option value="scatter">{trans.__('Scatter, bubbles')}</option>
            <option value="box">{trans.__('Boxes')}</option>
            <option value="bar">{trans.__('Bars of means')}</option>
            <option value="heatmap">{trans.__('Heat map')}</option>
            <option value="contour">{trans.__('Contours')}</option>
            <option value="importance">
              {trans.__('Importance of parameters')}
            </option>
            <option value="custom">{trans.__('Own Plotly chart')}</option>
          </select>
        </label>
        {settings.charts && (
          <button
            className="jp-StudioButton"
            onClick={() => change({ charts: undefined })}
          >
            {trans.__('Automatic charts')}
          </button>
        )}
      </div>
      {charts.length === 0 && (
        <Empty
          title={trans.__('No chart yet')}
          hint={trans.__(
            'Charts appear by themselves when components have parameters and metrics; add your own above.'
          )}
        />
      )}
      <div className="jp-StudioScatter-grid">
        {charts.map(chart => (
          <Card
            key={chart.id}
            chart={chart}
            components={value}
            onChange={(changes, merge) =>
              change(
                {
                  charts: charts.map(each =>
                    each.id === chart.id ? { ...each, ...changes } : each
                  )
                },
                merge
              )
            }
            onRemove={() =>
              change({ charts: charts.filter(each => each.id !== chart.id) })
            }
          />
        ))}
      </div>
    </div>
  );
}

/** What is shown before anything is chosen: a metric by the parameter that most have. */
function automatic(
  parameters: readonly string[],
  metrics: readonly string[]
): IChartState[] {
  const [metric] = metrics;
  const [x, other] = parameters;
  if (!metric || !x) {
    return [];
  }
  return [
    { id: 'auto-scatter', kind: 'scatter', x, y: metric, color: other },
    { id: 'auto-importance', kind: 'importance', y: metric }
  ];
}

function wanted(chart: IChartState): string[] {
  if (chart.kind === 'importance') {
    return [];
  }
  if (chart.kind === 'custom') {
    const { spec } = specOf(chart.spec ?? '');
    return spec ? boundFields(spec) : [];
  }
  return fieldsOf(chart);
}

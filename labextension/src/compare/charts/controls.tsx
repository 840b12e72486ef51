import React from 'react';

import { useStudio } from '../../components/hooks';
import { FieldPicker } from '../fields';
import type { IChartsSettings } from './settings';

type Settings = Partial<IChartsSettings>;

interface IControlProps {
  settings: Settings;
  change: (changes: Settings, merge?: string) => void;
}

/** What is said of all charts at once. */
export function Controls(
  props: IControlProps & { onAdd: () => void }
): React.JSX.Element {
  const { trans } = useStudio();
  const { settings, change } = props;
  return (
    <div
      className="jp-StudioCharts-controls"
      role="toolbar"
      aria-label={trans.__('Charts')}
    >
      <input
        type="search"
        aria-label={trans.__('Search metrics')}
        placeholder={trans.__('Search metrics')}
        value={settings.search ?? ''}
        onChange={event =>
          change({ search: event.target.value || undefined }, 'search')
        }
      />
      <Axis {...props} />
      <Smoothing {...props} />
      <Scales {...props} />
      <Groups {...props} />
      <button className="jp-StudioButton" onClick={props.onAdd}>
        {trans.__('Add chart')}
      </button>
      {settings.zoom && (
        <button
          className="jp-StudioButton"
          onClick={() => change({ zoom: undefined, heights: undefined })}
        >
          {trans.__('Reset zoom')}
        </button>
      )}
      <button
        className="jp-StudioButton"
        aria-pressed={settings.legend !== false}
        onClick={() =>
          change({ legend: settings.legend === false ? undefined : false })
        }
      >
        {trans.__('Legend')}
      </button>
    </div>
  );
}

function Axis({ settings, change }: IControlProps): React.JSX.Element {
  const { trans } = useStudio();
  const axis = settings.axis ?? 'step';
  return (
    <>
      <label>
        {trans.__('X axis')}
        <select
          value={axis}
          onChange={event =>
            // Another axis has other places: a zoom means nothing there.
            change({
              axis: event.target.value as IChartsSettings['axis'],
              zoom: undefined
            })
          }
        >
          <option value="step">{trans.__('Step')}</option>
          <option value="time">{trans.__('Time')}</option>
          <option value="relative">{trans.__('Time since the start')}</option>
          <option value="metric">{trans.__('A metric')}</option>
        </select>
      </label>
      {axis === 'metric' && (
        <FieldPicker
          label={trans.__('Metric')}
          whose="chosen"
          kinds={['metric']}
          value={settings.xMetric}
          named
          onChange={xMetric => change({ xMetric, zoom: undefined })}
        />
      )}
    </>
  );
}

function Smoothing({ settings, change }: IControlProps): React.JSX.Element {
  const { trans } = useStudio();
  const strength = settings.strength ?? 0;
  return (
    <>
      <label>
        {trans.__('Smoothing')}
        <input
          type="range"
          min={0}
          max={0.99}
          step={0.01}
          value={strength}
          onChange={event =>
            change({ strength: Number(event.target.value) }, 'strength')
          }
        />
        <output>{strength.toFixed(2)}</output>
      </label>
      {strength > 0 && (
        <select
          aria-label={trans.__('How lines are smoothed')}
          value={settings.smoothing ?? 'ema'}
          onChange={event =>
            change({
              smoothing: event.target.value as IChartsSettings['smoothing']
            })
          }
        >
          <option value="ema">{trans.__('moving average')}</option>
          <option value="gaussian">{trans.__('Gaussian')}</option>
        </select>
      )}
    </>
  );
}

const CLIPS = [0, 1, 5, 10];

function Scales({ settings, change }: IControlProps): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <>
      <label>
        <input
          type="checkbox"
          checked={!!settings.logX}
          onChange={event =>
            change({ logX: event.target.checked || undefined })
          }
        />
        {trans.__('log x')}
      </label>
      <label>
        <input
          type="checkbox"
          checked={!!settings.logY}
          onChange={event =>
            change({ logY: event.target.checked || undefined })
          }
        />
        {trans.__('log y')}
      </label>
      <label>
        {trans.__('Outliers')}
        <select
          value={settings.clip ?? 0}
          onChange={event =>
            change({ clip: Number(event.target.value) || undefined })
          }
        >
          {CLIPS.map(clip => (
            <option key={clip} value={clip}>
              {clip
                ? trans.__('cut %1 % at either end', clip)
                : trans.__('shown')}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

function Groups({ settings, change }: IControlProps): React.JSX.Element {
  const { trans } = useStudio();
  const pick = (
    label: string,
    field: 'colorBy' | 'dashBy' | 'panelBy',
    empty: string
  ) => (
    <FieldPicker
      label={label}
      whose="chosen"
      kinds={['parameter', 'tag', 'attribute']}
      value={settings[field]}
      empty={empty}
      onChange={chosen =>
        change({ [field]: chosen, hiddenGroups: undefined, solo: undefined })
      }
    />
  );
  return (
    <>
      {pick(trans.__('Colour'), 'colorBy', trans.__('each its own'))}
      {pick(trans.__('Dashes'), 'dashBy', trans.__('as colour'))}
      {pick(trans.__('Panels'), 'panelBy', trans.__('one a metric'))}
      {settings.colorBy && (
        <label>
          {trans.__('Groups')}
          <select
            value={settings.band ?? 'none'}
            onChange={event =>
              change({ band: event.target.value as IChartsSettings['band'] })
            }
          >
            <option value="none">{trans.__('all lines')}</option>
            <option value="interval">
              {trans.__('mean with 95 % interval')}
            </option>
            <option value="range">
              {trans.__('mean with least to greatest')}
            </option>
          </select>
        </label>
      )}
    </>
  );
}

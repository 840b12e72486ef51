import React from 'react';

import { useStudio } from '../../components/hooks';
import type { IChartsSettings } from './settings';

type Settings = Partial<IChartsSettings>;

const MOST = 200;

/** Asks for the metrics of a chart of its own. */
export function AddPanel(props: {
  metrics: readonly string[];
  settings: Settings;
  change: (changes: Settings) => void;
  onDone: () => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { metrics, settings, change, onDone } = props;
  const [chosen, setChosen] = React.useState<readonly string[]>([]);
  const [search, setSearch] = React.useState('');
  const found = metrics.filter(metric =>
    metric.toLowerCase().includes(search.toLowerCase())
  );
  const add = (event: React.FormEvent) => {
    event.preventDefault();
    const added = settings.added ?? [];
    const title = chosen.join(', ');
    const id = `own-${added.length + 1}-${title}`;
    change({ added: [...added, { id, title, metrics: [...chosen] }] });
    onDone();
  };
  return (
    <form
      className="jp-StudioCharts-add"
      aria-label={trans.__('Add chart')}
      onSubmit={add}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          onDone();
        }
      }}
    >
      <input
        type="search"
        autoFocus
        aria-label={trans.__('Search metrics')}
        placeholder={trans.__('Search metrics')}
        value={search}
        onChange={event => setSearch(event.target.value)}
      />
      <div
        className="jp-StudioCharts-choices"
        role="group"
        aria-label={trans.__('Metrics of the chart')}
      >
        {found.slice(0, MOST).map(metric => (
          <label key={metric}>
            <input
              type="checkbox"
              checked={chosen.includes(metric)}
              onChange={event =>
                setChosen(
                  event.target.checked
                    ? [...chosen, metric]
                    : chosen.filter(each => each !== metric)
                )
              }
            />
            {metric}
          </label>
        ))}
      </div>
      {found.length > MOST && (
        <p className="jp-StudioChart-note">
          {trans.__('%1 of %2 metrics: search for others', MOST, found.length)}
        </p>
      )}
      <button
        className="jp-StudioButton jp-mod-accept"
        disabled={!chosen.length}
      >
        {trans.__(
          'Add a chart of %1',
          chosen.length || trans.__('what is ticked')
        )}
      </button>
      <button type="button" className="jp-StudioButton" onClick={onDone}>
        {trans.__('Cancel')}
      </button>
    </form>
  );
}

import React from 'react';

import { CommandLink } from '../../components/actions';
import { Empty, Problem, Skeleton } from '../../components/empty';
import { useStudio } from '../../components/hooks';
import type { ILogState } from '../../components/log/state';
import { LogView, useLog } from '../../components/log/view';
import { Status } from '../../components/parts';
import { CommandIDs } from '../../tokens';
import type { studio } from '../../wire';
import { useDetails } from '../details';
import { useView } from '../hooks';
import { jobOf } from '../logname';
import { PickFirst } from '../pick';
import { paned } from '../state';
import type { IViewStore } from '../store';

/** Logs side by side: more are not asked for at once. */
const MOST_SHOWN = 6;

/** What is looked for in all logs at once. */
type ISearch = Pick<ILogState, 'query' | 'regex' | 'matchCase' | 'wrap'>;

/** The logs of what is chosen side by side, searched together. */
export default function LogsPane(props: {
  view: IViewStore;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { view } = props;
  const search = (useView(state => state.panes['logs']) ?? NOTHING) as ISearch;
  const { value, error, refresh } = useDetails();
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  if (!value.details.length) {
    return (
      <PickFirst title={trans.__('Nothing is chosen whose logs to show')} />
    );
  }
  const jobs = value.details.filter(detail => jobOf(detail));
  const shown = jobs.slice(0, MOST_SHOWN);
  const without = value.details.length - jobs.length;
  const set = (changes: ISearch) => view.change(paned('logs', changes), 'logs');
  return (
    <div className="jp-StudioLogs">
      <div className="jp-StudioDiff-bar">
        <input
          type="search"
          aria-label={trans.__('Search in all logs')}
          placeholder={trans.__('Search in all logs')}
          value={search.query ?? ''}
          onChange={event => set({ query: event.target.value || undefined })}
        />
        <label>
          <input
            type="checkbox"
            checked={!!search.regex}
            onChange={event => set({ regex: event.target.checked })}
          />{' '}
          {trans.__('Regular expression')}
        </label>
        <label>
          <input
            type="checkbox"
            checked={!!search.wrap}
            onChange={event => set({ wrap: event.target.checked })}
          />{' '}
          {trans.__('Wrap lines')}
        </label>
        <span role="status">
          {jobs.length > shown.length &&
            trans.__('%1 of %2 logs', shown.length, jobs.length)}{' '}
          {without > 0 &&
            shown.length > 0 &&
            trans._n(
              '%1 is of no training job and has no log',
              '%1 are of no training job and have no log',
              without
            )}
        </span>
      </div>
      {shown.length === 0 && (
        <Empty
          title={trans.__('None of them has a log')}
          hint={trans.__(
            'Training jobs keep what they print. These components were made by programs elsewhere.'
          )}
        />
      )}
      <div className="jp-StudioLogs-grid">
        {shown.map(detail => (
          <JobLog
            key={detail.Name}
            detail={detail}
            job={jobOf(detail)!}
            search={search}
            onSearch={set}
          />
        ))}
      </div>
    </div>
  );
}

const NOTHING: ISearch = {};

/** One log; where it stands is its own, what is looked for is that of all. */
function JobLog(props: {
  detail: studio.TrialComponentDetail;
  job: string;
  search: ISearch;
  onSearch: (changes: ISearch) => void;
}): React.JSX.Element {
  const { detail, job, search } = props;
  const [state, setState] = React.useState<ILogState>({});
  const model = useLog('training-job', job);
  const title = detail.DisplayName || detail.Name;
  const change = (changes: ILogState) => {
    const { query, regex, matchCase, wrap, ...own } = changes;
    const common = Object.fromEntries(
      Object.entries({ query, regex, matchCase, wrap }).filter(
        ([key]) => key in changes
      )
    );
    if (Object.keys(common).length) {
      props.onSearch(common);
    }
    setState(before => ({ ...before, ...own }));
  };
  return (
    <section aria-label={title}>
      <h3>
        <CommandLink command={CommandIDs.openJob} args={{ name: job }}>
          {title}
        </CommandLink>{' '}
        <Status status={detail.Status} />
      </h3>
      <LogView
        model={model}
        label={title}
        state={{ ...state, ...search }}
        onState={change}
        brief
      />
    </section>
  );
}

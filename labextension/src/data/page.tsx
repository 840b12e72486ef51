import React from 'react';

import { Problem, Skeleton } from '../components/empty';
import { bytes, number, percent } from '../components/format';
import { useArgs, useSignal, useStudio } from '../components/hooks';
import { type ITab, Tabs } from '../components/parts';
import type { StudioView } from '../core/documents';
import { notifyError } from '../core/errors';
import { CommandIDs } from '../tokens';
import { Builder } from './builder';
import { Changed } from './changed';
import { Columns } from './columns';
import { Compare } from './compare';
import { type IDataPage, PageContext, usePage } from './context';
import { useDrop } from './drop';
import { FigureCache } from './figure';
import { Overview, rowsText } from './overview';
import { ProfileModel } from './profile';
import { Reading } from './reading';
import { Relations } from './relations';
import { Rows } from './rows';
import { type IChosen, Start } from './start';
import { type IDataArgs, nameOf, sourceOf, type TabId } from './state';
import { Train } from './train';

/** Data visualization: one data set, looked at from six sides. */
export function DataPage({ view }: { view: StudioView }): React.JSX.Element {
  const [args, set] = useArgs<IDataArgs>(view);
  const { commands } = useStudio();
  const open = (chosen: IChosen) =>
    void commands.execute(CommandIDs.openData, { ...chosen });
  useDrop(view.node, chosen =>
    args.tab === 'compare' ? set({ other: chosen }) : open(chosen)
  );
  const [readings, reload] = React.useReducer((count: number) => count + 1, 0);
  const key = JSON.stringify(sourceOf(args));
  if (key === 'null') {
    const begin = (chosen: IChosen) => {
      open(chosen);
      view.parent?.dispose();
    };
    return <Start onChoose={begin} />;
  }
  return (
    <DataView
      key={`${readings} ${key}`}
      args={args}
      set={set}
      reload={reload}
    />
  );
}

function DataView(props: {
  args: IDataArgs;
  set: IDataPage['set'];
  reload: () => void;
}): React.JSX.Element {
  const page = useData(props.args, props.set);
  const { trans } = useStudio();
  const { args, set, profile } = page;
  const lazy = (content: () => React.JSX.Element) => () =>
    profile.data ? content() : <Skeleton lines={8} />;
  const tabs: (ITab & { id: TabId })[] = [
    {
      id: 'overview',
      label: trans.__('Overview'),
      content: () => <Overview />
    },
    {
      id: 'columns',
      label: trans.__('Columns'),
      content: lazy(() => <Columns />)
    },
    { id: 'rows', label: trans.__('Rows'), content: lazy(() => <Rows />) },
    {
      id: 'relations',
      label: trans.__('Relations'),
      content: lazy(() => <Relations />)
    },
    {
      id: 'charts',
      label: trans.__('Charts'),
      content: lazy(() => <Builder />)
    },
    { id: 'compare', label: trans.__('Compare'), content: () => <Compare /> },
    { id: 'train', label: trans.__('Train'), content: lazy(() => <Train />) }
  ];
  return (
    <PageContext.Provider value={page}>
      <div className="jp-StudioPage jp-StudioData">
        <Header reload={props.reload} />
        {profile.error !== null && (
          <Problem
            error={profile.error}
            retry={() => void profile.run(args.target)}
            what={trans.__('%1 could not be read.', nameOf(args))}
          />
        )}
        {(profile.error === null || profile.data) && (
          <Tabs
            label={trans.__('Sides of the data')}
            tabs={tabs}
            selected={args.tab ?? 'overview'}
            onSelect={tab => set({ tab: tab as TabId })}
          />
        )}
      </div>
    </PageContext.Provider>
  );
}

function useData(args: IDataArgs, set: IDataPage['set']): IDataPage {
  const { client, commands, trans } = useStudio();
  const key = JSON.stringify(sourceOf(args));
  const [profile, figures] = React.useMemo(
    () => [
      new ProfileModel(client, JSON.parse(key) as IDataPage['source']),
      new FigureCache()
    ],
    [client, key]
  );
  useSignal(profile.changed);
  React.useEffect(() => {
    void profile.run(args.target);
  }, [profile, args.target]);
  React.useEffect(() => () => profile.dispose(), [profile]);
  return {
    source: profile.source,
    args,
    set,
    profile,
    figures,
    insert: code =>
      void commands
        .execute(CommandIDs.insertCode, { code })
        .catch((error: unknown) =>
          notifyError(trans.__('The cell could not be inserted'), error)
        ),
    showRows: filters => set({ tab: 'rows', rows: { filters } }),
    showColumn: name =>
      set({
        tab: 'columns',
        columns: { ...args.columns, find: undefined, selected: name }
      }),
    addChart: spec => {
      const charts = [...(args.charts ?? []), { spec }];
      set({ tab: 'charts', charts, chart: charts.length - 1 });
    }
  };
}

function Header(props: { reload: () => void }): React.JSX.Element {
  const { trans, commands } = useStudio();
  const { args, profile, insert } = usePage();
  const { data } = profile;
  return (
    <>
      <div className="jp-StudioPage-header">
        <h1 title={args.uri ?? args.path}>{nameOf(args)}</h1>
        {data && (
          <span>
            {trans.__(
              '%1 rows × %2 columns, %3',
              rowsText(data, trans),
              number(data.columns.length),
              bytes(data.bytes)
            )}
          </span>
        )}
        <span className="jp-StudioPage-actions">
          <Reading />
          <button
            className="jp-StudioButton"
            title={trans.__('Read it anew, if it has changed')}
            onClick={props.reload}
          >
            {trans.__('Reload')}
          </button>
          {data && (
            <button
              className="jp-StudioButton"
              title={trans.__(
                'Put the code that reads this data into a notebook'
              )}
              onClick={() => insert(data.code)}
            >
              {trans.__('Insert loading cell')}
            </button>
          )}
          <button
            className="jp-StudioButton"
            onClick={() => void commands.execute(CommandIDs.copyLink)}
          >
            {trans.__('Copy link')}
          </button>
        </span>
      </div>
      <Changed uri={args.uri} reload={props.reload} />
      <Seen />
    </>
  );
}

/** How much of the data has been looked at: the "n of N" of the whole page. */
function Seen(): React.JSX.Element {
  const { trans } = useStudio();
  const { profile } = usePage();
  const { data, progress, running } = profile;
  const seen = !data
    ? ''
    : data.complete
      ? trans.__('All %1 rows were looked at.', number(data.rows_seen))
      : trans.__(
          'From a sample of %1 of %2 rows so far.',
          number(data.rows_seen),
          rowsText(data, trans)
        );
  // The line stays when all is done: tabs that jump are missed.
  return (
    <div className="jp-StudioData-seen" role="status">
      {running ? (
        <>
          <progress
            value={progress.progress}
            max={1}
            aria-label={trans.__('Progress')}
          />
          <span>
            {!data?.complete && seen}{' '}
            {trans.__(
              '%1 %2',
              progress.doing || trans.__('Starting…'),
              percent(progress.progress)
            )}
          </span>
        </>
      ) : (
        <span>{seen}</span>
      )}
    </div>
  );
}

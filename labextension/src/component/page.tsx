import { InputDialog } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import React from 'react';

import { carry, CommandButton } from '../components/actions';
import { Empty, Problem, Skeleton } from '../components/empty';
import { useArgs, useLive, useStudio } from '../components/hooks';
import { Status, Tabs, When } from '../components/parts';
import { Provenance } from '../components/provenance';
import { LineageGraph } from '../compare/lineage/graph';
import { COMPONENT } from '../compare/rows';
import type { StudioView } from '../core/documents';
import { notifyError } from '../core/errors';
import { queryOf } from '../experiments/model';
import type { IChartState } from '../job/charts';
import { CommandIDs } from '../tokens';
import type { studio } from '../wire';
import { Artifacts, ParameterList, Times, Trials } from './facts';
import { Metrics } from './metrics';
import { Note } from './note';
import { Tags } from './tags';

interface IComponentArgs {
  name: string;
  tab?: string;
  charts?: IChartState;
}

type Component = studio.TrialComponentDetail;
type Update = Omit<studio.UpdateTrialComponentsRequest, 'Names' | 'Query'>;

/** A trial component: everything about one. */
export function ComponentPage(props: {
  view: StudioView;
  rendermime: IRenderMimeRegistry;
}): React.JSX.Element {
  const [args, setArgs] = useArgs<IComponentArgs>(props.view);
  const { client, trans } = useStudio();
  const { name } = args;
  const { value, error, refresh } = useLive(
    signal =>
      client
        .call('studio', 'DescribeTrialComponents', { Names: [name] }, signal)
        .then(answer => answer.TrialComponents[0] ?? null),
    event =>
      (event.type === 'resource' || event.type === 'metrics') &&
      event.Kind === COMPONENT &&
      event.Name === name,
    [client, name]
  );
  // What was known stays in view when the component is deleted while somebody reads it.
  const last = React.useRef<Component | null>(null);
  last.current = value ?? (last.current?.Name === name ? last.current : null);
  const component = last.current;
  if (!component) {
    return value === null ? (
      <Gone name={name} />
    ) : error ? (
      <Problem
        error={error}
        what={trans.__('The trial component %1 could not be read.', name)}
        retry={refresh}
      />
    ) : (
      <Skeleton />
    );
  }
  const update = (changes: Update) =>
    updated(client, name, changes).catch((reason: unknown) => {
      notifyError(trans.__('%1 was not changed', name), reason);
      throw reason;
    });
  return (
    <div className="jp-StudioPage jp-StudioJob jp-StudioComponent">
      <Header component={component} gone={value === null} update={update} />
      <Tabs
        label={trans.__('Parts of the page')}
        selected={args.tab ?? 'overview'}
        onSelect={tab => setArgs({ tab })}
        tabs={[
          {
            id: 'overview',
            label: trans.__('Overview'),
            content: () => (
              <Overview
                component={component}
                gone={value === null}
                rendermime={props.rendermime}
                update={update}
                charts={args.charts ?? {}}
                onCharts={changes =>
                  setArgs({ charts: { ...args.charts, ...changes } })
                }
              />
            )
          },
          {
            id: 'lineage',
            label: trans.__('Lineage'),
            content: () => <LineageGraph arns={[component.Arn]} />
          },
          {
            id: 'provenance',
            label: trans.__('Provenance'),
            content: () => (
              <div className="jp-StudioJob-provenance">
                <Provenance arn={component.Arn} />
              </div>
            )
          }
        ]}
      />
    </div>
  );
}

function Gone(props: { name: string }): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Empty
      title={trans.__('There is no trial component %1.', props.name)}
      hint={trans.__('It was deleted, or it belongs to somebody else.')}
    >
      <CommandButton command={CommandIDs.openExperiments}>
        {trans.__('All experiments')}
      </CommandButton>
    </Empty>
  );
}

function Header(props: {
  component: Component;
  gone: boolean;
  update: (changes: Update) => Promise<void>;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { component, gone } = props;
  const { Name: name, Starred: starred, Color: color } = component;
  const rename = async () => {
    const title = component.DisplayName ?? name;
    const { value } = await InputDialog.getText({
      title: trans.__('Rename %1', title),
      label: trans.__('The name on screen. Code goes on using %1.', name),
      text: title,
      okLabel: trans.__('Rename')
    });
    const DisplayName = value?.trim();
    if (DisplayName && DisplayName !== title) {
      await props.update({ DisplayName }).catch(() => undefined);
    }
  };
  return (
    <>
      <div className="jp-StudioPage-header">
        <button
          className="jp-StudioButton jp-mod-minimal jp-StudioComponent-star"
          aria-pressed={starred}
          aria-label={trans.__('Star')}
          title={starred ? trans.__('Remove the star') : trans.__('Star')}
          disabled={gone}
          onClick={() =>
            void props.update({ Starred: !starred }).catch(() => undefined)
          }
        >
          {starred ? '★' : '☆'}
        </button>
        {color && (
          <span
            className="jp-StudioComponent-color"
            style={{ background: color }}
            title={trans.__('Its colour in charts: %1', color)}
          />
        )}
        <h1
          draggable
          title={trans.__('Drag into a notebook to load it there')}
          onDragStart={event => carry(event, { kind: 'component', name })}
        >
          {component.DisplayName}
        </h1>
        {component.Status && <Status status={component.Status} />}
        <span className="jp-StudioJob-none">
          <When at={1000 * component.CreationTime} />
        </span>
        <div className="jp-StudioPage-actions">
          <CommandButton
            kind="accept"
            command={CommandIDs.compare}
            args={comparison(component)}
          >
            {trans.__('Compare')}
          </CommandButton>
          <CommandButton
            command={CommandIDs.insertLoader}
            args={{ kind: 'component', name }}
          >
            {trans.__('Insert in notebook')}
          </CommandButton>
          <CommandButton command={CommandIDs.copyLink}>
            {trans.__('Copy link')}
          </CommandButton>
          <button
            className="jp-StudioButton"
            disabled={gone}
            onClick={() => void rename()}
          >
            {trans.__('Rename')}
          </button>
          <CommandButton
            command={CommandIDs.deleteComponents}
            args={{ names: [name] }}
            disabled={gone}
          >
            {trans.__('Delete')}
          </CommandButton>
        </div>
      </div>
      {gone && (
        <p className="jp-StudioJob-gone" role="status">
          {trans.__(
            'This trial component was deleted; what is shown is what was known.'
          )}
        </p>
      )}
    </>
  );
}

function Overview(props: {
  component: Component;
  gone: boolean;
  rendermime: IRenderMimeRegistry;
  update: (changes: Update) => Promise<void>;
  charts: IChartState;
  onCharts: (changes: IChartState) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { component } = props;
  return (
    <div className="jp-StudioJob-overview">
      <div className="jp-StudioJob-main">
        <Note
          note={component.Note}
          rendermime={props.rendermime}
          onSave={note => props.update({ Note: note })}
        />
        <Metrics
          component={component}
          charts={props.charts}
          onCharts={props.onCharts}
        />
      </div>
      <aside className="jp-StudioJob-side">
        <Times component={component} />
        <Trials component={component} />
        <ParameterList component={component} />
        <Artifacts
          title={trans.__('Inputs')}
          artifacts={component.InputArtifacts}
        />
        <Artifacts
          title={trans.__('Outputs')}
          artifacts={component.OutputArtifacts}
        />
        <Tags arn={component.Arn} tags={component.Tags} disabled={props.gone} />
      </aside>
    </div>
  );
}

/** A view of its experiment in which it is chosen; of nothing else when it belongs to none. */
function comparison(component: Component): {
  query?: string;
  selection: string[];
} {
  const [parent] = component.Trials;
  return {
    ...(parent && {
      query: queryOf(parent.ExperimentName)
    }),
    selection: [component.Name]
  };
}

async function updated(
  client: ReturnType<typeof useStudio>['client'],
  name: string,
  changes: Update
): Promise<void> {
  const request = { Names: [name], ...changes };
  const { Errors: errors } = await client.call(
    'studio',
    'UpdateTrialComponents',
    request
  );
  if (errors.length) {
    throw new Error(errors[0].Message);
  }
}

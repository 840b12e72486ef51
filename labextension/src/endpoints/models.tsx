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

/** Which models are shown, and in which order. */
export interface IFilter {
  name?: string;
  status?: studio.EndpointModel['Status'];
  sort?: NonNullable<studio.ListEndpointModelsRequest['SortBy']>;
  shown?: number;
}

type Row = studio.EndpointModel;

const PAGE = 50;
const TONES: Record<studio.EndpointModel['Status'], string> = {
  Loaded: 'good',
  Loading: 'busy',
  NotLoaded: 'none',
  Missing: 'bad'
};

/** The models of a variant that has many: those in S3, and which of them are loaded. */
export function Models(props: {
  endpoint: string;
  variant: string;
  filter: IFilter;
  onFilter: (filter: IFilter) => void;
  onTest: (model: string) => void;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { endpoint, variant, filter } = props;
  const shown = filter.shown ?? PAGE;
  const {
    value: fresh,
    error,
    refresh
  } = useLive(
    signal =>
      client.call(
        'studio',
        'ListEndpointModels',
        {
          EndpointName: endpoint,
          VariantName: variant,
          NameContains: filter.name,
          StatusEquals: filter.status,
          SortBy: filter.sort,
          MaxResults: shown
        },
        signal
      ),
    event =>
      (event.type === 'metrics' || event.type === 'resource') &&
      event.Kind === 'endpoint' &&
      event.Name === endpoint,
    [client, endpoint, variant, filter.name, filter.status, filter.sort, shown]
  );
  // What was found last stays while something else is looked for: so does the focus.
  const kept = React.useRef(fresh);
  kept.current = fresh ?? kept.current;
  const value = kept.current;
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  const act = async (
    operation: 'LoadEndpointModel' | 'UnloadEndpointModel' | 'PinEndpointModel',
    row: Row
  ) => {
    try {
      await client.call('studio', operation, {
        EndpointName: endpoint,
        VariantName: variant,
        TargetModel: row.TargetModel,
        ...(operation === 'PinEndpointModel' ? { Pinned: !row.Pinned } : {})
      });
    } catch (reason) {
      notifyError(trans.__('%1 stays as it is', row.TargetModel), reason);
    }
    refresh();
  };
  return (
    <div className="jp-StudioPage-body">
      <Section title={trans.__('Models')}>
        <About found={value} />
        <Filters filter={filter} onFilter={props.onFilter} />
        {value.Models.length ? (
          <Table
            endpoint={endpoint}
            rows={value.Models}
            replicas={value.Replicas}
            onAct={act}
            onTest={props.onTest}
          />
        ) : (
          <Empty
            title={trans.__('No model is here')}
            hint={trans.__(
              'Put archives below %1, or change what is looked for.',
              value.S3Uri
            )}
          />
        )}
        {value.NextToken && (
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
  found: studio.ListEndpointModelsResponse;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { found } = props;
  const { bucket, key: prefix } = parseS3(found.S3Uri) ?? {};
  return (
    <Facts
      facts={[
        [
          trans.__('Folder'),
          <CommandLink
            key="folder"
            command={CommandIDs.openObjects}
            args={{ bucket, prefix }}
          >
            {found.S3Uri}
          </CommandLink>
        ],
        [trans.__('Models'), number(found.Total)],
        [trans.__('Loaded'), number(found.Loaded)],
        [trans.__('Instances'), number(found.Replicas)]
      ]}
    />
  );
}

function Filters(props: {
  filter: IFilter;
  onFilter: (filter: IFilter) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { filter, onFilter } = props;
  return (
    <div className="jp-StudioConsole-options" role="search">
      <Field label={trans.__('Name contains')}>
        {ids => (
          <input
            {...ids}
            type="search"
            value={filter.name ?? ''}
            onChange={event =>
              onFilter({ ...filter, name: event.target.value || undefined })
            }
          />
        )}
      </Field>
      <Field label={trans.__('State')}>
        {ids => (
          <select
            {...ids}
            value={filter.status ?? ''}
            onChange={event =>
              onFilter({
                ...filter,
                status: event.target.value || undefined
              })
            }
          >
            <option value="">{trans.__('any')}</option>
            <option value="Loaded">{trans.__('loaded')}</option>
            <option value="NotLoaded">{trans.__('not loaded')}</option>
            <option value="Missing">{trans.__('not in S3')}</option>
          </select>
        )}
      </Field>
      <Field label={trans.__('Order')}>
        {ids => (
          <select
            {...ids}
            value={filter.sort ?? 'Name'}
            onChange={event =>
              onFilter({
                ...filter,
                sort: event.target.value
              })
            }
          >
            <option value="Name">{trans.__('by name')}</option>
            <option value="LastUsedTime">{trans.__('last used first')}</option>
            <option value="Invocations">{trans.__('most asked first')}</option>
            <option value="Size">{trans.__('largest first')}</option>
          </select>
        )}
      </Field>
    </div>
  );
}

type Act = (
  operation: 'LoadEndpointModel' | 'UnloadEndpointModel' | 'PinEndpointModel',
  row: Row
) => Promise<void>;

function Table(props: {
  endpoint: string;
  rows: Row[];
  replicas: number;
  onAct: Act;
  onTest: (model: string) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Scroll label={trans.__('Models of %1', props.endpoint)}>
      <table className="jp-StudioExamples">
        <thead>
          <tr>
            <th scope="col">{trans.__('Model')}</th>
            <th scope="col">{trans.__('State')}</th>
            <th scope="col">{trans.__('Size')}</th>
            <th scope="col">{trans.__('Memory')}</th>
            <th scope="col">{trans.__('Invocations')}</th>
            <th scope="col">{trans.__('Last used')}</th>
            <th scope="col">{trans.__('Actions')}</th>
          </tr>
        </thead>
        <tbody>
          {props.rows.map(row => (
            <ModelRow key={row.TargetModel} row={row} {...props} />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function ModelRow(props: {
  row: Row;
  replicas: number;
  onAct: Act;
  onTest: (model: string) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { row, replicas } = props;
  const [busy, setBusy] = React.useState(false);
  const words: Record<studio.EndpointModel['Status'], string> = {
    Loaded:
      replicas > 1
        ? trans.__('Loaded (%1 of %2)', row.LoadedReplicas, replicas)
        : trans.__('Loaded'),
    Loading: trans.__('Loading'),
    NotLoaded: trans.__('Not loaded'),
    Missing: trans.__('Not in S3')
  };
  const act = async (operation: Parameters<Act>[0]) => {
    setBusy(true);
    await props.onAct(operation, row);
    setBusy(false);
  };
  const button = (label: string, onClick: () => void, disabled = false) => (
    <button
      className="jp-StudioButton jp-mod-minimal"
      aria-label={`${label}: ${row.TargetModel}`}
      disabled={busy || disabled}
      onClick={onClick}
    >
      {label}
    </button>
  );
  const loaded = row.Status === 'Loaded';
  return (
    <tr>
      <th scope="row">{row.TargetModel}</th>
      <td>
        <Status
          status={words[row.Status]}
          tone={TONES[row.Status]}
          detail={row.Pinned ? trans.__('pinned') : undefined}
        />
        {row.Problem && (
          <p className="jp-StudioReplicas-unwell">{row.Problem}</p>
        )}
      </td>
      <td>{row.Size === undefined ? '–' : bytes(row.Size)}</td>
      <td>{row.MemoryBytes ? bytes(row.MemoryBytes) : '–'}</td>
      <td
        title={trans.__(
          '%1 found it loaded, %2 failed',
          number(row.Hits),
          number(row.Errors)
        )}
      >
        {number(row.Invocations)}
      </td>
      <td>
        <When
          at={
            row.LastUsedTime === undefined ? undefined : 1000 * row.LastUsedTime
          }
        />
      </td>
      <td>
        {loaded
          ? button(
              trans.__('Unload'),
              () => void act('UnloadEndpointModel'),
              row.Pinned
            )
          : button(trans.__('Load'), () => void act('LoadEndpointModel'))}
        {button(
          row.Pinned ? trans.__('Unpin') : trans.__('Pin'),
          () => void act('PinEndpointModel')
        )}
        {button(trans.__('Test'), () => props.onTest(row.TargetModel))}
      </td>
    </tr>
  );
}

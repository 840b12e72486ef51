import React from 'react';

import { CommandButton, CommandLink } from '../components/actions';
import { Empty, Problem, Skeleton } from '../components/empty';
import { number } from '../components/format';
import { useArgs, useLive, useStudio } from '../components/hooks';
import { Copyable, Facts, Section, When } from '../components/parts';
import type { StudioView } from '../core/documents';
import { ApiError } from '../core/errors';
import { imageName } from '../core/lineage';
import { CommandIDs } from '../tokens';
import * as actions from './actions';
import { Comparison } from './comparison';
import {
  type ApprovalStatus,
  type IGroup,
  type IVersion,
  load,
  metricsOf
} from './versions';

interface IArgs {
  name: string;
  /** Numbers of the versions that are compared. */
  compared?: number[];
}

const STATUSES: ApprovalStatus[] = [
  'PendingManualApproval',
  'Approved',
  'Rejected'
];
const MOST_METRICS = 4;

/** A group: its versions, who approved them, how good they are. */
export function ModelGroupPage(props: { view: StudioView }): React.JSX.Element {
  const { client, trans } = useStudio();
  const [{ name, compared = [] }, setArgs] = useArgs<IArgs>(props.view);
  const { value, error, refresh } = useLive(
    signal => load(client, name, signal),
    event =>
      event.type === 'resource' &&
      ((event.Kind === 'model-package-group' && event.Name === name) ||
        (event.Kind === 'model-package' && event.Name.startsWith(`${name}/`))),
    [client, name]
  );
  if (error instanceof ApiError && error.code === 'ValidationException') {
    return (
      <Empty
        title={trans.__('There is no model group %1', name)}
        hint={trans.__('It was deleted, or never made here.')}
      >
        <CommandButton command={CommandIDs.openModelGroups}>
          {trans.__('All model groups')}
        </CommandButton>
      </Empty>
    );
  }
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  const chosen = value.versions.filter(each => compared.includes(each.number));
  const toggle = (it: number) =>
    setArgs({
      compared: compared.includes(it)
        ? compared.filter(each => each !== it)
        : [...compared, it]
    });
  return (
    <div className="jp-StudioPage">
      <div className="jp-StudioPage-header">
        <h1>{name}</h1>
        <span role="status">
          {trans._n('%1 version', '%1 versions', value.total)}
        </span>
        <div className="jp-StudioPage-actions">
          <CommandButton command={CommandIDs.copyLink}>
            {trans.__('Copy link')}
          </CommandButton>
          <CommandButton
            command={CommandIDs.deleteModelGroups}
            args={{ names: [name] }}
            disabled={value.total > 0}
          >
            {trans.__('Delete')}
          </CommandButton>
        </div>
      </div>
      <div className="jp-StudioPage-body">
        {chosen.length > 0 && <Comparison versions={chosen} />}
        <Section title={trans.__('Versions')}>
          {value.versions.length ? (
            <Versions
              name={name}
              group={value}
              compared={compared}
              toggle={toggle}
            />
          ) : (
            <p>
              {trans.__(
                'No version yet: Register… stands on the pages of training jobs and models.'
              )}
            </p>
          )}
        </Section>
        <Section title={trans.__('Group')}>
          <Facts
            facts={[
              [trans.__('Description'), value.description || '–'],
              [trans.__('Created'), <When key="at" at={value.createdAt} />],
              ['ARN', <Copyable key="arn" text={value.arn} />]
            ]}
          />
        </Section>
      </div>
    </div>
  );
}

function Versions(props: {
  name: string;
  group: IGroup;
  compared: number[];
  toggle: (version: number) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { group, compared } = props;
  const metrics = metricsOf(group.versions).slice(0, MOST_METRICS);
  return (
    <div className="jp-StudioScroll">
      <table className="jp-StudioRegistry">
        <caption>
          {trans.__('Versions of %1, newest first', props.name)}
        </caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('Compare')}</th>
            <th scope="col">{trans.__('Version')}</th>
            <th scope="col">{trans.__('Approval')}</th>
            <th scope="col">{trans.__('Actions')}</th>
            {metrics.map(each => (
              <th key={each} scope="col" className="jp-mod-numeric">
                {each}
              </th>
            ))}
            <th scope="col">{trans.__('Made from')}</th>
          </tr>
        </thead>
        <tbody>
          {group.versions.map(version => (
            <tr key={version.number}>
              <td>
                <input
                  type="checkbox"
                  aria-label={trans.__('Compare version %1', version.number)}
                  checked={compared.includes(version.number)}
                  onChange={() => props.toggle(version.number)}
                />
              </td>
              <th scope="row">
                <Named group={group} version={version} />
              </th>
              <td>
                <Decision version={version} />
              </td>
              <td>
                <Actions name={props.name} group={group} version={version} />
              </td>
              {metrics.map(each => (
                <td key={each} className="jp-mod-numeric">
                  {each in version.metrics
                    ? number(version.metrics[each])
                    : '–'}
                </td>
              ))}
              <td>
                <Origin version={version} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The number of a version, and its aliases. */
function Named(props: { group: IGroup; version: IVersion }): React.JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { version } = props;
  return (
    <span className="jp-StudioRegistry-named" title={version.description}>
      {version.number}
      {version.aliases.map(alias => (
        <span key={alias} className="jp-StudioRegistry-alias">
          {alias}
          <button
            className="jp-StudioButton jp-mod-minimal"
            aria-label={trans.__('Remove the alias %1', alias)}
            onClick={() => void actions.removeAlias(studio, props.group, alias)}
          >
            ×
          </button>
        </span>
      ))}
    </span>
  );
}

/** Whether it may be deployed; another choice asks for a comment. */
function Decision(props: { version: IVersion }): React.JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { version } = props;
  return (
    <>
      <select
        className={`jp-StudioRegistry-status jp-mod-${version.status}`}
        aria-label={trans.__('Approval of version %1', version.number)}
        value={version.status}
        onChange={event =>
          void actions.decide(studio, version, event.target.value)
        }
      >
        {choices(trans).map(([status, label]) => (
          <option key={status} value={status}>
            {label}
          </option>
        ))}
      </select>
      {version.comment && (
        <div className="jp-StudioRegistry-comment">{version.comment}</div>
      )}
    </>
  );
}

function choices(
  trans: ReturnType<typeof useStudio>['trans']
): [ApprovalStatus, string][] {
  return STATUSES.map(each => [each, actions.approvalOf(each, trans)]);
}

/** The job that wrote the artifact with its lineage, or the artifact; when, and by whom. */
function Origin(props: { version: IVersion }): React.JSX.Element {
  const { trans } = useStudio();
  const { job, image, uri, by, createdAt } = props.version;
  return (
    <>
      {job ? (
        <CommandLink command={CommandIDs.openJob} args={{ name: job }}>
          {job}
        </CommandLink>
      ) : (
        <span title={uri}>{uri ? uri.split('/').pop() : '–'}</span>
      )}
      <div className="jp-StudioRegistry-comment">
        <When at={createdAt} />
        {by && ` · ${by}`}
        {image && <span title={image}> · {imageName(image)}</span>}
        {job && (
          <>
            {' · '}
            <CommandLink
              command={CommandIDs.openComponent}
              args={{ name: `${job}-aws-training-job`, tab: 'lineage' }}
              title={trans.__('Lineage of %1', job)}
            >
              {trans.__('Lineage')}
            </CommandLink>
          </>
        )}
      </div>
    </>
  );
}

function Actions(props: {
  name: string;
  group: IGroup;
  version: IVersion;
}): React.JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { name, group, version } = props;
  return (
    <span className="jp-StudioRegistry-actions">
      {version.status === 'Approved' && version.served && (
        <CommandButton
          command={CommandIDs.deploy}
          args={{ package: `${name}/${version.number}` }}
          kind="accept"
        >
          {trans.__('Deploy…')}
        </CommandButton>
      )}
      <button
        className="jp-StudioButton"
        onClick={() => void actions.addAlias(studio, group, version)}
      >
        {trans.__('Alias…')}
      </button>
      <button
        className="jp-StudioButton"
        aria-label={trans.__('Delete version %1', version.number)}
        onClick={() => void actions.deleteVersion(studio, name, version)}
      >
        {trans.__('Delete')}
      </button>
    </span>
  );
}

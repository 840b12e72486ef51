import React from 'react';

import { Problem, Skeleton } from '../components/empty';
import { bytes } from '../components/format';
import { useLive, useStudio } from '../components/hooks';
import { Copyable, Facts, type ITab, Tabs, When } from '../components/parts';
import { notifyError } from '../core/errors';
import type { FeedEvent } from '../core/feed';
import type { Browser } from './browser';
import type { IEntry } from './listing';
import * as s3 from './operations';
import { Preview } from './preview';

/** What is selected: a preview of one object, its properties and versions; of several their sum. */
export function Details(props: {
  browser: Browser;
  tab: string;
  onTab: (tab: string) => void;
  onClose: () => void;
}): React.JSX.Element | null {
  const { browser } = props;
  const { trans } = useStudio();
  const { selection, place } = browser;
  if (!selection.length) {
    return null;
  }
  const [first] = selection;
  const title =
    selection.length === 1
      ? first.name
      : trans.__('%1 items', selection.length);
  return (
    <aside className="jp-StudioObjects-details" aria-label={title}>
      <header>
        <h2 title={title}>{title}</h2>
        <button
          className="jp-StudioButton jp-mod-minimal"
          aria-label={trans.__('Close the details')}
          onClick={props.onClose}
        >
          ✕
        </button>
      </header>
      {selection.length > 1 ? (
        <Sum entries={selection} />
      ) : first.kind === 'bucket' ? (
        <Bucket key={first.name} entry={first} />
      ) : first.kind === 'folder' ? (
        <Facts
          facts={[
            [trans.__('URI'), <Copyable key="" text={browser.uriOf(first)} />]
          ]}
        />
      ) : (
        <ObjectTabs
          key={`${place.bucket}/${first.key}`}
          {...props}
          bucket={place.bucket}
          entry={first}
        />
      )}
    </aside>
  );
}

function Sum(props: { entries: IEntry[] }): React.JSX.Element {
  const { trans } = useStudio();
  const sizes = props.entries.map(entry => entry.size ?? 0);
  const folders = props.entries.filter(entry => entry.kind !== 'object');
  const objects = props.entries.length - folders.length;
  return (
    <Facts
      facts={[
        [trans.__('Folders'), folders.length],
        [trans.__('Objects'), objects],
        [
          trans.__('Size of the objects'),
          bytes(sizes.reduce((sum, size) => sum + size, 0))
        ]
      ]}
    />
  );
}

function Bucket(props: { entry: IEntry }): React.JSX.Element {
  const { entry } = props;
  const { client, trans } = useStudio();
  const versioned = useLive(
    signal => s3.isVersioned(client, entry.name, signal),
    () => false,
    [entry.name]
  );
  const enable = () =>
    s3
      .enableVersioning(client, entry.name)
      .then(versioned.refresh, (error: unknown) =>
        notifyError(trans.__('Versions are not kept'), error)
      );
  const versions =
    versioned.value === undefined ? (
      '…'
    ) : versioned.value ? (
      trans.__('Kept: what is deleted or replaced can come back')
    ) : (
      <>
        {trans.__('Not kept')}{' '}
        <button className="jp-StudioButton" onClick={() => void enable()}>
          {trans.__('Keep Versions')}
        </button>
      </>
    );
  return (
    <Facts
      facts={[
        [trans.__('URI'), <Copyable key="uri" text={`s3://${entry.name}/`} />],
        [trans.__('Created'), <When key="created" at={entry.modified} />],
        [trans.__('Versions'), versions]
      ]}
    />
  );
}

function ObjectTabs(props: {
  bucket: string;
  entry: IEntry;
  tab: string;
  onTab: (tab: string) => void;
}): React.JSX.Element {
  const { bucket, entry } = props;
  const { trans } = useStudio();
  const tabs: ITab[] = [
    {
      id: 'preview',
      label: trans.__('Preview'),
      content: () => (
        <Preview
          bucket={bucket}
          objectKey={entry.key}
          size={entry.size ?? 0}
          key={entry.etag}
        />
      )
    },
    {
      id: 'properties',
      label: trans.__('Properties'),
      content: () => <Properties bucket={bucket} entry={entry} />
    },
    {
      id: 'versions',
      label: trans.__('Versions'),
      content: () => <Versions bucket={bucket} entry={entry} />
    }
  ];
  return (
    <Tabs
      tabs={tabs}
      selected={props.tab}
      onSelect={props.onTab}
      label={entry.name}
    />
  );
}

function Properties(props: {
  bucket: string;
  entry: IEntry;
}): React.JSX.Element {
  const { bucket, entry } = props;
  const { client, trans } = useStudio();
  const { value, error, refresh } = useLive(
    async signal => ({
      head: await s3.headObject(client, bucket, entry.key, signal),
      tags: await s3.objectTags(client, bucket, entry.key, signal)
    }),
    changes(bucket, entry.key),
    [bucket, entry.key, entry.etag]
  );
  if (error !== null) {
    return <Problem error={error} retry={refresh} />;
  }
  if (!value) {
    return <Skeleton />;
  }
  const { head, tags } = value;
  const count = head.size.toLocaleString();
  const list = (pairs: [string, string][]) =>
    pairs.length
      ? pairs.map(([name, text]) => (
          <div key={name}>
            <code>{name}</code> = {text}
          </div>
        ))
      : '–';
  return (
    <Facts
      facts={[
        [
          trans.__('URI'),
          <Copyable key="uri" text={`s3://${bucket}/${entry.key}`} />
        ],
        [
          trans.__('Size'),
          <span key="size">
            {bytes(head.size)} (
            {trans._n('%2 byte', '%2 bytes', head.size, count)})
          </span>
        ],
        [trans.__('Modified'), <When key="modified" at={head.modified} />],
        [trans.__('Content type'), head.contentType],
        [trans.__('ETag'), <Copyable key="etag" text={head.etag} />],
        [trans.__('Version'), head.version ?? '–'],
        [trans.__('Storage class'), head.storageClass],
        [trans.__('Tags'), list(tags)],
        [trans.__('Metadata'), list(head.metadata)]
      ]}
    />
  );
}

function Versions(props: { bucket: string; entry: IEntry }): React.JSX.Element {
  const { bucket, entry } = props;
  const { client, trans } = useStudio();
  const { value, error, refresh } = useLive(
    signal => s3.objectVersions(client, bucket, entry.key, signal),
    changes(bucket, entry.key),
    [bucket, entry.key, entry.etag]
  );
  if (error !== null) {
    return <Problem error={error} retry={refresh} />;
  }
  if (!value) {
    return <Skeleton />;
  }
  if (value.length === 1 && value[0].id === 'null') {
    return (
      <p>
        {trans.__(
          'The bucket keeps no versions. Select it among the buckets to change that.'
        )}
      </p>
    );
  }
  const restore = (version: s3.IVersion) =>
    s3
      .restoreVersion(client, bucket, entry.key, version.id)
      .catch((problem: unknown) =>
        notifyError(trans.__('The version is not back'), problem)
      );
  return (
    <table className="jp-StudioVersions" aria-label={trans.__('Versions')}>
      <thead>
        <tr>
          <th scope="col">{trans.__('Modified')}</th>
          <th scope="col">{trans.__('Size')}</th>
          <th scope="col">
            <span className="jp-StudioStatus-hidden">
              {trans.__('Actions')}
            </span>
          </th>
        </tr>
      </thead>
      <tbody>
        {value.map(version => (
          <tr key={version.id} title={version.id}>
            <td>
              <When at={version.modified} />
              {version.latest && ` (${trans.__('now')})`}
            </td>
            <td>
              {version.marker ? trans.__('deleted') : bytes(version.size)}
            </td>
            <td>
              {!version.latest && !version.marker && (
                <button
                  className="jp-StudioButton"
                  onClick={() => void restore(version)}
                >
                  {trans.__('Restore')}
                </button>
              )}
              {!version.marker && (
                <a
                  href={client.s3Url(bucket, entry.key, {
                    versionId: version.id
                  })}
                  download={entry.name}
                >
                  {trans.__('Download')}
                </a>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Whether an event may be about an object. */
function changes(bucket: string, key: string): (event: FeedEvent) => boolean {
  return event =>
    event.type === 'object' &&
    event.Bucket === bucket &&
    key.startsWith(event.Prefix);
}

import React from 'react';

import { Problem, Skeleton } from '../../components/empty';
import { bytes } from '../../components/format';
import { useStudio } from '../../components/hooks';
import type { Client } from '../../core/client';
import { ApiError } from '../../core/errors';
import { parseS3 } from '../../core/s3';
import { Preview } from '../../objects/preview';
import { CommandIDs } from '../../tokens';
import { type IArtifact, shownAs } from './model';

const MOST_HTML = 4 * 2 ** 20;
/** Nothing may be fetched and nothing run, whatever the page says. */
const POLICY =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:";

/** An artifact as it looks: a picture, a table, a page, a text; what is large by its size only. */
export function ArtifactView(props: {
  artifact: IArtifact;
  label: string;
}): React.JSX.Element {
  const { client, commands, trans } = useStudio();
  const { artifact, label } = props;
  const place = parseS3(artifact.uri);
  const size = useSize(client, artifact.uri);
  if (!place) {
    return <p className="jp-StudioArtifact-text">{artifact.uri}</p>;
  }
  const { bucket, key } = place;
  const kind = shownAs(artifact);
  const browse = () =>
    void commands.execute(CommandIDs.openObjects, {
      bucket,
      prefix: key.slice(0, key.lastIndexOf('/') + 1)
    });
  return (
    <>
      <p className="jp-StudioArtifact-facts">
        {typeof size === 'number' && <span>{bytes(size)}</span>}
        {artifact.mediaType && <span>{artifact.mediaType}</span>}
        {typeof size === 'number' && (
          <a href={client.s3Url(bucket, key)} download={key.split('/').pop()}>
            {trans.__('Download')}
          </a>
        )}
        <button className="jp-StudioLink" title={artifact.uri} onClick={browse}>
          {trans.__('Where it lies')}
        </button>
      </p>
      {size === undefined ? (
        <Skeleton lines={2} />
      ) : size === null ? (
        <p>
          {kind === 'folder'
            ? trans.__('A folder: see where it lies.')
            : trans.__(
                'No object lies at %1: a folder, or deleted since.',
                artifact.uri
              )}
        </p>
      ) : typeof size !== 'number' ? (
        <Problem error={size.error} />
      ) : kind === 'html' && size <= MOST_HTML ? (
        <Page bucket={bucket} objectKey={key} label={label} />
      ) : (
        <Preview
          bucket={bucket}
          objectKey={key}
          size={size}
          mediaType={artifact.mediaType}
        />
      )}
    </>
  );
}

/** HTML of a user: it is drawn, but runs nothing, fetches nothing and knows nothing of this page. */
function Page(props: {
  bucket: string;
  objectKey: string;
  label: string;
}): React.JSX.Element {
  const { client } = useStudio();
  const { bucket, objectKey, label } = props;
  const [html, setHtml] = React.useState<string | null>(null);
  const [error, setError] = React.useState<unknown>(null);
  React.useEffect(() => {
    const abort = new AbortController();
    client
      .s3('GET', bucket, objectKey, {}, { signal: abort.signal })
      .then(response => response.text())
      .then(setHtml)
      .catch((problem: unknown) => !abort.signal.aborted && setError(problem));
    return () => abort.abort();
  }, [client, bucket, objectKey]);
  if (error !== null) {
    return <Problem error={error} />;
  }
  return html === null ? (
    <Skeleton lines={3} />
  ) : (
    <iframe
      className="jp-StudioArtifact-page"
      title={label}
      sandbox=""
      referrerPolicy="no-referrer"
      srcDoc={`<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}">${html}`}
    />
  );
}

/** Bytes of an object; null where there is none, undefined before it is known. */
function useSize(
  client: Client,
  uri: string
): number | null | undefined | { error: unknown } {
  const [size, setSize] = React.useState<
    number | null | undefined | { error: unknown }
  >(undefined);
  React.useEffect(() => {
    const abort = new AbortController();
    const place = parseS3(uri);
    setSize(undefined);
    if (!place?.key) {
      setSize(null);
      return;
    }
    client
      .s3('HEAD', place.bucket, place.key, {}, { signal: abort.signal })
      .then(({ headers }) =>
        setSize(Number(headers.get('Content-Length') ?? 0))
      )
      .catch((error: unknown) => {
        if (!abort.signal.aborted) {
          setSize(isMissing(error) ? null : { error });
        }
      });
    return () => abort.abort();
  }, [client, uri]);
  return size;
}

function isMissing(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

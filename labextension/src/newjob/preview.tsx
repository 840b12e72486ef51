import React from 'react';

import { bytes } from '../components/format';
import { useStudio } from '../components/hooks';
import { told } from '../core/errors';
import type { sagemaker } from '../wire';
import { guessType } from './draft';
import { useForm, useWarning } from './form';
import { type Path, spelled } from './paths';
import { type IPeek, peek } from './peek';
import { Prepare } from './preparing';
import { Suggestions } from './suggestions';

const PAUSE_MS = 400;
const SHOWN_COLUMNS = 8;

/** The first rows of a channel, and what an algorithm would stumble over. */
export function Preview(props: {
  channel: sagemaker.Channel;
  at: Path;
}): React.JSX.Element | null {
  const { trans } = useStudio();
  const { algorithm, set } = useForm();
  const found = usePeek(props.channel.DataSource?.S3DataSource?.S3Uri ?? '');
  const type = found && 'uri' in found ? guessType(found.uri) : undefined;
  React.useEffect(() => {
    // A folder promises nothing, and without a content type algorithms take what AWS's take.
    if (type && !props.channel.ContentType) {
      set([...props.at, 'ContentType'], type);
    }
    // Whoever clears it means that.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [type]);
  useWarning(
    spelled([...props.at, 'DataSource', 'S3DataSource', 'S3Uri']),
    algorithm && found && 'uri' in found && found.named
      ? trans.__('The first row looks like names of columns.')
      : undefined
  );
  if (!found) {
    return null;
  }
  if ('error' in found) {
    return (
      <p className="jp-StudioField-help">
        {trans.__('No preview: %1', told(found.error))}
      </p>
    );
  }
  return (
    <div className="jp-StudioNewJob-preview">
      <p className="jp-StudioField-help">
        {trans.__('Begins with %1 (%2)', found.uri, bytes(found.size))}
        {found.rows &&
          ': ' + trans._n('%1 column', '%1 columns', found.columns)}
      </p>
      {found.rows ? (
        <Rows rows={found.rows} columns={found.columns} />
      ) : (
        found.lines && (
          <pre className="jp-StudioNewJob-scroll" tabIndex={0}>
            {found.lines.join('\n')}
          </pre>
        )
      )}
      {algorithm && found.rows && (
        <>
          {props.channel.ChannelName === 'train' && (
            <Suggestions found={found} />
          )}
          {found.alone && props.channel.ChannelName === 'train' ? (
            <Prepare key={found.uri} found={found} />
          ) : (
            found.named && (
              <p className="jp-StudioNewJob-warning">
                {trans.__(
                  'The first row looks like names of columns. %1 reads CSV without them.',
                  algorithm.DisplayName
                )}
              </p>
            )
          )}
        </>
      )}
    </div>
  );
}

function Rows(props: { rows: string[][]; columns: number }): React.JSX.Element {
  const { trans } = useStudio();
  const { algorithm } = useForm();
  const shown = Math.min(props.columns, SHOWN_COLUMNS);
  const labels = algorithm?.LabelColumns ?? 0;
  const head = (index: number) =>
    algorithm && index < labels
      ? trans.__('label')
      : algorithm
        ? trans.__('feature %1', index - labels + 1)
        : trans.__('column %1', index + 1);
  return (
    <div
      className="jp-StudioNewJob-scroll"
      role="region"
      aria-label={trans.__('First rows')}
      tabIndex={0}
    >
      <table>
        <thead>
          <tr>
            {Array.from({ length: shown }, (_, index) => (
              <th key={index} scope="col">
                {head(index)}
              </th>
            ))}
            {shown < props.columns && (
              <th scope="col">
                {trans.__('%1 of %2 columns', shown, props.columns)}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row, number) => (
            <tr key={number}>
              {row.slice(0, shown).map((cell, index) => (
                <td key={index} title={cell}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function usePeek(uri: string): IPeek | { error: unknown } | null {
  const { client } = useStudio();
  const [found, setFound] = React.useState<IPeek | { error: unknown } | null>(
    null
  );
  React.useEffect(() => {
    setFound(null);
    if (!uri.startsWith('s3://')) {
      return;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      peek(client, uri, abort.signal).then(setFound, (error: unknown) => {
        if (!abort.signal.aborted) {
          setFound({ error });
        }
      });
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [client, uri]);
  return found;
}

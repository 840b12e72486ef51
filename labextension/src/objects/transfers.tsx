import React from 'react';

import { bytes, duration } from '../components/format';
import { useSignal, useStudio } from '../components/hooks';
import type { IUpload, Uploads } from './uploads';

const MOST_LISTED = 200;

/** The uploads of this JupyterLab: how far they are, together and each. */
export function Transfers(props: {
  uploads: Uploads;
}): React.JSX.Element | null {
  const { uploads } = props;
  const { trans } = useStudio();
  useSignal(uploads.changed);
  const [open, setOpen] = React.useState(false);
  const { files, done, failed, size, sent, speed, busy } = uploads.totals;
  if (!files) {
    return null;
  }
  const left = speed > 0 ? (size - sent) / speed : Infinity;
  // All is sent, and S3 still puts the parts together.
  const ending = busy && size > 0 && sent >= size;
  const parts = [
    trans._n('%2 of %1 file', '%2 of %1 files', files, done),
    trans.__('%1 of %2', bytes(sent), bytes(size)),
    ending && trans.__('finishing'),
    busy && !ending && speed > 0 && trans.__('%1/s', bytes(speed)),
    busy && !ending && left < 86_400 && trans.__('%1 left', duration(left)),
    failed > 0 && trans.__('%1 failed', failed)
  ].filter(Boolean);
  return (
    <section className="jp-StudioTransfers" aria-label={trans.__('Uploads')}>
      <header>
        <button
          className="jp-StudioButton jp-mod-minimal"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <span aria-hidden="true">{open ? '▾' : '▸'}</span>
          {busy ? trans.__('Uploading') : trans.__('Uploads')}
        </button>
        <progress
          max={size || 1}
          value={size ? sent : 1}
          aria-label={trans.__('All uploads')}
        />
        {busy ? (
          <button
            className="jp-StudioButton"
            onClick={() => uploads.cancelAll()}
          >
            {trans.__('Cancel All')}
          </button>
        ) : (
          <button className="jp-StudioButton" onClick={() => uploads.clear()}>
            {trans.__('Clear')}
          </button>
        )}
        <span role="status">{parts.join(' · ')}</span>
      </header>
      {(open || failed > 0) && (
        <ul>
          {shown(uploads.items, open).map(item => (
            <Transfer key={item.id} item={item} uploads={uploads} />
          ))}
          {open && files > MOST_LISTED && (
            <li>{trans.__('The last %1 of %2.', MOST_LISTED, files)}</li>
          )}
        </ul>
      )}
    </section>
  );
}

function Transfer(props: {
  item: IUpload;
  uploads: Uploads;
}): React.JSX.Element {
  const { item, uploads } = props;
  const { trans } = useStudio();
  const uri = `s3://${item.bucket}/${item.key}`;
  const states: Record<IUpload['state'], string> = {
    waiting: trans.__('Waiting'),
    sending: trans.__('%1 of %2', bytes(item.sent), bytes(item.size)),
    done: trans.__('Done, %1', bytes(item.size)),
    failed: item.taken
      ? trans.__('An object of this name is there already')
      : item.error,
    cancelled: trans.__('Cancelled')
  };
  const active = item.state === 'waiting' || item.state === 'sending';
  return (
    <li className={`jp-mod-${item.state}`}>
      <span className="jp-StudioTransfers-name" title={uri}>
        {item.key}
      </span>
      {item.state === 'sending' && (
        <progress max={item.size || 1} value={item.sent} aria-label={uri} />
      )}
      <span className="jp-StudioTransfers-state" title={states[item.state]}>
        {states[item.state]}
      </span>
      {active && (
        <button
          className="jp-StudioButton jp-mod-minimal"
          aria-label={trans.__('Cancel the upload of %1', item.key)}
          onClick={() => uploads.cancel(item.id)}
        >
          {trans.__('Cancel')}
        </button>
      )}
      {(item.state === 'failed' || item.state === 'cancelled') && (
        <button
          className="jp-StudioButton jp-mod-minimal"
          aria-label={
            item.taken
              ? trans.__('Replace %1', item.key)
              : trans.__('Retry the upload of %1', item.key)
          }
          onClick={() => uploads.retry(item.id, item.taken)}
        >
          {item.taken ? trans.__('Replace') : trans.__('Retry')}
        </button>
      )}
    </li>
  );
}

/** The last ones; of a closed list only those that failed. */
function shown(items: ReadonlyArray<IUpload>, open: boolean): IUpload[] {
  return items
    .filter(item => open || item.state === 'failed')
    .slice(-MOST_LISTED);
}

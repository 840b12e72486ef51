import React from 'react';

import { CommandButton } from '../components/actions';
import { useStudio } from '../components/hooks';
import { Address } from './address';
import type { Browser } from './browser';
import { ObjectCommands } from './commands';

const FILTER_MS = 250;

/** The head of the S3 browser: where it is, and what can be done there. */
export function Bar(props: { browser: Browser }): React.JSX.Element {
  const { browser } = props;
  const { trans } = useStudio();
  const { place } = browser;
  return (
    <div className="jp-StudioPage-header">
      <div className="jp-StudioObjects-moves">
        <button
          className="jp-StudioButton"
          disabled={!browser.canGoBack}
          aria-label={trans.__('Back')}
          title={trans.__('Back (Alt+Left)')}
          onClick={() => browser.back()}
        >
          ←
        </button>
        <button
          className="jp-StudioButton"
          disabled={!browser.canGoForward}
          aria-label={trans.__('Forward')}
          title={trans.__('Forward (Alt+Right)')}
          onClick={() => browser.forward()}
        >
          →
        </button>
        <button
          className="jp-StudioButton"
          disabled={!place.bucket}
          aria-label={trans.__('Up')}
          title={trans.__('Up (Alt+Up)')}
          onClick={() => browser.up()}
        >
          ↑
        </button>
        <button
          className="jp-StudioButton"
          aria-label={trans.__('Refresh')}
          title={trans.__('Refresh: look again at what is here')}
          onClick={() => browser.refresh()}
        >
          ↻
        </button>
      </div>
      <Address place={place} onGo={to => browser.go(to)} />
      <Filter key={`${place.bucket}/${place.prefix}`} browser={browser} />
      <div className="jp-StudioPage-actions">
        <Act command={ObjectCommands.uploadFiles} accept />
        <Act command={ObjectCommands.uploadFolder} spare />
        <Act command={ObjectCommands.newFolder} />
        <Act command={ObjectCommands.newBucket} accept />
        {browser.selection.length > 0 && (
          <>
            <Act command={ObjectCommands.download} />
            <Act command={ObjectCommands.copyUri} spare />
            <Act command={ObjectCommands.remove} />
          </>
        )}
      </div>
    </div>
  );
}

/** A button of a command, hidden where the command is. */
export function Act(props: {
  command: string;
  accept?: boolean;
  /** Whether the context menu is enough where there is little room. */
  spare?: boolean;
}): React.JSX.Element | null {
  const { commands } = useStudio();
  const { command } = props;
  return commands.isVisible(command) ? (
    <span className={props.spare ? 'jp-mod-spare' : undefined}>
      <CommandButton
        command={command}
        kind={props.accept ? 'accept' : undefined}
        disabled={!commands.isEnabled(command)}
      >
        {commands.label(command)}
      </CommandButton>
    </span>
  ) : null;
}

function Filter(props: { browser: Browser }): React.JSX.Element {
  const { browser } = props;
  const { trans } = useStudio();
  const { place } = browser;
  const [text, setText] = React.useState(place.filter);
  React.useEffect(() => {
    const timer = setTimeout(
      () => browser.go({ ...browser.place, filter: text }),
      FILTER_MS
    );
    return () => clearTimeout(timer);
  }, [browser, text]);
  return (
    <input
      type="search"
      className="jp-StudioObjects-filter"
      placeholder={trans.__('Starts with…')}
      aria-label={trans.__('Show only names that start with')}
      value={text}
      onChange={event => setText(event.target.value)}
    />
  );
}

/** The foot: how much is shown, and whether that is all. */
export function Extent(props: { browser: Browser }): React.JSX.Element {
  const { browser } = props;
  const { trans } = useStudio();
  const { entries, listing, selection } = browser;
  const all = trans._n('%1 item', '%1 items', entries.length);
  const cut = listing && !listing.complete && !listing.error;
  const parts = [
    cut ? trans.__('The first %1, sorted among themselves', all) : all,
    selection.length > 0 && trans.__('%1 selected', selection.length)
  ];
  return (
    <>
      <span role="status">
        {listing?.begun && parts.filter(Boolean).join(' · ')}
      </span>
      {cut && (
        <button
          className="jp-StudioButton jp-mod-minimal"
          disabled={listing.loading}
          onClick={() => listing.more()}
        >
          {listing.loading ? trans.__('Loading…') : trans.__('Load More')}
        </button>
      )}
      {listing?.error !== null && entries.length > 0 && (
        <button
          className="jp-StudioButton jp-mod-warn"
          onClick={() => browser.refresh()}
        >
          {trans.__('Not up to date: Retry')}
        </button>
      )}
    </>
  );
}

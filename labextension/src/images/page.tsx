import React from 'react';

import { CommandButton } from '../components/actions';
import { Problem, Skeleton } from '../components/empty';
import { useArgs, useLive, useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import type { StudioView } from '../core/documents';
import { CommandIDs } from '../tokens';
import { addRow } from './edit';
import { Own } from './own';
import { Rows } from './rows';

/** What image URIs run as on this machine, and the images that can be built here. */
export function ImagesPage(props: { view: StudioView }): React.JSX.Element {
  const studio = useStudio();
  const { client, trans } = studio;
  const [args, setArgs] = useArgs<{ filter?: string }>(props.view);
  const { value, error, refresh } = useLive(
    signal => client.call('studio', 'ListImageRows', {}, signal),
    event => event.type === 'images' || event.type === 'reset',
    [client]
  );
  const own = useLive(
    signal => client.call('studio', 'ListStudioImages', {}, signal),
    // Nobody tells when an image was built; whoever comes back to the page sees it.
    event => event.type === 'reset',
    [client]
  );
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  return (
    <div className="jp-StudioPage">
      <div className="jp-StudioPage-header">
        <h1>{trans.__('Images')}</h1>
        <input
          type="search"
          placeholder={trans.__('Filter')}
          aria-label={trans.__('Filter images')}
          value={args.filter ?? ''}
          onChange={event =>
            setArgs({ filter: event.target.value || undefined })
          }
        />
        <div className="jp-StudioPage-actions">
          <CommandButton
            command={CommandIDs.buildImage}
            kind="accept"
            disabled={!!own.value?.Obstacle}
          >
            {trans.__('Build all…')}
          </CommandButton>
        </div>
      </div>
      <div className="jp-StudioPage-body">
        {own.error !== null && (
          <Problem error={own.error} retry={own.refresh} />
        )}
        {own.value?.Obstacle && (
          <p className="jp-StudioNewJob-warning" role="note">
            {trans.__('No container can run here: %1', own.value.Obstacle)}
          </p>
        )}
        {own.value && (
          <Section
            title={trans.__('Images of Studio')}
            actions={
              <button className="jp-StudioButton" onClick={own.refresh}>
                {trans.__('Refresh')}
              </button>
            }
          >
            <Own
              images={own.value.Images.filter(each =>
                holds(args.filter, each.Name, each.Uri)
              )}
              available={!own.value.Obstacle}
            />
          </Section>
        )}
        <Section
          title={trans.__('What image URIs run as')}
          actions={
            <button
              className="jp-StudioButton"
              onClick={() => void addRow(studio, value, refresh)}
            >
              {trans.__('Add a row…')}
            </button>
          }
        >
          <Rows
            table={value}
            shown={each =>
              holds(
                args.filter,
                each.Pattern,
                each.Target,
                each.ScriptTarget ?? ''
              )
            }
            refresh={refresh}
          />
        </Section>
      </div>
    </div>
  );
}

function holds(filter: string | undefined, ...texts: string[]): boolean {
  return texts
    .join(' ')
    .toLowerCase()
    .includes((filter ?? '').toLowerCase());
}

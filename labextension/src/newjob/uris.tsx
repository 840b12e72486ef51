import React from 'react';

import { useStudio } from '../components/hooks';
import { pickS3 } from '../components/s3picker';
import { CommandIDs, DRAG_MIME, type IDragged } from '../tokens';
import { Bound, useForm } from './form';
import { type Path, valueAt } from './paths';

const EXAMPLE_URI = 's3://bucket/folder/';

/** An S3 URI to write, to choose, or to drop. */
export function UriField(props: {
  path: Path;
  label?: string;
  help?: string;
  /** What to do with a URI; sets the member when absent. */
  put?: (uri: string) => void;
}): React.JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { draft, set } = useForm<object>();
  const { path } = props;
  const uri = (valueAt(draft, path) as string | undefined) ?? '';
  const put = props.put ?? ((text: string) => set(path, text || undefined));
  const drop = dropTarget(put);
  const browse = async () => {
    const picked = await pickS3(studio, {
      title: trans.__('Choose an object or a folder'),
      start: uri || undefined
    });
    if (picked) {
      put(picked);
    }
  };
  return (
    <Bound
      path={path}
      label={props.label ?? trans.__('S3 URI')}
      help={props.help}
      required
    >
      {control => (
        <div className="jp-StudioNewJob-row" {...drop}>
          <input
            {...control}
            type="text"
            className="jp-mod-code jp-StudioNewJob-wide"
            spellCheck={false}
            value={uri}
            placeholder={EXAMPLE_URI}
            onChange={event => put(event.target.value)}
          />
          <button
            className="jp-StudioButton"
            onClick={() => void browse()}
            aria-label={trans.__('Browse S3')}
          >
            {trans.__('Browse…')}
          </button>
          {uri && (
            <button
              className="jp-StudioButton"
              onClick={() =>
                void studio.commands.execute(CommandIDs.openData, { uri })
              }
            >
              {trans.__('Explore')}
            </button>
          )}
        </div>
      )}
    </Bound>
  );
}

/** Handlers that take objects of S3 dropped by other panels, or as text. */
export function dropTarget(take: (uri: string) => void): {
  onDragOver: (event: React.DragEvent) => void;
  onDrop: (event: React.DragEvent) => void;
} {
  return {
    onDragOver: event => {
      const types = event.dataTransfer.types;
      if (types.includes(DRAG_MIME) || types.includes('text/plain')) {
        event.preventDefault();
        event.dataTransfer.dropEffect = 'copy';
      }
    },
    onDrop: event => {
      const uri = dropped(event.dataTransfer);
      if (uri) {
        event.preventDefault();
        event.stopPropagation();
        take(uri);
      }
    }
  };
}

/** The S3 URI in what was dropped; undefined for anything else. */
export function dropped(data: DataTransfer): string | undefined {
  const given = data.getData(DRAG_MIME);
  let uri = data.getData('text/plain');
  if (given) {
    const thing = JSON.parse(given) as IDragged;
    uri = thing.kind === 'object' ? thing.name : '';
  }
  return uri.startsWith('s3://') ? uri : undefined;
}

import React from 'react';

import { Empty } from '../components/empty';
import { useStudio } from '../components/hooks';
import { pickS3 } from '../components/s3picker';
import { parseS3 } from '../core/s3';
import { CommandIDs } from '../tokens';

/** Where a data set lies. */
export interface IChosen {
  uri?: string;
  path?: string;
}

/** Buttons and a field that choose a data set. */
export function Choose(props: {
  onChoose: (chosen: IChosen) => void;
}): React.JSX.Element {
  const studio = useStudio();
  const { trans, commands } = studio;
  const { onChoose } = props;
  const [text, setText] = React.useState('');
  const submit = (event: React.FormEvent) => {
    event.preventDefault();
    const typed = text.trim();
    onChoose(parseS3(typed) ? { uri: typed } : { path: typed });
  };
  return (
    <>
      <button
        className="jp-StudioButton jp-mod-accept"
        onClick={() =>
          void pickS3(studio, { title: trans.__('Choose data in S3') }).then(
            uri => uri && onChoose({ uri })
          )
        }
      >
        {trans.__('From S3…')}
      </button>
      <button
        className="jp-StudioButton jp-mod-accept"
        onClick={() =>
          void commands
            .execute(CommandIDs.chooseFile)
            .then((path: string | null) => path && onChoose({ path }))
        }
      >
        {trans.__('From my files…')}
      </button>
      <form className="jp-StudioData-start" onSubmit={submit}>
        <input
          aria-label={trans.__('S3 URI or path of a file')}
          placeholder={trans.__('s3://bucket/data.csv or data/file.parquet')}
          value={text}
          spellCheck={false}
          onChange={event => setText(event.target.value)}
        />
        <button className="jp-StudioButton" disabled={!text.trim()}>
          {trans.__('Open')}
        </button>
      </form>
    </>
  );
}

/** The page before it has data. */
export function Start(props: {
  onChoose: (chosen: IChosen) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Empty
      title={trans.__('Look at data')}
      hint={trans.__(
        'A CSV, Parquet or JSON lines file, or a folder of them. Drop one here, too: from the S3 browser or the file browser.'
      )}
    >
      <Choose onChoose={props.onChoose} />
    </Empty>
  );
}

import React from 'react';

import { Empty } from '../components/empty';
import { useStudio } from '../components/hooks';
import type { ViewFile } from './document';
import type { IParsed } from './file';
import { Compare } from './page';

/** A view that a file keeps, or why the file is none. */
export default function FilePage(props: {
  file: ViewFile;
  parsed: IParsed;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { file, parsed } = props;
  const { path } = file.context;
  if (parsed.broken) {
    return (
      <Empty
        title={trans.__('%1 is no view of Studio', path)}
        hint={trans.__(
          'Its text is not what Studio writes: JSON that begins with "studioview". Open it with the text editor to mend it, or begin with an empty view, which replaces what is there once it is saved.'
        )}
      >
        <button className="jp-StudioButton" onClick={() => file.startAnew()}>
          {trans.__('Begin with an empty view')}
        </button>
      </Empty>
    );
  }
  return (
    <>
      <Left parsed={parsed} />
      <Compare store={file.store} saved={true} />
    </>
  );
}

/** Says what of the file is not shown, and is lost when it is saved. */
function Left(props: { parsed: IParsed }): React.JSX.Element | null {
  const { trans } = useStudio();
  const { newer, ignored } = props.parsed;
  const [seen, setSeen] = React.useState(false);
  if (seen || (newer === null && !ignored.length)) {
    return null;
  }
  return (
    <div className="jp-StudioNotice" role="status">
      {newer !== null && (
        <span>
          {trans.__(
            'A newer Studio made this view (format %1). What this one does not know is lost when it is saved.',
            newer
          )}
        </span>
      )}
      {ignored.length > 0 && (
        <span>
          {trans.__(
            'Left out, because it is not known here or wrong: %1.',
            ignored.join(', ')
          )}
        </span>
      )}
      <button className="jp-StudioButton" onClick={() => setSeen(true)}>
        {trans.__('Dismiss')}
      </button>
    </div>
  );
}

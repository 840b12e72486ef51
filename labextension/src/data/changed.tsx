import React from 'react';

import { useLive, useStudio } from '../components/hooks';
import { parseS3 } from '../core/s3';

/** Says that the object in S3 is another by now than the one that is shown. */
export function Changed(props: {
  uri: string | undefined;
  reload: () => void;
}): React.JSX.Element | null {
  const { trans } = useStudio();
  const changed = useChanged(props.uri);
  return changed ? (
    <div className="jp-StudioData-seen" role="status">
      {trans.__('This object has been written again since it was read.')}
      <button className="jp-StudioButton" onClick={props.reload}>
        {trans.__('Reload')}
      </button>
    </div>
  ) : null;
}

function useChanged(uri: string | undefined): boolean {
  const { client } = useStudio();
  const place = parseS3(uri ?? '');
  const bucket = place?.bucket ?? '';
  const key = place?.key ?? '';
  const one = key !== '' && !key.endsWith('/');
  const [first, setFirst] = React.useState<string>();
  const { value } = useLive(
    async signal =>
      one
        ? (await client.s3('HEAD', bucket, key, {}, { signal })).headers.get(
            'ETag'
          )
        : null,
    event =>
      event.type === 'object' &&
      event.Bucket === bucket &&
      key.startsWith(event.Prefix),
    [client, bucket, key, one]
  );
  React.useEffect(() => {
    if (value) {
      setFirst(known => known ?? value);
    }
  }, [value]);
  return !!value && first !== undefined && value !== first;
}

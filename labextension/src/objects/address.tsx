import React from 'react';

import { useStudio } from '../components/hooks';
import { parseS3 } from '../core/s3';
import type { IPlace } from './listing';

/** Where the browser is: each part leads there, and the whole can be typed. */
export function Address(props: {
  place: IPlace;
  onGo: (place: Partial<IPlace>) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { bucket, prefix } = props.place;
  const [typed, setTyped] = React.useState<string | null>(null);
  const uri = bucket ? `s3://${bucket}/${prefix}` : 's3://';
  if (typed !== null) {
    const go = () => {
      const at = parseS3(typed);
      setTyped(null);
      props.onGo(at ? { bucket: at.bucket, ...split(at.key) } : {});
    };
    return (
      <form
        className="jp-StudioAddress"
        onSubmit={event => {
          event.preventDefault();
          go();
        }}
      >
        <input
          autoFocus
          aria-label={trans.__('S3 URI to go to')}
          spellCheck={false}
          value={typed}
          onChange={event => setTyped(event.target.value)}
          onBlur={() => setTyped(null)}
          onFocus={event => event.target.select()}
          onKeyDown={event => event.key === 'Escape' && setTyped(null)}
        />
      </form>
    );
  }
  return (
    <nav
      className="jp-StudioAddress"
      aria-label={trans.__('Path')}
      // The empty space behind the path stands for its text, as in file managers.
      onClick={event => event.target === event.currentTarget && setTyped(uri)}
    >
      {crumbs(props.place).map((crumb, index, all) => (
        <React.Fragment key={index}>
          {index > 0 && <span aria-hidden="true">/</span>}
          <button
            className="jp-StudioLink"
            aria-current={index === all.length - 1 ? 'location' : undefined}
            title={`s3://${[crumb.bucket, crumb.prefix].filter(Boolean).join('/')}`}
            onClick={() => props.onGo(crumb)}
          >
            {crumb.label ?? trans.__('Buckets')}
          </button>
        </React.Fragment>
      ))}
      <button
        className="jp-StudioButton jp-mod-minimal"
        onClick={() => setTyped(uri)}
      >
        {trans.__('Edit')}
      </button>
    </nav>
  );
}

interface ICrumb {
  label?: string;
  bucket?: string;
  prefix?: string;
}

/** The places on the way to a place, all buckets first. */
export function crumbs({ bucket, prefix }: IPlace): ICrumb[] {
  const found: ICrumb[] = [{}];
  if (bucket) {
    found.push({ label: bucket, bucket, prefix: '' });
  }
  let to = '';
  for (const part of prefix.split('/').slice(0, -1)) {
    to += `${part}/`;
    // A key may have an empty part: "a//b".
    found.push({ label: part || '∅', bucket, prefix: to });
  }
  return found;
}

/** What was typed behind the last "/" filters. */
function split(key: string): { prefix: string; filter: string } {
  const at = key.lastIndexOf('/') + 1;
  return { prefix: key.slice(0, at), filter: key.slice(at) };
}

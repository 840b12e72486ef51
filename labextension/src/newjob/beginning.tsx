import React from 'react';

import { Problem, Skeleton } from '../components/empty';
import { useStudio } from '../components/hooks';
import type { Client } from '../core/client';
import type { StudioView } from '../core/documents';

/** A form, once what it is drawn from is here. */
export function Beginning<B>(props: {
  view: StudioView;
  /** Fetches what the form is drawn from. */
  begin: (client: Client, args: object, signal: AbortSignal) => Promise<B>;
  children: (basis: B) => React.ReactNode;
}): React.JSX.Element {
  const { view, begin } = props;
  const { client, trans } = useStudio();
  const [basis, setBasis] = React.useState<B | null>(null);
  const [error, setError] = React.useState<unknown>(null);
  const [attempt, again] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const abort = new AbortController();
    setError(null);
    begin(client, view.args, abort.signal).then(
      found => setBasis(() => found),
      (problem: unknown) => !abort.signal.aborted && setError(problem)
    );
    return () => abort.abort();
    // Another job to copy is another form: its page has another key.
  }, [client, view, begin, attempt]);
  if (error !== null) {
    return (
      <Problem
        what={trans.__('The form could not be prepared.')}
        error={error}
        retry={again}
      />
    );
  }
  return basis === null ? <Skeleton lines={8} /> : <>{props.children(basis)}</>;
}

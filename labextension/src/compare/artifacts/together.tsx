import React from 'react';

import { useStudio } from '../../components/hooks';
import type { Client } from '../../core/client';
import { parseS3 } from '../../core/s3';
import { type INamedCurve, loggedChart } from '../../objects/logged';
import { LoggedCurves } from '../../objects/loggedchart';
import type { studio } from '../../wire';
import { useColors } from '../colors';
import { artifactAt, type IArtifactGroup } from './model';

const MOST_BYTES = 2 ** 20;

/** The curves of all components in one chart, where the artifact is a curve. */
export function Together(props: {
  details: studio.TrialComponentDetail[];
  group: IArtifactGroup;
  step: number | undefined;
}): React.JSX.Element | null {
  const { client } = useStudio();
  const { details, group, step } = props;
  const names = React.useMemo(() => details.map(({ Name }) => Name), [details]);
  const own = React.useCallback(
    (at: number) => details[at].Color || undefined,
    [details]
  );
  const colors = useColors(names, own);
  const key = JSON.stringify(
    details.map(({ Name, DisplayName }, at) => {
      const artifact = artifactAt(group.of[at], step);
      const json = artifact?.mediaType === 'application/json';
      return [Name, DisplayName || Name, json ? artifact.uri : ''];
    })
  );
  const [found, setFound] = React.useState<(INamedCurve & { id: string })[]>(
    []
  );
  React.useEffect(() => {
    const abort = new AbortController();
    const wanted = (JSON.parse(key) as string[][]).filter(([, , uri]) => uri);
    setFound([]);
    if (wanted.length > 1) {
      void Promise.all(
        wanted.map(async ([id, name, uri]) => {
          const curve = await curveAt(client, uri, abort.signal);
          return curve ? [{ id, name, curve }] : [];
        })
      ).then(all => !abort.signal.aborted && setFound(all.flat()));
    }
    return () => abort.abort();
  }, [client, key]);
  const curves = React.useMemo(() => {
    const [first] = found;
    return found
      .filter(({ curve }) => curve.kind === first.curve.kind)
      .map(each => ({ ...each, color: colors.get(each.id) }));
  }, [found, colors]);
  return curves.length > 1 ? (
    <section className="jp-StudioArtifacts-together" aria-label={group.name}>
      <LoggedCurves curves={curves} title={group.name} />
    </section>
  ) : null;
}

/** The curve that lies there; null where there is something else, or nothing that can be read. */
async function curveAt(
  client: Client,
  uri: string,
  signal: AbortSignal
): Promise<INamedCurve['curve'] | null> {
  const place = parseS3(uri);
  if (!place?.key) {
    return null;
  }
  try {
    const headers = { Range: `bytes=0-${MOST_BYTES - 1}` };
    const init = { headers, signal };
    const answer = await client.s3('GET', place.bucket, place.key, {}, init);
    const chart = loggedChart(await answer.text());
    return chart && chart.kind !== 'matrix' ? chart : null;
  } catch {
    return null; // its own card says why
  }
}

import type { studio } from '../../wire';
import { byName } from '../../components/names';

/** An artifact of one component at one step. */
export interface IArtifact {
  uri: string;
  mediaType: string | undefined;
  /** Null where its name says none. */
  step: number | null;
}

/** All artifacts of one name: of each component those it has, by step. */
export interface IArtifactGroup {
  name: string;
  /** Whether they are inputs. */
  input: boolean;
  /** Different steps of all components, in order; empty where names say none. */
  steps: number[];
  /** One a component, in their order. */
  of: IArtifact[][];
}

/** Artifacts by name; `NAME/STEP` are the steps of one. */
export function artifactGroups(
  details: studio.TrialComponentDetail[]
): IArtifactGroup[] {
  const groups = new Map<string, IArtifactGroup>();
  details.forEach((detail, at) => {
    for (const input of [false, true]) {
      const found = input ? detail.InputArtifacts : detail.OutputArtifacts;
      for (const [key, artifact] of Object.entries(found)) {
        const [name, step] = named(key);
        const id = `${input} ${name}`;
        const group = groups.get(id) ?? {
          name,
          input,
          steps: [],
          of: details.map(() => [])
        };
        groups.set(id, group);
        group.of[at].push({
          uri: artifact.Value,
          mediaType: artifact.MediaType,
          step
        });
      }
    }
  });
  return [...groups.values()].map(finished).sort(inOrder);
}

/** What a component has at a step: the last that is not later, or else its first. */
export function artifactAt(
  artifacts: IArtifact[],
  step: number | undefined
): IArtifact | undefined {
  const until = artifacts.filter(
    each => step === undefined || each.step === null || each.step <= step
  );
  return until.at(-1) ?? artifacts[0];
}

/** How something is shown. */
export function shownAs(artifact: IArtifact): 'html' | 'folder' | 'preview' {
  const path = artifact.uri.toLowerCase();
  if (artifact.mediaType === 'text/html' || /\.html?$/.test(path)) {
    return 'html';
  }
  return path.endsWith('/') ? 'folder' : 'preview';
}

function named(key: string): [string, number | null] {
  const match = /^(.+)\/(\d{1,15})(\.\w{1,8})?$/.exec(key);
  return match ? [match[1], Number(match[2])] : [key, null];
}

function finished(group: IArtifactGroup): IArtifactGroup {
  const every = group.of.flat().flatMap(each => each.step ?? []);
  const order = (a: IArtifact, b: IArtifact) => (a.step ?? -1) - (b.step ?? -1);
  return {
    ...group,
    steps: [...new Set(every)].sort((a, b) => a - b),
    of: group.of.map(each => [...each].sort(order))
  };
}

function inOrder(a: IArtifactGroup, b: IArtifactGroup): number {
  return Number(a.input) - Number(b.input) || byName(a.name, b.name);
}

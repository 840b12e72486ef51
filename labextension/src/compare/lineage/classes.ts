import type { studio } from '../../wire';

export type Vertex = studio.LineageVertex;
export type Link = studio.LineageEdge;

/** Something to draw: one thing, or several of a kind that stand at the same place. */
export interface INode {
  /** Of one thing its ARN. */
  id: string;
  things: Vertex[];
  /** The class that it is one of, or stands for, when that has been or can be opened. */
  class?: string;
}

export interface IGraph {
  nodes: INode[];
  /** Ids of nodes, without those that a longer way says, too. */
  links: [string, string][];
}

/** So many alike are drawn one by one; of classes that are opened more. */
const FEW = 4;
const FEW_OF_LITTLE = 8;
const LITTLE = 40;
export const MOST_OPEN = 40;
const ROUNDS = 12;

/**
 * The graph as it is drawn. Things that are alike are one node: of the same type, between things
 * that are alike. Two hundred jobs with a model each are two nodes. `opened` are classes whose
 * things are drawn one by one.
 */
export function graphOf(
  vertices: readonly Vertex[],
  edges: readonly Link[],
  opened: ReadonlySet<string>
): IGraph {
  const classes = alike(vertices, edges);
  const few = vertices.length > LITTLE ? FEW : FEW_OF_LITTLE;
  const nodes: INode[] = [];
  for (const things of classes) {
    const [{ Arn: id }] = things;
    if (things.length <= few) {
      nodes.push(...things.map(it => ({ id: it.Arn, things: [it] })));
      continue;
    }
    const name = `class ${id}`;
    const single = opened.has(name) ? things.slice(0, MOST_OPEN) : [];
    nodes.push(
      ...single.map(it => ({ id: it.Arn, things: [it], class: name }))
    );
    const rest = things.slice(single.length);
    if (rest.length) {
      nodes.push({ id: name, things: rest, class: name });
    }
  }
  return { nodes, links: reduced(linksOf(nodes, edges)) };
}

/**
 * Things by what they are and what they hang on: types first, then again and again those whose
 * neighbours are told apart, until nothing more is.
 */
function alike(
  vertices: readonly Vertex[],
  edges: readonly Link[]
): Vertex[][] {
  const before = neighbours(edges, it => [it.DestinationArn, it.SourceArn]);
  const after = neighbours(edges, it => [it.SourceArn, it.DestinationArn]);
  let colors = new Map(
    vertices.map(it => [it.Arn, `${it.Kind}/${it.Type}/${it.Depth === 0}`])
  );
  for (let round = 0; round < ROUNDS; round++) {
    const told = (arns: string[] | undefined) =>
      [...new Set((arns ?? []).map(arn => colors.get(arn) ?? ''))].sort();
    const next = new Map<string, string>();
    const numbers = new Map<string, number>();
    for (const { Arn: arn } of vertices) {
      const color = JSON.stringify([
        colors.get(arn),
        told(before.get(arn)),
        told(after.get(arn))
      ]);
      if (!numbers.has(color)) {
        numbers.set(color, numbers.size);
      }
      next.set(arn, String(numbers.get(color)));
    }
    const settled = numbers.size === new Set(colors.values()).size;
    colors = next;
    if (settled) {
      break;
    }
  }
  const found = new Map<string, Vertex[]>();
  for (const vertex of vertices) {
    const color = colors.get(vertex.Arn)!;
    found.set(color, [...(found.get(color) ?? []), vertex]);
  }
  return [...found.values()];
}

function neighbours(
  edges: readonly Link[],
  ends: (edge: Link) => [string, string]
): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const edge of edges) {
    const [from, to] = ends(edge);
    found.set(from, [...(found.get(from) ?? []), to]);
  }
  return found;
}

function linksOf(
  nodes: readonly INode[],
  edges: readonly Link[]
): [string, string][] {
  const place = new Map(
    nodes.flatMap(node => node.things.map(it => [it.Arn, node.id]))
  );
  const found = new Map<string, [string, string]>();
  for (const { SourceArn, DestinationArn } of edges) {
    const [from, to] = [place.get(SourceArn), place.get(DestinationArn)];
    if (from !== undefined && to !== undefined && from !== to) {
      found.set(`${from}\n${to}`, [from, to]);
    }
  }
  return [...found.values()];
}

/** The links without those between things that are linked by a longer way as well. */
function reduced(links: [string, string][]): [string, string][] {
  const next = new Map<string, string[]>();
  for (const [from, to] of links) {
    next.set(from, [...(next.get(from) ?? []), to]);
  }
  const roundabout = (from: string, to: string): boolean => {
    const seen = new Set<string>([from]);
    const left = (next.get(from) ?? []).filter(id => id !== to);
    while (left.length) {
      const id = left.pop()!;
      if (id === to) {
        return true;
      }
      if (!seen.has(id)) {
        seen.add(id);
        left.push(...(next.get(id) ?? []));
      }
    }
    return false;
  };
  return links.filter(([from, to]) => !roundabout(from, to));
}

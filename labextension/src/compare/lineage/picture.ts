import type { TranslationBundle } from '@jupyterlab/translation';

import { picturedBy } from '../../components/chart/canvas';
import type { ITable, PictureFormat } from '../../components/chart/frame';
import type { Pen } from '../../components/chart/pen';
import { lookOf } from '../../components/chart/theme';
import type { IGraph, INode, Link, Vertex } from './classes';
import { isStart, MARGIN, titleOf } from './drawing';
import { curvesOf, type IPlaces, NODE } from './layout';
import { nameOf, typeOf } from './things';

export interface IDrawn extends IGraph {
  places: IPlaces;
}

/** The URL of a picture of the graph as it is on screen, with statuses in words. */
export function picture(
  host: HTMLElement,
  format: PictureFormat,
  title: string,
  drawn: IDrawn,
  trans: TranslationBundle
): Promise<string> {
  const { width, height } = drawn.places;
  return picturedBy(
    host,
    format,
    title,
    [width + 2 * MARGIN, height + 2 * MARGIN],
    pen => {
      pen.translate(MARGIN, MARGIN);
      paint(pen, drawn, colorsOf(host), trans);
    }
  );
}

/** The links as a table: what came from what. */
export function linkTable(
  vertices: readonly Vertex[],
  edges: readonly Link[],
  trans: TranslationBundle
): ITable {
  const byArn = new Map(vertices.map(it => [it.Arn, it]));
  const cells = (thing: Vertex) => [
    typeOf(thing, trans),
    nameOf(thing),
    thing.SourceUri ?? thing.Arn
  ];
  return {
    columns: [
      trans.__('From: type'),
      trans.__('From: name'),
      trans.__('From: source'),
      trans.__('Association'),
      trans.__('To: type'),
      trans.__('To: name'),
      trans.__('To: source')
    ],
    rows: edges.flatMap(({ SourceArn, DestinationArn, AssociationType }) => {
      const [from, to] = [byArn.get(SourceArn), byArn.get(DestinationArn)];
      return from && to
        ? [[...cells(from), AssociationType ?? null, ...cells(to)]]
        : [];
    })
  };
}

export interface IColors {
  text: string;
  faint: string;
  border: string;
  chosen: string;
  ground: string;
  font: string;
}

function colorsOf(host: HTMLElement): IColors {
  const { text, faint, ground, font } = lookOf(host);
  const style = getComputedStyle(host);
  const read = (name: string) => style.getPropertyValue(name).trim() || faint;
  return {
    text,
    faint,
    ground,
    font,
    border: read('--jp-border-color1'),
    chosen: read('--jp-brand-color1')
  };
}

/** Draw the graph from the upper left corner on. */
export function paint(
  pen: Pen,
  { nodes, places }: IDrawn,
  colors: IColors,
  trans: TranslationBundle
): void {
  pen.strokeStyle = colors.faint;
  pen.lineWidth = 1.5;
  for (const { points } of places.links) {
    pen.beginPath();
    pen.moveTo(...points[0]);
    curvesOf(points).forEach(curve => pen.bezierCurveTo(...curve));
    pen.stroke();
  }
  for (const node of nodes) {
    const { x, y } = places.at.get(node.id)!;
    pen.save();
    pen.translate(x, y);
    paintNode(pen, node, colors, trans);
    pen.restore();
  }
}

const PADDING = 10;
const BEHIND = 3;

function paintNode(
  pen: Pen,
  node: INode,
  colors: IColors,
  trans: TranslationBundle
): void {
  const [thing] = node.things;
  const start = isStart(node);
  const several = node.things.length > 1;
  pen.strokeStyle = start ? colors.chosen : colors.border;
  pen.lineWidth = start ? 2 : 1;
  for (const behind of several ? [BEHIND, 0] : [0]) {
    pen.beginPath();
    pen.rect(behind, behind, NODE.width, NODE.height);
    pen.fillStyle = colors.ground;
    pen.fill();
    pen.stroke();
  }
  pen.beginPath();
  pen.rect(0, 0, NODE.width - 2, NODE.height);
  pen.clip();
  pen.fillStyle = colors.faint;
  pen.font = `11px ${colors.font}`;
  const status = several ? '' : thing.Status;
  pen.fillText(
    [start ? `◆ ${typeOf(thing, trans)}` : typeOf(thing, trans), status]
      .filter(Boolean)
      .join(' · '),
    PADDING,
    17
  );
  pen.fillStyle = colors.text;
  pen.font = `13px ${colors.font}`;
  pen.fillText(cut(titleOf(node, trans)), PADDING, 34);
}

/** Letters of 13 pixels that a node has room for. */
const LETTERS = 26;

function cut(name: string): string {
  return name.length > LETTERS ? `${name.slice(0, LETTERS - 1)}…` : name;
}

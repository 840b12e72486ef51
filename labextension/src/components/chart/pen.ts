/** What a drawing needs of a canvas: the same drawing goes to the screen, into a PNG and into an SVG. */
export type Pen = Pick<
  CanvasRenderingContext2D,
  | 'strokeStyle'
  | 'fillStyle'
  | 'lineWidth'
  | 'globalAlpha'
  | 'font'
  | 'textAlign'
  | 'textBaseline'
  | 'beginPath'
  | 'moveTo'
  | 'lineTo'
  | 'bezierCurveTo'
  | 'rect'
  | 'arc'
  | 'closePath'
  | 'stroke'
  | 'fill'
  | 'clip'
  | 'save'
  | 'restore'
  | 'setLineDash'
  | 'fillRect'
  | 'translate'
  | 'rotate'
> & { fillText(text: string, x: number, y: number): void };

type Style = Pick<
  Pen,
  'lineWidth' | 'globalAlpha' | 'font' | 'textAlign' | 'textBaseline'
> & { strokeStyle: string; fillStyle: string };

const PLAIN: Style = {
  strokeStyle: '#000',
  fillStyle: '#000',
  lineWidth: 1,
  globalAlpha: 1,
  font: '12px sans-serif',
  textAlign: 'start',
  textBaseline: 'alphabetic'
};

const ANCHORS: Record<string, string> = {
  center: 'middle',
  right: 'end',
  end: 'end'
};
const SHIFTS: Record<string, string> = { middle: '0.35em', top: '0.8em' };

/** Draws into the text of an SVG. */
export class SvgPen implements Pen {
  strokeStyle = PLAIN.strokeStyle;
  fillStyle = PLAIN.fillStyle;
  lineWidth = PLAIN.lineWidth;
  globalAlpha = PLAIN.globalAlpha;
  font = PLAIN.font;
  textAlign = PLAIN.textAlign;
  textBaseline = PLAIN.textBaseline;

  beginPath(): void {
    this._path = [];
  }

  moveTo(x: number, y: number): void {
    this._path.push(`M${round(x)} ${round(y)}`);
  }

  lineTo(x: number, y: number): void {
    this._path.push(`${this._path.length ? 'L' : 'M'}${round(x)} ${round(y)}`);
  }

  bezierCurveTo(
    ...places: [number, number, number, number, number, number]
  ): void {
    this._path.push(`C${places.map(round).join(' ')}`);
  }

  rect(x: number, y: number, width: number, height: number): void {
    this._path.push(
      `M${round(x)} ${round(y)}h${round(width)}v${round(height)}h${round(-width)}Z`
    );
  }

  /** A whole circle: the only arc that charts draw. */
  arc(x: number, y: number, radius: number): void {
    const [r, d] = [round(radius), round(2 * radius)];
    this._path.push(
      `M${round(x - radius)} ${round(y)}a${r} ${r} 0 1 0 ${d} 0a${r} ${r} 0 1 0 -${d} 0Z`
    );
  }

  closePath(): void {
    this._path.push('Z');
  }

  stroke(): void {
    const dash = this._dash.length
      ? ` stroke-dasharray="${this._dash.join(' ')}"`
      : '';
    this._add(
      `<path d="${this._path.join('')}" fill="none" stroke="${escaped(this.strokeStyle)}" stroke-width="${this.lineWidth}" stroke-linejoin="round"${dash}${this._alpha()}/>`
    );
  }

  fill(): void {
    this._add(
      `<path d="${this._path.join('')}" fill="${escaped(this.fillStyle)}"${this._alpha()}/>`
    );
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.beginPath();
    this.rect(x, y, width, height);
    this.fill();
  }

  clip(): void {
    const id = `clip${++this._clips}`;
    this._add(
      `<clipPath id="${id}"><path d="${this._path.join('')}"/></clipPath>`
    );
    this._open(`<g clip-path="url(#${id})">`);
  }

  translate(x: number, y: number): void {
    this._open(`<g transform="translate(${round(x)} ${round(y)})">`);
  }

  rotate(angle: number): void {
    this._open(`<g transform="rotate(${round((angle * 180) / Math.PI)})">`);
  }

  save(): void {
    this._saved.push({ style: this._style(), dash: this._dash, open: 0 });
  }

  restore(): void {
    const saved = this._saved.pop();
    if (saved) {
      Object.assign(this, saved.style);
      this._dash = saved.dash;
      this._parts.push('</g>'.repeat(saved.open));
    }
  }

  setLineDash(dash: number[]): void {
    this._dash = [...dash];
  }

  fillText(text: string, x: number, y: number): void {
    const anchor = ANCHORS[this.textAlign] ?? 'start';
    const shift = SHIFTS[this.textBaseline] ?? '0';
    this._add(
      `<text x="${round(x)}" y="${round(y)}" dy="${shift}" text-anchor="${anchor}" style="font:${escaped(this.font)}" fill="${escaped(this.fillStyle)}"${this._alpha()}>${escaped(text)}</text>`
    );
  }

  /** The whole SVG, on `ground`. */
  svg(width: number, height: number, ground: string): string {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="100%" height="100%" fill="${escaped(ground)}"/>${this._parts.join('')}</svg>`;
  }

  private _add(part: string): void {
    this._parts.push(part);
  }

  private _open(group: string): void {
    this._parts.push(group);
    const saved = this._saved.at(-1);
    if (saved) {
      saved.open++;
    }
  }

  private _alpha(): string {
    return this.globalAlpha === 1
      ? ''
      : ` opacity="${round(this.globalAlpha)}"`;
  }

  private _style(): Style {
    const { strokeStyle, fillStyle, lineWidth, globalAlpha } = this;
    const { font, textAlign, textBaseline } = this;
    return {
      strokeStyle,
      fillStyle,
      lineWidth,
      globalAlpha,
      font,
      textAlign,
      textBaseline
    };
  }

  private _parts: string[] = [];
  private _path: string[] = [];
  private _dash: number[] = [];
  private _clips = 0;
  private _saved: { style: Style; dash: number[]; open: number }[] = [];
}

function round(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 100) / 100) : '0';
}

function escaped(text: string): string {
  return text
    .replace(
      /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu,
      '\u{fffd}'
    )
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}

import React from 'react';

import type { ILook } from './drawing';

/**
 * Colours that people with any colour vision tell apart (Okabe and Ito, 2008), darker on light
 * backgrounds where the original is too pale for lines.
 */
const LIGHT = [
  '#0072b2',
  '#c75000',
  '#00805e',
  '#a2508a',
  '#8a6d00',
  '#2a7fb8',
  '#5f5f5f',
  '#a3293d'
];
const DARK = [
  '#56b4e9',
  '#e69f00',
  '#2fc99a',
  '#e28ec2',
  '#f0e442',
  '#8fc7ff',
  '#b8b8b8',
  '#ff8f80'
];

/** Lines differ by their dashes and points by their shapes too. */
export const DASHES = [
  'solid',
  'dash',
  'dot',
  'dashdot',
  'longdash',
  'longdashdot'
];
export const SYMBOLS = [
  'circle',
  'square',
  'diamond',
  'triangle-up',
  'cross',
  'x',
  'star',
  'triangle-down'
];

/** The colours of series in the theme that `node` is in. */
export function colorway(node: HTMLElement): string[] {
  return isDark(node) ? DARK : LIGHT;
}

/** A layout in the colours of JupyterLab's theme, under the caller's own. */
export function themed(
  node: HTMLElement,
  layout: Record<string, unknown>
): Record<string, unknown> {
  const style = getComputedStyle(node);
  const read = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    gridcolor: read('--jp-studio-grid'),
    linecolor: read('--jp-border-color1'),
    zerolinecolor: read('--jp-border-color1'),
    automargin: true
  };
  const axes = Object.fromEntries(
    Object.keys({ xaxis: 0, yaxis: 0, ...layout })
      .filter(name => /^[xy]axis\d*$/.test(name))
      .map(name => [name, { ...axis, ...(layout[name] as object | undefined) }])
  );
  return {
    autosize: true,
    margin: { t: 16, r: 16, b: 40, l: 56 },
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: {
      color: read('--jp-ui-font-color1'),
      family: read('--jp-ui-font-family'),
      size: 12
    },
    hoverlabel: {
      bgcolor: read('--jp-layout-color2'),
      font: { color: read('--jp-ui-font-color1') }
    },
    legend: { orientation: 'h', y: 1.02, yanchor: 'bottom' },
    colorway: colorway(node),
    ...layout,
    ...axes
  };
}

/** Whether `node` is in a dark theme. */
export function isDark(node: HTMLElement): boolean {
  return node.ownerDocument.body.dataset['jpThemeLight'] === 'false';
}

/** Text of a user for a label: plotly.js reads some HTML in labels. */
export function plain(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}

/** Changes whenever JupyterLab's theme does. */
export function useTheme(): string {
  const [theme, setTheme] = React.useState(
    document.body.dataset['jpThemeName'] ?? ''
  );
  React.useEffect(() => {
    const observer = new MutationObserver(() =>
      setTheme(document.body.dataset['jpThemeName'] ?? '')
    );
    observer.observe(document.body, {
      attributes: true,
      attributeFilter: ['data-jp-theme-name']
    });
    return () => observer.disconnect();
  }, []);
  return theme;
}

/** Colours and letters for what is drawn on a canvas. */
export function lookOf(node: HTMLElement): Omit<ILook, 'ratio'> {
  const style = getComputedStyle(node);
  const read = (name: string, without: string) =>
    style.getPropertyValue(name).trim() || without;
  return {
    text: read('--jp-ui-font-color1', '#222'),
    faint: read('--jp-ui-font-color2', '#666'),
    grid: read('--jp-studio-grid', '#ddd'),
    ground: read('--jp-layout-color1', '#fff'),
    font: read('--jp-ui-font-family', 'sans-serif')
  };
}

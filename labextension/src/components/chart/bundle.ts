import bar from 'plotly.js/lib/bar';
import box from 'plotly.js/lib/box';
import contour from 'plotly.js/lib/contour';
import Plotly from 'plotly.js/lib/core';
import heatmap from 'plotly.js/lib/heatmap';
import histogram from 'plotly.js/lib/histogram';
import parcoords from 'plotly.js/lib/parcoords';
import violin from 'plotly.js/lib/violin';

(Plotly as { register(parts: object[]): void }).register([
  bar,
  box,
  contour,
  heatmap,
  histogram,
  parcoords,
  violin
]);

export default Plotly;

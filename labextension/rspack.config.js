// plotly.js is bundled from its sources, with the traces that src/components/plotly/bundle.ts registers.
module.exports = {
  resolve: { alias: { regl: '@plotly/regl', stream: 'stream-browserify' } }
};

// plotly.js is bundled from its sources, with the traces that src/components/plotly/bundle.ts registers.
module.exports = {
  resolve: { alias: { regl: '@plotly/regl', stream: 'stream-browserify' } },
  // The tutorials go along as files of their own.
  module: {
    rules: [{ test: /\.(ipynb|csv|csv\.gz)$/, type: 'asset/resource' }]
  }
};

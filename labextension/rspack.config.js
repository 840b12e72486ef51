// What only the panels use stands in devDependencies: `dependencies` are shared, and JupyterLab takes the newest
// of what is shared for its own, so that it waits for ours at its start.
// plotly.js is bundled from its sources, with the traces that src/components/plotly/bundle.ts registers.
module.exports = {
  resolve: { alias: { regl: '@plotly/regl', stream: 'stream-browserify' } },
  // The tutorials go along as files of their own.
  module: {
    rules: [{ test: /\.(ipynb|csv|csv\.gz)$/, type: 'asset/resource' }]
  }
};

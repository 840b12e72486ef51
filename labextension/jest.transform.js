// Compiles for Jest with what bundles the panels (SWC in Rspack): a fraction of Babel's time.
const { swc } = require('@rspack/core').experiments;

const SYNTAX = {
  true: { syntax: 'typescript', tsx: true },
  false: { syntax: 'ecmascript', jsx: true }
};

module.exports = {
  process(source, filename) {
    return swc.transformSync(source, {
      filename,
      configFile: false,
      swcrc: false,
      sourceMaps: 'inline',
      module: { type: 'commonjs' },
      jsc: {
        target: 'es2022',
        parser: SYNTAX[/\.tsx?$/.test(filename)],
        // Calls of jest.mock come before imports.
        transform: { react: { runtime: 'classic' }, hidden: { jest: true } }
      }
    });
  }
};

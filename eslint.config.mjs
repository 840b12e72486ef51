import js from '@eslint/js';
import jupyter from '@jupyter/eslint-plugin';
import hooks from 'eslint-plugin-react-hooks';
import { defineConfig } from 'eslint/config';
import globals from 'globals';
import tseslint from 'typescript-eslint';

export default defineConfig([
  { ignores: ['**/node_modules', 'labextension/lib', 'studio', '**/*.js', '**/*.mjs', 'labextension/src/wire.ts'] },
  js.configs.recommended,
  { files: ['**/*.ts', '**/*.tsx'], extends: [tseslint.configs.recommended], rules: { 'no-undef': 'off' } },
  {
    files: ['labextension/src/**/*.ts', 'labextension/src/**/*.tsx'],
    ignores: ['**/__tests__/**'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: 'labextension/tsconfig.json' }, globals: globals.browser }
  },
  { plugins: { jupyter } },
  jupyter.configs.recommended,
  hooks.configs.flat?.recommended ?? hooks.configs['recommended-latest'],
  { files: ['**/__tests__/**'], rules: { '@typescript-eslint/no-explicit-any': 'off' } }
]);

import js from '@eslint/js';
import jupyter from '@jupyter/eslint-plugin';
import hooks from 'eslint-plugin-react-hooks';
import { defineConfig } from 'eslint/config';
import globals from 'globals';
import tseslint from 'typescript-eslint';

export default defineConfig([
  {
    ignores: [
      '**/node_modules',
      'labextension/lib',
      'studio',
      '**/*.js',
      '**/*.mjs',
      'labextension/src/wire.ts'
    ]
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.recommended],
    rules: { 'no-undef': 'off' }
  },
  {
    files: ['labextension/src/**/*.ts', 'labextension/src/**/*.tsx'],
    ignores: ['**/__tests__/**'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { project: 'labextension/tsconfig.json' },
      globals: globals.browser
    }
  },
  { plugins: { jupyter } },
  jupyter.configs.recommended,
  {
    plugins: { 'react-hooks': hooks },
    rules: {
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error'
    }
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    rules: {
      // Options of a class live in its namespace, as in JupyterLab's own code.
      '@typescript-eslint/no-namespace': 'off',
      // signal.connect(this._onChange, this) is Lumino's way.
      '@typescript-eslint/unbound-method': 'off',
      // Pages are imported when they are opened (core/documents.tsx); the rest is small.
      'jupyter/prefer-lazy-imports': 'off'
    }
  },
  {
    files: ['ui-tests/**'],
    rules: {
      // Playwright's fixtures: `use` is no hook, `{}` asks for no other fixture.
      'react-hooks/rules-of-hooks': 'off',
      'no-empty-pattern': 'off'
    }
  },
  {
    files: ['**/__tests__/**'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      'jupyter/no-untranslated-string': 'off'
    }
  }
]);

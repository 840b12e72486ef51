import { studio } from './core/plugin';

export default [studio];

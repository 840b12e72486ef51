import { studio } from './core/plugin';
import { endpoints } from './endpoints';
import { models } from './models';
import { objects } from './objects';

export default [studio, models, endpoints, objects];

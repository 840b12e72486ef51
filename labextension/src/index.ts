import { studio } from './core/plugin';
import { objects } from './objects';

import { endpoints } from './endpoints';
import { models } from './models';

export default [studio, models, endpoints];
export default [studio, objects];

import { studio } from './core/plugin';

import { endpoints } from './endpoints';
import { models } from './models';

export default [studio, models, endpoints];

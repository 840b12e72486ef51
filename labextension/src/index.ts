import { studio } from './core/plugin';
import { data } from './data';
import { deploy } from './deploy';
import { endpoints } from './endpoints';
import { job } from './job';
import { models } from './models';
import { newJob } from './newjob';
import { objects } from './objects';

export default [studio, data, deploy, endpoints, job, models, newJob, objects];

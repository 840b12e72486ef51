import { studio } from './core/plugin';
import { data } from './data';
import { deploy } from './deploy';
import { endpoints } from './endpoints';
import { job } from './job';
import { jobs } from './jobs';
import { models } from './models';
import { navigator } from './navigator';
import { newJob } from './newjob';
import { notebook } from './notebook';
import { objects } from './objects';
import { shell } from './shell';

export default [
  studio,
  shell,
  navigator,
  data,
  deploy,
  endpoints,
  job,
  jobs,
  models,
  newJob,
  notebook,
  objects
];

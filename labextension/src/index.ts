import { compare } from './compare';
import { studio } from './core/plugin';
import { component } from './component';
import { compute } from './compute';
import { data } from './data';
import { deploy } from './deploy';
import { endpoints } from './endpoints';
import { experiments } from './experiments';
import { images } from './images';
import { job } from './job';
import { jobs } from './jobs';
import { models } from './models';
import { navigator } from './navigator';
import { newJob } from './newjob';
import { notebook } from './notebook';
import { notebookJob } from './notebookjob';
import { objects } from './objects';
import { registry } from './registry';
import { schedules } from './schedules';
import { shell } from './shell';

export default [
  studio,
  shell,
  navigator,
  compare,
  component,
  compute,
  data,
  deploy,
  endpoints,
  experiments,
  images,
  job,
  jobs,
  models,
  registry,
  newJob,
  notebook,
  notebookJob,
  objects,
  schedules
];

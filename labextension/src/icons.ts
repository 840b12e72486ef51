import { LabIcon } from '@jupyterlab/ui-components';

import bucketSvg from '../style/icons/bucket.svg';
import compareSvg from '../style/icons/compare.svg';
import computeSvg from '../style/icons/compute.svg';
import dataSvg from '../style/icons/data.svg';
import deploySvg from '../style/icons/deploy.svg';
import endpointSvg from '../style/icons/endpoint.svg';
import experimentSvg from '../style/icons/experiment.svg';
import imageSvg from '../style/icons/image.svg';
import jobSvg from '../style/icons/job.svg';
import modelSvg from '../style/icons/model.svg';
import newJobSvg from '../style/icons/newjob.svg';
import processingSvg from '../style/icons/processing.svg';
import transformSvg from '../style/icons/transform.svg';
import scheduleSvg from '../style/icons/schedule.svg';
import studioSvg from '../style/icons/studio.svg';

/** Stands for Studio as a whole. */
export const studioIcon = new LabIcon({
  name: 'studio:studio',
  svgstr: studioSvg
});

/** Stands for putting a model into service. */
export const deployIcon = new LabIcon({
  name: 'studio:deploy',
  svgstr: deploySvg
});

/** Stands for endpoints. */
export const endpointIcon = new LabIcon({
  name: 'studio:endpoint',
  svgstr: endpointSvg
});

/** Stands for models. */
export const modelIcon = new LabIcon({
  name: 'studio:model',
  svgstr: modelSvg
});

/** A bucket of S3. */
export const bucketIcon = new LabIcon({
  name: 'studio:bucket',
  svgstr: bucketSvg
});
/** Stands for data visualization. */
export const dataIcon = new LabIcon({ name: 'studio:data', svgstr: dataSvg });
/** Stands for a training job that is yet to be started. */
export const newJobIcon = new LabIcon({
  name: 'studio:new-job',
  svgstr: newJobSvg
});
/** Stands for training jobs. */
export const jobIcon = new LabIcon({ name: 'studio:job', svgstr: jobSvg });
/** Stands for experiments. */
export const experimentIcon = new LabIcon({
  name: 'studio:experiment',
  svgstr: experimentSvg
});
/** Stands for a view that compares trial components. */
export const compareIcon = new LabIcon({
  name: 'studio:compare',
  svgstr: compareSvg
});

/** Stands for what starts by the clock. */
export const scheduleIcon = new LabIcon({
  name: 'studio:schedule',
  svgstr: scheduleSvg
});
/** Stands for processing jobs. */
export const processingIcon = new LabIcon({
  name: 'studio:processing',
  svgstr: processingSvg
});
/** Stands for transform jobs. */
export const transformIcon = new LabIcon({
  name: 'studio:transform',
  svgstr: transformSvg
});
/** Stands for the machine: CPUs, GPUs, and who waits for them. */
export const computeIcon = new LabIcon({
  name: 'studio:compute',
  svgstr: computeSvg
});
/** Stands for images of containers. */
export const imageIcon = new LabIcon({
  name: 'studio:image',
  svgstr: imageSvg
});

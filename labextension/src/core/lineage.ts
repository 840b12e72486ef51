import type { sagemaker } from '../wire';

const OUTPUT = /\/([^/]+)\/output\/model\.tar\.gz$/;

/** The containers of a model, in the order in which a request passes them. */
export function containers(
  model: Pick<sagemaker.Model, 'PrimaryContainer' | 'Containers'>
): sagemaker.ContainerDefinition[] {
  return model.PrimaryContainer
    ? [model.PrimaryContainer]
    : (model.Containers ?? []);
}

/** The S3 URI of a container's model.tar.gz; "" without one. */
export function artifact(container: sagemaker.ContainerDefinition): string {
  return (
    container.ModelDataUrl ??
    container.ModelDataSource?.S3DataSource?.S3Uri ??
    ''
  );
}

/** The training job that wrote an artifact, by the place where jobs put theirs; "" if none did. */
export function jobOf(uri: string): string {
  return OUTPUT.exec(uri)?.[1] ?? '';
}

/** What people call an image: `123.dkr.ecr.us-east-1.amazonaws.com/xgboost:1.7-1` -> `xgboost 1.7-1`. */
export function imageName(uri: string): string {
  const [name, tag] = (uri.split('/').pop() ?? uri).split(':');
  return tag ? `${name} ${tag}` : name;
}

/** What ListAlgorithms tells. */
export const ALGORITHMS = ['xgboost', 'linear-learner'].map(name => ({
  AlgorithmName: name,
  DisplayName: name.toUpperCase(),
  Description: `About ${name}.`,
  TrainingImage: `1.dkr.ecr.us-east-1.amazonaws.com/${name}:1`,
  Repositories: [name]
}));
/** What DescribeDefaults tells. */
export const DEFAULTS = {
  Account: '0',
  Region: 'us-east-1',
  RoleArn: 'arn:aws:iam::000000000000:role/R',
  Bucket: 'usual'
};

/** A hyperparameter, as DescribeAlgorithm tells of one. */
export const row = (name: string, more: object = {}) => ({
  Name: name,
  Aliases: [],
  Description: `What ${name} does.`,
  Type: 'float',
  Values: [],
  Words: [],
  Valid: '',
  DefaultValue: '',
  IsRequired: false,
  IsCommon: false,
  IsTunable: false,
  IsOpen: false,
  ...more
});

/** Hyperparameters of every sort. */
export const ROWS = [
  row('rounds', { Type: 'integer', IsRequired: true }),
  row('eta', {
    IsCommon: true,
    DefaultValue: '0.3',
    Range: { MinValue: 0, IsMinExcluded: true, IsMaxExcluded: false },
    Words: ['auto']
  }),
  row('kind', {
    Type: 'choice',
    IsCommon: true,
    Values: ['tree', 'line'],
    DefaultValue: 'tree'
  }),
  row('slope', { IsCommon: true, When: { Name: 'kind', Values: ['line'] } }),
  row('seed', { Aliases: ['random_state'] })
];

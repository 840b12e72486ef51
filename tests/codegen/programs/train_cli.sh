aws sagemaker create-training-job --cli-input-json '{
  "TrainingJobName": "generated-cli",
  "AlgorithmSpecification": {
    "TrainingImage": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5",
    "TrainingInputMode": "File"
  },
  "RoleArn": "arn:aws:iam::000000000000:role/StudioExecutionRole",
  "HyperParameters": {
    "num_round": "3",
    "objective": "reg:squarederror"
  },
  "InputDataConfig": [
    {
      "ChannelName": "train",
      "DataSource": {
        "S3DataSource": {
          "S3DataType": "S3Prefix",
          "S3Uri": "s3://generated-code/train/",
          "S3DataDistributionType": "FullyReplicated"
        }
      },
      "ContentType": "text/csv"
    },
    {
      "ChannelName": "validation",
      "DataSource": {
        "S3DataSource": {
          "S3DataType": "S3Prefix",
          "S3Uri": "s3://generated-code/train/",
          "S3DataDistributionType": "FullyReplicated"
        }
      },
      "ContentType": "text/csv"
    }
  ],
  "OutputDataConfig": {
    "S3OutputPath": "s3://generated-code/output"
  },
  "ResourceConfig": {
    "InstanceType": "ml.m5.large",
    "InstanceCount": 1,
    "VolumeSizeInGB": 5
  },
  "StoppingCondition": {
    "MaxRuntimeInSeconds": 600,
    "MaxWaitTimeInSeconds": 900
  },
  "EnableManagedSpotTraining": true,
  "CheckpointConfig": {
    "S3Uri": "s3://generated-code/checkpoints/generated-cli"
  },
  "Environment": {
    "GREETING": "it'\''s \"quoted\" \\ $HOME\n☃ true"
  },
  "Tags": [
    {
      "Key": "note",
      "Value": "one: 100"
    },
    {
      "Key": "yes",
      "Value": "1e3"
    }
  ]
}'

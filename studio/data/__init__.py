"""Looking at data: profiles, rows, charts and comparisons of files on disk and objects in S3.

Runs as a process of its own beside the Jupyter server (`python -m studio.data.worker`); knows
nothing of the control plane: objects are read with boto3 from the environment, as a notebook would.
"""

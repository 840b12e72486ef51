"""Script mode: a user's own script in the /opt/ml contract, as AWS's framework containers run it.

`train` makes the script's packages and variables, and the process then becomes the script; `serve`
puts a model server in front of processes that have loaded the model. The program runs in Studio's
Python, the script in the interpreter that comes first in PATH: neither needs the other's packages.
The source lies in /opt/ml/code already: the platform fetches it as the role of the job.
"""

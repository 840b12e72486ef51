"""The small process that owns one run. Standard library only: it starts in milliseconds.

It outlives the control plane and talks to nobody: it reads `spec.json`, writes `status.json`,
`log.idx` and `exit.json`, and looks for a file `stop`.
"""

"""Other people's test suites, written against AWS, run against a real Studio.

`python -m suites [NAME ...]` (or `make suites`) takes each suite's source from PyPI, at the version
and with the hash that its `NAME.toml` gives, makes a virtual environment for it below `.suites/`,
starts a Studio, runs the suite's own tests and compares what fails with what `NAME.toml` says must
fail, and why. It needs the network, so it is no part of `make test`.
"""

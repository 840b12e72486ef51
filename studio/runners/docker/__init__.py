"""Runs in containers: what the Docker Engine API is asked for, and the process that asks.

Standard library only: a run's client starts in a fraction of the time that a package would take.
"""

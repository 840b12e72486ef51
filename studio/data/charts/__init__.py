"""Plotly figures with a table of their numbers and the code that makes the same in a notebook."""

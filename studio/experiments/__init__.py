"""Experiments: values and series of components, and the language that asks for them."""

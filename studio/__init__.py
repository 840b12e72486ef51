"""Studio: Amazon SageMaker that people own."""

__version__ = "0.1.0"

"""`python -m studio.algorithms.linear_learner --tag 1 train|serve`: the container's program."""

from studio.algorithms import program

if __name__ == "__main__":
    program.main("studio.algorithms.linear_learner")

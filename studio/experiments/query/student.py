"""How far the mean of a sample may be from the true one."""

import math

_Z = 1.959963984540054
# 97.5 % of Student's t for 1, 2, ... degrees of freedom.
_FEW = (
    12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157,
    2.228139, 2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922,
    2.093024, 2.085963, 2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831,
    2.048407, 2.045230, 2.042272,
)  # fmt: skip


def half_width(count: int, deviation: float) -> float:
    """Of the 95 % confidence interval of the mean of so many values; NaN for fewer than two."""
    if count < 2:
        return math.nan
    return _quantile(count - 1) * deviation / math.sqrt(count)


def _quantile(freedom: int) -> float:
    """97.5 % of Student's t, to six digits."""
    if freedom <= len(_FEW):
        return _FEW[freedom - 1]
    z = _Z
    terms: tuple[float, ...] = (  # Cornish and Fisher's expansion
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + math.fsum(term / float(freedom) ** (n + 1) for n, term in enumerate(terms))

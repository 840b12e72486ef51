"""A straight line through points, and how sure it is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from studio.data.charts.drawing import Drawn, Part
from studio.data.charts.figures import Axis, Doc, packed
from studio.data.charts.frames import Frame
from studio.data.charts.points import Scatter, there
from studio.data.protocol.charts import ChartSpec, Fact

Array = NDArray[Any]

_BAND = 100  # places along x
_LEAST = 3  # points
_SOURCE = "Draper and Smith, Applied Regression Analysis, 3rd ed., chapter 1"
_CODE = """
import numpy as np
from scipy import stats

points = df[[{x!r}, {y!r}]].replace([np.inf, -np.inf], np.nan).dropna().astype(float)
fit = stats.linregress(points[{x!r}], points[{y!r}])
xs = np.linspace(points[{x!r}].min(), points[{x!r}].max(), 100)
line = fit.intercept + fit.slope * xs
n, mean = len(points), points[{x!r}].mean()
left = points[{y!r}] - fit.intercept - fit.slope * points[{x!r}]
s = np.sqrt((left**2).sum() / (n - 2))
spread = ((points[{x!r}] - mean) ** 2).sum()
band = stats.t.ppf(0.975, n - 2) * s * np.sqrt(1 / n + (xs - mean) ** 2 / spread)
fig.add_scatter(x=xs, y=line + band, mode="lines", line_width=0, showlegend=False)
fig.add_scatter(x=xs, y=line - band, mode="lines", line_width=0, fill="tonexty", name="95 % band")
fig.add_scatter(x=xs, y=line, mode="lines", name="fit")
print(f"n = {{n}}, slope = {{fit.slope:.6g}}, R2 = {{fit.rvalue**2:.4f}}, p = {{fit.pvalue:.3g}}")
""".rstrip()


@dataclass(frozen=True)
class Fit:
    """Least squares of y = intercept + slope x; `left` is the standard deviation of what is left
    (n - 2), `spread` the sum of squares of x about its mean."""

    n: int
    slope: float
    intercept: float
    r2: float
    left: float
    spread: float
    mean: float

    @property
    def t(self) -> float:
        """Student's t for 95 % on both sides."""
        return float(special.stdtrit(self.n - 2, 0.975))

    @property
    def slope_error(self) -> float:
        return float(self.left / np.sqrt(self.spread))

    @property
    def p(self) -> float:
        """Of a slope as far from 0, were there none."""
        if self.slope_error == 0:
            return 0.0
        t = abs(self.slope) / self.slope_error
        return float(2 * special.stdtr(self.n - 2, -t))

    def line(self, xs: Array) -> Array:
        found: Array = self.intercept + self.slope * xs
        return found

    def band(self, xs: Array) -> Array:
        """Half the width of the 95 % confidence band of the mean of y."""
        found: Array = (
            self.t * self.left * np.sqrt(1 / self.n + (xs - self.mean) ** 2 / self.spread)
        )
        return found


def fitted(xs: Array, ys: Array) -> Fit | None:
    """None: fewer than three points, or all of one x."""
    n = len(xs)
    if n < _LEAST or xs.min() == xs.max():
        return None
    mean, middle = xs.mean(), ys.mean()
    across, up = xs - mean, ys - middle
    spread, height = float(across @ across), float(up @ up)
    slope = float(across @ up) / spread
    rest = up - slope * across
    unexplained = float(rest @ rest)
    r2 = 1 - unexplained / height if height > 0 else 1.0
    left = float(np.sqrt(unexplained / (n - 2)))
    return Fit(n, slope, float(middle - slope * mean), r2, left, spread, float(mean))


class Regression(Scatter):
    """A scatter with a line fitted to all of its rows, not only to those that are drawn."""

    def __init__(self, frame: Frame, spec: ChartSpec) -> None:
        super().__init__(frame, spec)
        self.x, self.y = Axis(spec.x or "", self.x.kind), Axis(spec.y or "", self.y.kind)
        self.title = f"{spec.y} by {spec.x}, with a straight line"
        self.code = f"{self.code}{_CODE.format(x=spec.x, y=spec.y)}"

    def draw(self, part: Part) -> Drawn:
        drawn = super().draw(part)
        rows = there(part.rows, self._xs, self._ys)
        fit = fitted(self._xs[rows], self._ys[rows])
        if fit is None:
            return drawn
        xs = np.linspace(self._xs[rows].min(), self._xs[rows].max(), _BAND)
        drawn.traces += [_band(xs, fit), _line(xs, fit)]
        drawn.facts += _facts(fit)
        drawn.shown = len(rows)
        return drawn


def _line(xs: Array, fit: Fit) -> Doc:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": packed(xs),
        "y": packed(fit.line(xs)),
        "showlegend": False,
        "meta": {"role": "fit"},
    }


def _band(xs: Array, fit: Fit) -> Doc:
    line, half = fit.line(xs), fit.band(xs)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": packed(np.concatenate([xs, xs[::-1]])),
        "y": packed(np.concatenate([line + half, (line - half)[::-1]])),
        "fill": "toself",
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
        "meta": {"role": "band"},
    }


def _facts(fit: Fit) -> list[Fact]:
    half = fit.t * fit.slope_error
    between = f"95 % confidence: {fit.slope - half:.6g} to {fit.slope + half:.6g}"
    return [
        Fact("n", fit.n, "Rows that have both x and y."),
        Fact(
            "slope",
            fit.slope,
            f"Least squares: sum((x - mean x)(y - mean y)) / sum((x - mean x)^2). {between}.",
        ),
        Fact("intercept", fit.intercept, "mean y - slope * mean x."),
        Fact("R2", fit.r2, "Share of the variance of y that the line explains: 1 - SSE / SST."),
        Fact(
            "p",
            fit.p or "< 1e-300",
            "Of a slope as far from 0 if there were none: Student's t, n - 2 degrees of freedom.",
        ),
        Fact(
            "band",
            fit.left,
            "Residual standard deviation s. The band is the 95 % confidence of the mean of y: "
            f"y +/- t(0.975, n - 2) s sqrt(1/n + (x - mean x)^2 / sum((x - mean x)^2)). {_SOURCE}.",
        ),
    ]

"""A trained k-means model: centres, the assignment of points to them, and its file.

The file is the one of AWS's algorithm, `model_algo-1`: MXNet's list of arrays with the one array of
centres, float32 `(k, d)`, which `mxnet.ndarray.load` reads. Nothing in it can run.
"""

import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from studio.algorithms.kmeans import geometry
from studio.algorithms.kmeans.geometry import Array, Frame, Points

FILE = "model_algo-1"
_LIST, _V1, _V2, _V3 = 0x112, 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_CPU, _DENSE = 1, 0
_DTYPES = {0: "<f4", 1: "<f8"}


@dataclass(frozen=True)
class Model:
    """`centers` `(k, d)`, float32, of raw points."""

    centers: Array

    @property
    def feature_dim(self) -> int:
        return int(self.centers.shape[1])

    @cached_property
    def _frame(self) -> Frame:
        return Frame.of(self.centers)

    def assign(self, points: Points) -> tuple[Array, Array]:
        """(number of the nearest centre, squared distance to it) of raw points, float64."""
        plain = geometry.is_sparse(points)
        frame = Frame(np.zeros(self.feature_dim, np.float32)) if plain else self._frame
        centers = self.centers.astype(np.float64) - frame.origin
        inside = frame.inside(points)
        labels = geometry.nearest(inside, centers)
        return labels, geometry.squared(inside, centers, labels)


def save(model: Model, folder: Path) -> None:
    """Write the model's file, all of it or nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, columns = model.centers.shape
    head = struct.pack("<QQQ", _LIST, 0, 1)
    array = struct.pack("<IiIqqiii", _V2, _DENSE, 2, rows, columns, _CPU, 0, 0)
    names = struct.pack("<Q", 0)
    temporary = folder / f".{FILE}"
    temporary.write_bytes(head + array + model.centers.astype("<f4").tobytes() + names)
    temporary.replace(folder / FILE)


def load(folder: Path) -> Model:
    """Read what `save` or AWS's algorithm wrote. Raises ValueError when it is something else."""
    path = folder / FILE
    try:
        centers = _read(path.read_bytes())
    except (OSError, struct.error, ValueError) as error:
        raise ValueError(f"{path} holds no k-means model: {error}") from error
    if not np.isfinite(centers).all():
        raise ValueError(f"{path} holds centres that are not finite")
    return Model(centers)


def _read(data: bytes) -> Array:
    magic, _, count = struct.unpack_from("<QQQ", data)
    if magic != _LIST or count < 1:
        raise ValueError("it is no list of arrays")
    (version,) = struct.unpack_from("<I", data, 24)
    if version not in (_V1, _V2, _V3):
        raise ValueError("its first array has an unknown layout")
    position = 28
    if version != _V1:
        if struct.unpack_from("<i", data, position)[0] != _DENSE:
            raise ValueError("its first array is not dense")
        position += 4
    dimensions, rows, columns, _, _, kind = struct.unpack_from("<Iqqiii", data, position)
    position += struct.calcsize("<Iqqiii")
    if dimensions != 2 or rows < 1 or columns < 1 or kind not in _DTYPES:
        raise ValueError("its first array is no matrix of numbers")
    dtype = np.dtype(_DTYPES[kind])
    if rows * columns * dtype.itemsize > len(data) - position:
        raise ValueError("it is cut short")
    flat = np.frombuffer(data, dtype, rows * columns, position)
    return flat.reshape(rows, columns).astype(np.float32)

import numpy
import numpy as np
from numpy import load as load_array
from numpy.lib import format as npy_format


def features(path):
    # ruleid: numpy-allow-pickle
    return np.load(path, allow_pickle=True)


def labels(folder):
    # ruleid: numpy-allow-pickle
    return numpy.load(
        folder / "labels.npy",
        allow_pickle=True,
        encoding="latin1",
    )


def vocabulary(path):
    # ruleid: numpy-allow-pickle
    return np.load(path, allow_pickle=True).item()


class Archive:
    def __init__(self, path):
        # ruleid: numpy-allow-pickle
        with load_array(path, allow_pickle=True) as arrays:
            self.arrays = dict(arrays)

    def parts(self, paths):
        # ruleid: numpy-allow-pickle
        return np.concatenate([np.load(p, allow_pickle=True)["x"] for p in paths])

    def positional_mode(self, path):
        # ruleid: numpy-allow-pickle
        return np.load(path, "r", allow_pickle=True)

    def third_argument(self, path):
        # ruleid: numpy-allow-pickle
        return np.load(path, None, True)

    def header(self, stream):
        # ruleid: numpy-allow-pickle
        return npy_format.read_array(stream, allow_pickle=True)

    def flagged(self, path):
        objects = True
        # ruleid: numpy-allow-pickle
        return np.load(path, allow_pickle=objects)


def settings(path):
    # ruleid: numpy-allow-pickle
    boxed = np.load(path, allow_pickle=True)
    return boxed.item()["rate"]


def plain(path):
    # ok: numpy-allow-pickle
    return np.load(path)


def plain_explicit(path):
    # ok: numpy-allow-pickle
    return np.load(path, allow_pickle=False)


def by_option(path, trusted):
    # ok: numpy-allow-pickle
    return np.load(path, allow_pickle=trusted)


def write(path, table):
    # ok: numpy-allow-pickle
    np.save(path, table, allow_pickle=True)


def read_table(store, name):
    # ok: numpy-allow-pickle
    return store.load(name, allow_pickle=True)

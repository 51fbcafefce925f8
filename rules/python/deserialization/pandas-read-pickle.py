import pickle

import pandas
import pandas as pd
from pandas import read_pickle
from pandas import read_pickle as load_frame


def prices(path):
    # ruleid: pandas-read-pickle
    return pd.read_pickle(path)


def uploaded(request):
    # ruleid: pandas-read-pickle
    frame = pandas.read_pickle(
        request.files["table"],
        compression="gzip",
    )
    return frame.describe()


def every(paths):
    # ruleid: pandas-read-pickle
    return pd.concat(map(pd.read_pickle, paths))


class Store:
    # ruleid: pandas-read-pickle
    readers = {".csv": pd.read_csv, ".pkl": pd.read_pickle}

    def __init__(self, path):
        # ruleid: pandas-read-pickle
        self.frame = read_pickle(filepath_or_buffer=path).set_index("id")

    def parts(self, paths):
        # ruleid: pandas-read-pickle
        return [load_frame(p) for p in paths]


# ruleid: pandas-read-pickle
latest = lambda folder: pd.read_pickle(folder / "latest.pkl")


def columnar(path):
    # ok: pandas-read-pickle
    return pd.read_parquet(path)


def table(path):
    # ok: pandas-read-pickle
    return pd.read_csv(path)


def write(frame, path):
    # ok: pandas-read-pickle
    frame.to_pickle(path)


def round_trip(frame, path):
    frame.to_pickle(path)
    # ok: pandas-read-pickle
    return pd.read_pickle(path).equals(frame)


def cucumbers(jar):
    # ok: pandas-read-pickle
    return jar.read_pickle(0)


def plain_pickle(stream):
    # ok: pandas-read-pickle
    return pickle.load(stream)

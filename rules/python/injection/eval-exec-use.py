import argparse
import ast
import builtins
import os

import pandas as pd
import torch


def settings(text):
    # ruleid: eval-exec-use
    values = eval(text)
    # ok: eval-exec-use
    checked = ast.literal_eval(text)
    return values, checked


def workers():
    # ruleid: eval-exec-use
    debug = eval(os.environ.get("APP_DEBUG", "False"))
    # ruleid: eval-exec-use
    return debug, eval(os.getenv("APP_WORKERS"))


class Plugin:
    def __init__(self, path):
        with open(path, encoding="utf-8") as stream:
            # ruleid: eval-exec-use
            exec(stream.read(), self.__dict__)

    def call(self, name, value):
        # ruleid: eval-exec-use
        return eval("self." + name + "(value)")

    def formula(self, expression, row):
        source = f"lambda row: {expression}"
        # ruleid: eval-exec-use
        return builtins.eval(
            source,
            {"__builtins__": {}},
        )(row)


def arguments():
    parser = argparse.ArgumentParser()
    # ruleid: eval-exec-use
    parser.add_argument("--shape", type=eval, help="a tuple")
    # ruleid: eval-exec-use
    parser.add_argument("--verbose", type=eval, default=True, choices=[True, False])
    # ok: eval-exec-use
    parser.add_argument("--stride", type=ast.literal_eval)
    return parser.parse_args()


def table(path):
    # ruleid: eval-exec-use
    frame = pd.read_csv(path, converters={"labels": eval})
    # ruleid: eval-exec-use
    frame["boxes"] = frame["boxes"].apply(eval)
    # ok: eval-exec-use
    frame["area"] = frame.eval("width * height")
    # ruleid: eval-exec-use
    rows = [eval(line) for line in frame["raw"]]
    # ruleid: eval-exec-use
    return frame, rows, list(map(eval, frame["more"]))


def fixed(model, data):
    # ok: eval-exec-use
    model.eval()
    # ok: eval-exec-use
    torch.no_grad()(model.eval)
    # ok: eval-exec-use
    exec("from math import pi", data)
    formula = "1 + 1"
    # ok: eval-exec-use
    return eval(formula)

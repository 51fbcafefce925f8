from collections import OrderedDict
from pathlib import Path


def flatten(node, out):
    # ruleid: type-comparison
    if type(node) == list:
        for child in node:
            flatten(child, out)
    # ok: type-comparison
    elif type(node) is dict:
        flatten(list(node.values()), out)
    # ruleid: type-comparison
    elif type(node) != str:
        out.append(str(node))
    # ruleid: type-comparison
    elif type(node.get("text", "")) == bytes:
        out.append(node)


def open_target(target, mode="r"):
    # ruleid: type-comparison
    if type(target) in (str, Path):
        return open(target, mode, encoding="utf-8")
    # ruleid: type-comparison
    if target.__class__.__name__ == "StringIO":
        return target
    # ruleid: type-comparison
    if type(target) not in [int, float]:
        raise TypeError(target)
    # ruleid: type-comparison
    return [line for line in target if type(line) == type("")]


class Money:
    def __init__(self, amount):
        # ok: type-comparison
        self.amount = amount if isinstance(amount, int) else int(amount)

    def __eq__(self, other):
        # ok: type-comparison
        return type(other) == Money and other.amount == self.amount

    def same_kind(self, other):
        # ok: type-comparison
        return type(self) is type(other) or type(self) == type(other)


def describe(value, kinds):
    # ok: type-comparison
    if type(value) is OrderedDict:
        return "ordered"
    # ok: type-comparison
    return kinds[type(value)].type == str

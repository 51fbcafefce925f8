import ast
import code
import marshal
import re
import types
from code import InteractiveInterpreter
from types import FunctionType

RULE = "price * 2"


def run_file(path):
    with open(path, encoding="utf-8") as stream:
        # ruleid: code-compile
        program = compile(stream.read(), path, "exec")
    return program


def formula(expression):
    source = f"lambda row: {expression}"
    # ruleid: code-compile
    return eval(compile(source, "<formula>", "eval"))


def many(expressions):
    # ruleid: code-compile
    return [compile(text, "<rule>", "eval") for text in expressions]


class Console:
    def __init__(self):
        self.shell = InteractiveInterpreter()

    def answer(self, line):
        # ruleid: code-compile
        InteractiveInterpreter(locals={"console": self}).runsource(line)

    def push(self, line):
        shell = code.InteractiveConsole()
        # ruleid: code-compile
        return shell.push(line)

    def load(self, data):
        body = marshal.loads(data)
        # ruleid: code-compile
        return FunctionType(body, globals(), "loaded")

    def keyword(self, request):
        return compile(
            # ruleid: code-compile
            source=request.args["rule"],
            filename="<request>",
            mode="eval",
        )


def fixed():
    # ok: code-compile
    return compile(RULE, "<rule>", "eval")


def check(text):
    # ok: code-compile
    return compile(text, "<check>", "exec", ast.PyCF_ONLY_AST)


def pattern(text):
    # ok: code-compile
    return re.compile(text)


def from_tree():
    tree = ast.parse(RULE, mode="eval")
    # ok: code-compile
    return compile(tree, "<rule>", "eval")


def copy(function, name):
    # ok: code-compile
    return types.FunctionType(function.__code__, function.__globals__, name)

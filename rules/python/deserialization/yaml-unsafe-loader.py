import functools

import ruamel.yaml
import yaml
import yaml as y
from yaml import SafeLoader

try:
    from yaml import CLoader as FastLoader
except ImportError:
    from yaml import Loader as FastLoader


def read_settings(path):
    with open(path, encoding="utf-8") as stream:
        # ruleid: yaml-unsafe-loader
        return yaml.load(stream, Loader=yaml.Loader)


def read_fast(text):
    # ruleid: yaml-unsafe-loader
    return y.load(text, y.CLoader)["spec"]


def read_with_fallback(text):
    # ruleid: yaml-unsafe-loader
    return yaml.load(text, Loader=FastLoader)


def read_all(stream):
    documents = yaml.load_all(
        stream,
        # ruleid: yaml-unsafe-loader
        Loader=yaml.FullLoader,  # the playbooks use anchors
    )
    return [d for d in documents if d]


# ruleid: yaml-unsafe-loader
class IncludeLoader(yaml.Loader):
    """Resolves `!include` relative to the document."""

    def include(self, node):
        return self.construct_scalar(node)


class LayeredStore:
    # ruleid: yaml-unsafe-loader
    parse = staticmethod(functools.partial(yaml.load, Loader=yaml.UnsafeLoader))

    def first(self, stream):
        # ruleid: yaml-unsafe-loader
        reader = yaml.Loader(stream)
        return reader.get_single_data()

    # ruleid: yaml-unsafe-loader
    def second(self, stream, loader=yaml.FullLoader):
        return yaml.load(stream, Loader=loader)

    def third(self, stream):
        # ruleid: yaml-unsafe-loader
        loader = yaml.FullLoader
        return yaml.load(stream, loader)


def old_ruamel(stream):
    # ruleid: yaml-unsafe-loader
    return ruamel.yaml.load(stream, Loader=ruamel.yaml.Loader)


def read_safely(stream):
    # ok: yaml-unsafe-loader
    return yaml.load(stream, Loader=SafeLoader)


def read_fast_and_safe(stream):
    # ok: yaml-unsafe-loader
    return yaml.load(stream, Loader=yaml.CSafeLoader)


def read_strings_only(stream):
    # ok: yaml-unsafe-loader
    return yaml.load(stream, y.BaseLoader)


# ok: yaml-unsafe-loader
class TimestampFreeLoader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}


def render(jinja2, template):
    # ok: yaml-unsafe-loader
    return jinja2.Environment(loader=jinja2.FileSystemLoader(template))


def describe(loader):
    # ok: yaml-unsafe-loader
    return "full" if loader is yaml.FullLoader else "other"


def compose(loader, node):
    return loader.construct_sequence(node)


yaml.add_constructor("!compose", compose)


def read_with_own_tags(stream):
    # ruleid: yaml-unsafe-loader
    return yaml.load(stream, Loader=yaml.FullLoader)

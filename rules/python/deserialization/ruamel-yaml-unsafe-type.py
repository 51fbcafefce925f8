import ruamel.yaml
import ruamel.yaml as ry
from ruamel import yaml
from ruamel.yaml import YAML
from ruamel.yaml import YAML as Yaml


def read_inventory(path):
    # ruleid: ruamel-yaml-unsafe-type
    parser = YAML(typ="unsafe")
    with open(path, encoding="utf-8") as stream:
        return parser.load(stream)


def read_release(text):
    # ruleid: ruamel-yaml-unsafe-type
    return ruamel.yaml.YAML(typ='unsafe', pure=True).load(text)


class Playbooks:
    # ruleid: ruamel-yaml-unsafe-type
    parser = ry.YAML(
        pure=True,
        typ="unsafe",
    )

    def __init__(self, plugins):
        # ruleid: ruamel-yaml-unsafe-type
        self.strict = Yaml(typ="unsafe", plug_ins=plugins)

    def every(self, texts):
        # ruleid: ruamel-yaml-unsafe-type
        return [yaml.YAML(typ="unsafe").load(t) for t in texts]

    def listed(self):
        # ruleid: ruamel-yaml-unsafe-type
        return YAML(typ=["unsafe", "bytes"])

    def chosen(self):
        kind = "unsafe"
        # ruleid: ruamel-yaml-unsafe-type
        return YAML(typ=kind)


def read_safely(path):
    # ok: ruamel-yaml-unsafe-type
    return YAML(typ="safe").load(path)


def edit(path):
    # ok: ruamel-yaml-unsafe-type
    return YAML().load(path)


def edit_explicitly(path):
    # ok: ruamel-yaml-unsafe-type
    return YAML(typ="rt", pure=True).load(path)


def report(area, register):
    # ok: ruamel-yaml-unsafe-type
    register(area, typ="unsafe")

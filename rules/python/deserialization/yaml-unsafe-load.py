import json
import pathlib

import yaml
import yaml as y
from yaml import load as read_yaml
from yaml import unsafe_load


def read_settings(path):
    with open(path, encoding="utf-8") as stream:
        # ruleid: yaml-unsafe-load
        return yaml.load(stream)


def read_manifests(text):
    # ruleid: yaml-unsafe-load
    for document in y.load_all(text):
        yield document["kind"], document


def read_upload(request):
    # ruleid: yaml-unsafe-load
    payload = yaml.unsafe_load(
        request.files["spec"].read(),
    )
    return payload


def read_aliased(stream):
    # ruleid: yaml-unsafe-load
    return read_yaml(stream)


def read_from_import(stream):
    # ruleid: yaml-unsafe-load
    return unsafe_load(stream)


class PipelineStore:
    # ruleid: yaml-unsafe-load
    parsers = {".json": json.load, ".yaml": yaml.full_load}

    def __init__(self, root):
        self.root = pathlib.Path(root)

    def every(self):
        # ruleid: yaml-unsafe-load
        return [yaml.load(p.read_text()) for p in self.root.glob("*.yaml")]

    def batch(self, texts):
        # ruleid: yaml-unsafe-load
        return list(map(yaml.unsafe_load, texts))

    async def fetch(self, client, url):
        response = await client.get(url)
        # ruleid: yaml-unsafe-load
        return dict(y.full_load_all(stream=response.text))

    def keyword(self, handle):
        # ruleid: yaml-unsafe-load
        return yaml.load(stream=handle) or {}


def read_safely(stream):
    # ok: yaml-unsafe-load
    return yaml.safe_load(stream)


def read_with_safe_loader(stream):
    # ok: yaml-unsafe-load
    return yaml.load(stream, Loader=yaml.SafeLoader)


def read_with_fast_safe_loader(stream):
    # ok: yaml-unsafe-load
    return y.load(stream, y.CSafeLoader)


def read_json(stream):
    # ok: yaml-unsafe-load
    return json.load(stream)


def defaults():
    # ok: yaml-unsafe-load
    return yaml.load("{retries: 3, timeout: 10}")


def round_trip(path):
    from ruamel.yaml import YAML

    yaml = YAML()
    # ok: yaml-unsafe-load
    return yaml.load(pathlib.Path(path))


def compose(loader, node):
    return loader.construct_sequence(node)


yaml.add_constructor("!compose", compose)


def read_with_own_tags(stream):
    # ruleid: yaml-unsafe-load
    return yaml.full_load(stream)

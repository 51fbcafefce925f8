"""Makes the trimmed copies of GitHub's own descriptions that the server is held to.

    npm pack @octokit/openapi @octokit/graphql-schema
    python -m tests.support.github.trim_openapi octokit-openapi-*.tgz octokit-graphql-schema-*.tgz

Kept are the operations that the server has (its routes say which) with the schemas they name, and of the GraphQL
schema the fields of `kept.KEPT` with the types they name. Prose and examples are dropped, and OpenAPI 3.0's dialect
becomes the JSON Schema that `jsonschema` knows: `nullable` becomes a type. Objects are closed, so that a property
that GitHub does not know is an error on either side.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphql import DocumentNode, parse, print_ast, visit
from graphql.language import REMOVE, Visitor

from tests.support.github import routes
from tests.support.github.kept import KEPT
from tests.support.github.places import DATA, GRAPHQL, OPENAPI, SOURCES
from tests.support.github.routing import ROUTES

_PROSE = {
    "description", "example", "examples", "summary", "externalDocs", "x-github", "title", "tags", "deprecated",
    "discriminator", "x-github-breaking-changes", "operationId", "default", "x-multi-segment", "nullable",
}  # fmt: skip
# Events that a webhook or a workflow's event file tells.
WEBHOOKS = (
    "webhook-issue-comment-created", "webhook-pull-request-opened", "webhook-pull-request-synchronize",
    "webhook-pull-request-edited", "webhook-workflow-run-completed", "webhook-pull-request-review-comment-created",
)  # fmt: skip
# Where GitHub answers otherwise than it describes: (schema, path to a property, why). Each may be null.
MAY_BE_NULL = (
    ("pull-request", "head.repo", "a pull request outlives its fork"),
    ("pull-request-simple", "head.repo", "a pull request outlives its fork"),
    ("pull-request-review-comment", "line", "null once the comment is outdated"),
    ("pull-request-review-comment", "position", "null once the comment is outdated"),
    ("review-comment", "line", "null once the comment is outdated"),
)


class Trimmer:
    """Collects the operations and what they refer to."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.whole = description
        self.kept: dict[str, dict[str, Any]] = {}

    def operation(self, method: str, template: str) -> dict[str, Any]:
        """One operation: parameters, body and answers."""
        found = self.whole["paths"][template][method.lower()]
        parameters = [self.deref(each) for each in found.get("parameters", [])]
        body = found.get("requestBody")
        kept: dict[str, Any] = {
            "parameters": [
                {"name": each["name"], "in": each["in"], "schema": self.schema(each["schema"])}
                for each in parameters
                if each["in"] in ("query", "path")
            ],
            "responses": {status: self._content(self.deref(each)) for status, each in found["responses"].items()},
        }
        if body is not None:
            kept["body"] = {"required": body.get("required", False), **self._content(self.deref(body))}
        return kept

    def _content(self, found: dict[str, Any]) -> dict[str, Any]:
        """The schema of the JSON. Other media types (diffs, raw files) are not described further by GitHub."""
        content = found.get("content", {})
        return {"schema": self.schema(content["application/json"]["schema"])} if "application/json" in content else {}

    def deref(self, found: dict[str, Any]) -> dict[str, Any]:
        """What a reference points to."""
        if "$ref" not in found:
            return found
        _, _, kind, name = found["$ref"].split("/", 3)
        target: dict[str, Any] = self.whole["components"][kind][name]
        return target

    def component(self, name: str) -> dict[str, Any]:
        """A reference to a schema, which is kept with all that it refers to."""
        if name not in self.kept:
            self.kept[name] = {}
            # GitHub's errors carry more than they are described with.
            self.kept[name] |= self.schema(self.whole["components"]["schemas"][name], is_closed="error" not in name)
        return {"$ref": f"#/$defs/{name}"}

    def schema(self, found: dict[str, Any], *, is_closed: bool = True) -> dict[str, Any]:
        """The same as JSON Schema."""
        if "$ref" in found:
            return self.component(found["$ref"].rpartition("/")[2]) if is_closed else self.schema(self.deref(found))
        has_parts = "properties" in found or "allOf" in found
        new: dict[str, Any] = {}
        for key, value in found.items():
            if key == "properties":
                new[key] = {name: self.schema(each) for name, each in value.items()}
            elif key in ("items", "additionalProperties") and isinstance(value, dict):
                new[key] = self.schema(value)
            elif key in ("oneOf", "anyOf", "allOf"):
                # Errors are left open, so one may fit several.
                is_of_errors = all("error" in each.get("$ref", "") for each in value)
                new["anyOf" if is_of_errors else key] = [self._part(each, is_open=has_parts) for each in value]
            elif key not in _PROSE:
                new[key] = value
        if is_closed and has_parts and "additionalProperties" not in found:
            new["unevaluatedProperties"] = False
        return _nullable(new) if found.get("nullable") else new

    def _part(self, found: dict[str, Any], *, is_open: bool) -> dict[str, Any]:
        """A part of a composition. What the whole closes, a part must leave open, and must not open for all."""
        if not is_open:
            return self.schema(found)
        part = self.schema(self.deref(found), is_closed=False)
        return {key: value for key, value in part.items() if (key, value) != ("additionalProperties", True)}

    def whole_document(self) -> dict[str, Any]:
        """All routes of the server."""
        assert routes.MODULES
        paths: dict[str, Any] = {}
        for each in ROUTES:
            paths.setdefault(each.template, {})[each.method] = self.operation(each.method, each.template)
        for name in ("basic-error", "validation-error", *WEBHOOKS):
            self.component(name)
        for name, path, _ in MAY_BE_NULL:
            _let_be_null(self.kept[name], path)
        return {"paths": paths, "$defs": self.kept}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("type"), str):
        more = {"enum": [*schema["enum"], None]} if "enum" in schema and None not in schema["enum"] else {}
        return {**schema, "type": [schema["type"], "null"], **more}
    return {"anyOf": [schema, {"type": "null"}]} if schema else {}


def _let_be_null(schema: dict[str, Any], path: str) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        schema = schema["properties"][parent]
    schema["properties"][name] = _nullable(schema["properties"][name])


class _Kept(Visitor):
    """Drops the fields, types and prose that are not kept."""

    def leave(self, node: Any, *_: Any) -> Any:
        """A copy without them; nodes don't change."""
        change: dict[str, Any] = {}
        if getattr(node, "description", None) is not None:
            change["description"] = None
        if node.kind in ("object_type_definition", "interface_type_definition"):
            fields = KEPT.get(node.name.value, ())
            change["fields"] = tuple(field for field in node.fields if field.name.value in fields)
            change["interfaces"] = tuple(
                each for each in node.interfaces or () if set(KEPT.get(each.name.value, ("?",))) <= set(fields)
            )
            if not change["fields"]:
                return REMOVE
        return type(node)(**{key: getattr(node, key) for key in node.keys if key != "loc"} | change) if change else None


def trim_graphql(text: str) -> str:
    """The kept fields, and the scalars, enums and inputs that they name."""
    document = visit(parse(text, no_location=True), _Kept())
    by_name = {each.name.value: each for each in document.definitions if getattr(each, "name", None)}
    wanted: dict[str, Any] = {}
    todo = [*KEPT, "deprecated"]
    while todo:
        name = todo.pop()
        if name in wanted or name not in by_name:
            continue
        wanted[name] = by_name[name]
        todo += _names(by_name[name])
    return print_ast(DocumentNode(definitions=tuple(wanted[name] for name in sorted(wanted)))) + "\n"


def _names(node: Any) -> Iterator[str]:
    found: list[str] = []

    class Names(Visitor):
        def enter_named_type(self, node: Any, *_: Any) -> None:
            found.append(node.name.value)

    visit(node, Names())
    return iter(found)


def _member(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as opened:
        member = opened.extractfile(f"package/{name}")
        assert member is not None, name
        return member.read()


def _source(archive: Path, member: str, licence: str) -> dict[str, str]:
    package = json.loads(_member(archive, "package.json"))
    (DATA / f"{package['name'].rpartition('/')[2]}.LICENSE").write_bytes(_member(archive, licence))
    return {
        "package": package["name"], "version": package["version"], "licence": package["license"],
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(), "member": member,
        "member_sha256": hashlib.sha256(_member(archive, member)).hexdigest(),
    }  # fmt: skip


def main(openapi: Path, graphql: Path) -> None:
    """Write the three files and both licences."""
    DATA.mkdir(exist_ok=True)
    member, schema = "generated/api.github.com.json", "schema.graphql"
    trimmed = Trimmer(json.loads(_member(openapi, member))).whole_document()
    text = json.dumps(trimmed, sort_keys=True, separators=(",", ":"))
    OPENAPI.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    GRAPHQL.write_bytes(gzip.compress(trim_graphql(_member(graphql, schema).decode()).encode(), 9, mtime=0))
    sources = [_source(openapi, member, "LICENSE"), _source(graphql, schema, "LICENSE.md")]
    changed = [{"schema": name, "may_be_null": path, "why": why} for name, path, why in MAY_BE_NULL]
    SOURCES.write_text(json.dumps({"sources": sources, "changed": changed}, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

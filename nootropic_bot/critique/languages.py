"""Which files a set of rules can say anything about.

Semgrep chooses by file name as well; this table (its documented names and suffixes) lets us leave out files
that no rule covers before they are exported, and notice when the engine passed over one that it should scan.
"""

from __future__ import annotations

from collections.abc import Iterable

_SUFFIXES: dict[str, tuple[str, ...]] = {
    "apex": (".cls",),
    "bash": (".bash", ".sh"),
    "c": (".c", ".h"),
    "clojure": (".clj", ".cljs", ".cljc", ".edn"),
    "cpp": (".cc", ".cpp", ".cxx", ".c++", ".h", ".hpp", ".hh", ".hxx", ".h++", ".pcc", ".tpp"),
    "csharp": (".cs",),
    "dart": (".dart",),
    "dockerfile": (".dockerfile",),
    "elixir": (".ex", ".exs"),
    "go": (".go",),
    "html": (".htm", ".html"),
    "java": (".java",),
    "javascript": (".cjs", ".js", ".jsx", ".mjs"),
    "json": (".ipynb", ".json"),
    "jsonnet": (".jsonnet", ".libsonnet"),
    "julia": (".jl",),
    "kotlin": (".kt", ".kts", ".ktm"),
    "lua": (".lua",),
    "ocaml": (".ml", ".mli"),
    "php": (".php", ".tpl", ".phtml"),
    "python": (".py", ".pyi"),
    "r": (".r", ".R"),
    "ruby": (".rb",),
    "rust": (".rs",),
    "scala": (".scala",),
    "scheme": (".scm", ".ss"),
    "solidity": (".sol",),
    "swift": (".swift",),
    "terraform": (".tf", ".hcl", ".tfvars"),
    "typescript": (".cts", ".mts", ".ts", ".tsx"),
    "vue": (".vue",),
    "xml": (".plist", ".xml"),
    "yaml": (".yaml", ".yml"),
}
_ALIASES = {
    "c#": "csharp",
    "c++": "cpp",
    "docker": "dockerfile",
    "ex": "elixir",
    "golang": "go",
    "hcl": "terraform",
    "js": "javascript",
    "kt": "kotlin",
    "py": "python",
    "python2": "python",
    "python3": "python",
    "rb": "ruby",
    "rs": "rust",
    "sh": "bash",
    "sol": "solidity",
    "tf": "terraform",
    "ts": "typescript",
}
# A `.js` file is also scanned by TypeScript's rules, and so on: what one language's rules can reach.
_ALSO = {"typescript": ("javascript",), "cpp": ("c",)}


class Coverage:
    """Answers for one set of rule languages."""

    def __init__(self, languages: Iterable[str]) -> None:
        names = {_ALIASES.get(language.lower(), language.lower()) for language in languages}
        names |= {other for name in names for other in _ALSO.get(name, ())}
        # `generic` and `regex` read any file; a language that this table doesn't know may.
        self._everything = bool(names - _SUFFIXES.keys())
        self._suffixes = tuple(suffix for name in names for suffix in _SUFFIXES.get(name, ()))
        self._dockerfile = "dockerfile" in names

    def may_apply(self, path: str) -> bool:
        """Whether a rule could apply: the file is worth exporting. Scripts without a suffix may start with `#!`."""
        return self._everything or self.must_apply(path) or "." not in path.rsplit("/", 1)[-1]

    def must_apply(self, path: str) -> bool:
        """Whether the engine is expected to scan it; if it does not, that is said."""
        name = path.rsplit("/", 1)[-1]
        return path.endswith(self._suffixes) or (self._dockerfile and name.lower() == "dockerfile")

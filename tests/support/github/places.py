"""Where the trimmed descriptions lie."""

from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "data" / "github"
OPENAPI, GRAPHQL, SOURCES = DATA / "openapi.json.gz", DATA / "schema.graphql.gz", DATA / "sources.json"

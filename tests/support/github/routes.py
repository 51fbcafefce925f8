"""All modules that answer requests; importing this one registers their routes."""

from tests.support.github import actions, checks, contents, limits, objects, pulls, repos, reviews

MODULES = (actions, checks, contents, limits, objects, pulls, repos, reviews)

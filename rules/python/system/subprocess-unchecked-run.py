import subprocess
import subprocess as sp
from subprocess import PIPE, run, run as execute


def tag(name):
    # ruleid: subprocess-unchecked-run
    subprocess.run(["git", "tag", name])
    print("tagged", name)


def publish(folder, target):
    # ruleid: subprocess-unchecked-run
    sp.run(
        ["rsync", "-a", folder, target],
        cwd=folder,
        env={"LANG": "C"},  # stable messages
    )


def build(targets):
    for target in targets:
        # ruleid: subprocess-unchecked-run
        run(f"make {target}", shell=True)


def build_if(target, force):
    if force:
        # ruleid: subprocess-unchecked-run
        execute(["make", "-B", target],)
    else:
        # ruleid: subprocess-unchecked-run
        run(["make", target],
            stdout=PIPE,
            stderr=PIPE)


class Database:
    def migrate(self):
        try:
            # ruleid: subprocess-unchecked-run
            subprocess.run(["alembic", "upgrade", "head"], capture_output=True)
        except subprocess.CalledProcessError as error:
            raise RuntimeError("migration failed") from error


def main():
    with open("build.log", "w", encoding="utf-8") as log:
        # ruleid: subprocess-unchecked-run
        subprocess.run(["make", "all"], stdout=log)


def tag_well(name):
    # ok: subprocess-unchecked-run
    subprocess.run(["git", "tag", name], check=True)


def tag_maybe(name):
    # ok: subprocess-unchecked-run
    subprocess.run(["git", "tag", name], check=False)


def status(command):
    # ok: subprocess-unchecked-run
    return subprocess.run(command).returncode


def has_git():
    # ok: subprocess-unchecked-run
    result = subprocess.run(["git", "--version"], capture_output=True)
    return result.returncode == 0


def require_git():
    # ok: subprocess-unchecked-run
    if subprocess.run(["git", "--version"]).returncode != 0:
        raise SystemExit("git is missing")


def passed_on(command, **options):
    # ok: subprocess-unchecked-run
    subprocess.run(command, **options)


def screen():
    # ok: subprocess-unchecked-run
    subprocess.run(["clear"])


def with_server(command):
    try:
        work(command)
    finally:
        # ok: subprocess-unchecked-run
        subprocess.run(["docker", "rm", "-f", "stock"])


def application(app):
    # ok: subprocess-unchecked-run
    app.run(["serve"])


def all_statuses(commands):
    # ok: subprocess-unchecked-run
    return [run(command) for command in commands]

import shlex
import subprocess
import subprocess as sp
import sys
from subprocess import check_output as capture

LIST_JOBS = "ps aux | grep worker"


def archive(folder, target):
    # ruleid: subprocess-shell-true
    subprocess.run(f"tar czf {target} {folder}", shell=True, check=True)
    # ok: subprocess-shell-true
    subprocess.run(["tar", "czf", target, folder], check=True)


def history(path):
    return capture(
        # ruleid: subprocess-shell-true
        "git log -- " + path,
        shell=True,
        text=True,
    )


class Converter:
    def __init__(self, program):
        self.program = program

    def convert(self, source, *options):
        command = "%s %s" % (self.program, source)
        # ruleid: subprocess-shell-true
        with sp.Popen(args=command, shell=True, stdout=sp.PIPE) as process:
            return process.stdout.read()

    def options(self, *options):
        use_shell = True
        # ruleid: subprocess-shell-true
        return sp.call(" ".join(options), shell=use_shell)

    def quoted(self, source, *options):
        source = shlex.quote(source)
        # ok: subprocess-shell-true
        sp.check_call(f"cat {source} | sort > sorted.txt", shell=True)
        # ok: subprocess-shell-true
        return sp.check_output(shlex.join(options) + " 2>/dev/null", shell=True)


def sizes(paths):
    # ruleid: subprocess-shell-true
    return {path: subprocess.getoutput("du -s {}".format(path)) for path in paths}


def mirror(source):
    # ruleid: subprocess-shell-true
    subprocess.run(["rsync", "-a", source, "backup/"], shell=True, check=True)
    # ruleid: subprocess-shell-true
    subprocess.run(
        ["rsync", "-a", source, "mirror/"],
        shell=True,  # the wrapper
        check=True,
    )


def from_keyboard():
    # ruleid: subprocess-shell-true
    subprocess.call(input("command: "), shell=True)


def jobs(count):
    # ok: subprocess-shell-true
    subprocess.run(LIST_JOBS, shell=True, check=True)
    # ok: subprocess-shell-true
    subprocess.run("ls -l | wc -l", shell=True, cwd=count.folder)
    # ok: subprocess-shell-true
    subprocess.run(f"head -n {int(count)} jobs.txt", shell=True)
    # ok: subprocess-shell-true
    subprocess.run(f"{sys.executable} -m pip list > packages.txt", shell=True)
    # ok: subprocess-shell-true
    subprocess.run(count.command, shell=False)
    # ok: subprocess-shell-true
    count.runner.run(count.command, shell=True)

import os

import numpy as np


def start(settings, path, jobs):
    # ruleid: bool-comparison
    if settings["debug"] == True:
        print("debug")
    # ruleid: bool-comparison
    elif settings.get("quiet", False) == False:
        print("ready")
    # ruleid: bool-comparison
    if os.path.exists(path) == True:
        return None
    # ruleid: bool-comparison
    while path.startswith(("/", "~")) != False and jobs:
        path = path[1:]
    # ruleid: bool-comparison
    open_jobs = [job for job in jobs if True == job.open]
    # ruleid: bool-comparison
    return (isinstance(path, str) == True), open_jobs


class Job:
    debug = False

    def run(self):
        # ruleid: bool-comparison
        if Job.debug == True:
            return 1
        # ruleid: bool-comparison
        label = "on" if self.on!=True else "off"
        # ruleid: bool-comparison
        assert self.done == False, label
        # ruleid: bool-comparison
        return filter(lambda job: job.ready == True, self.after)


def safe(session, User, frame, marks, flag, text):
    # ok: bool-comparison
    session.query(User).filter(User.active == True, User.name != "").all()
    # ok: bool-comparison
    active = User.active == True
    # ok: bool-comparison
    frame = frame[frame["open"] == True]
    # ok: bool-comparison
    count = np.count_nonzero(marks == False)
    # ok: bool-comparison
    both = (marks == True) & (frame.open == False)
    # ok: bool-comparison
    total = (marks == True).sum()
    # ok: bool-comparison
    if flag is True or not flag or text == "True":
        return active, frame, count, both, total
    # ok: bool-comparison
    return dict(strict=True, flag=flag == text)

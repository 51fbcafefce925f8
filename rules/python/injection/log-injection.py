import json
import logging

from flask import Flask, current_app, request
from loguru import logger as lg

app = Flask(__name__)
logger = logging.getLogger(__name__)
LEVELS = {"a": "basic", "b": "full"}


@app.route("/search")
def search():
    # ruleid: log-injection
    logger.info("search for %s", request.args["q"])
    # ok: log-injection
    logger.info("search for %r", request.args["q"])
    # ok: log-injection
    logger.info("search page %d", int(request.args["page"]))
    return "done"


@app.post("/login")
def login():
    name = request.form.get("name", "")
    # ruleid: log-injection
    logging.warning(f"failed login of {name}")
    # ruleid: log-injection
    app.logger.warning("failed login of " + name)
    # ruleid: log-injection
    current_app.logger.error(
        "failed login of {} from {}".format(name, request.remote_addr),
        exc_info=True,
    )
    # ok: log-injection
    logging.warning(f"failed login of {name!r}")
    # ok: log-injection
    logging.warning("failed login of %s", name.replace("\n", " "))
    return "no", 403


@app.route("/users/<user>")
def user_page(user):
    # ruleid: log-injection
    lg.debug("page of {}", user)
    # ok: log-injection
    lg.debug("page of {}", json.dumps(user))
    return user


class Upload:
    def post(self, request):
        title = request.data["title"].strip()
        # ruleid: log-injection
        self.logger.info("%s uploaded %s", self.user, title)
        # ok: log-injection
        self.logger.info("kind %s", LEVELS.get(request.data["kind"], "basic"))
        # ok: log-injection
        self.logger.info("method %s by %s", request.method, request.user)
        for part in request.FILES:
            # ruleid: log-injection
            self.log.debug("part %s", part)


async def hook(request):
    body = await request.json()
    # ruleid: log-injection
    logger.info("hook from %s", body["sender"])


def task(job, math, request):
    # ok: log-injection
    logger.info("job %s", job.name)
    # ok: log-injection
    return math.log(request.args["x"])

import asyncio
import os

import flask
from flask import Flask
from flask_socketio import SocketIO
from werkzeug.debug import DebuggedApplication
from werkzeug.serving import run_simple as serve

app = Flask(__name__)
shop = flask.Flask("shop")
socketio = SocketIO(app)
DEBUG_MODE = True

# ruleid: flask-debug-on
app.debug = True
# ruleid: flask-debug-on
app.config["DEBUG"] = True
# ruleid: flask-debug-on
app.config.update(TESTING=False, DEBUG=True)


def create_app():
    application = Flask(__name__)
    # ruleid: flask-debug-on
    application.config.update(
        {
            "JSON_SORT_KEYS": False,
            "DEBUG": True,
        }
    )
    return application


def start_shop():
    # ruleid: flask-debug-on
    shop.run(
        "127.0.0.1",
        8080,
        debug=True,
    )


def start_with_constant():
    # ruleid: flask-debug-on
    app.run(debug=DEBUG_MODE)


def start_factory():
    # ruleid: flask-debug-on
    create_app().run(port=5000, debug=1)


def start_socket():
    # ruleid: flask-debug-on
    socketio.run(app, host="127.0.0.1", debug=True)


def start_plain():
    # ruleid: flask-debug-on
    serve("localhost", 8000, app, use_debugger=True)


class Panel:
    def __init__(self):
        self.app = Flask(__name__)

    def start(self):
        # ruleid: flask-debug-on
        self.app.run(debug=True)


# ruleid: flask-debug-on
wrapped = DebuggedApplication(app, evalex=True)


def start_production():
    # ok: flask-debug-on
    app.run(port=5000, debug=False)


def start_from_environment():
    # ok: flask-debug-on
    app.run(debug=os.environ.get("FLASK_DEBUG") == "1")


async def crunch():
    return 1


def start_loop():
    # ok: flask-debug-on
    asyncio.run(crunch(), debug=True)


def start_pipeline(pipeline):
    # ok: flask-debug-on
    pipeline.run(debug=True)


def configure_logger(logger):
    # ok: flask-debug-on
    logger.debug = True


def configure_worker(worker):
    # ok: flask-debug-on
    worker.config["DEBUG"] = True

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from flask import Flask, jsonify, request
from flask_cors import CORS, cross_origin
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware as Cors

flask_app = Flask(__name__)
api = FastAPI()
ALLOWED = {"https://shop.example"}
ANYWHERE = ["*"]

# ruleid: cors-any-origin
CORS(flask_app, supports_credentials=True)
# ruleid: cors-any-origin
CORS(flask_app, resources={r"/api/*": {"origins": "*"}}, supports_credentials=True)
# ruleid: cors-any-origin
api.add_middleware(
    CORSMiddleware,
    allow_credentials=True,
    allow_origins=["*"],
    allow_methods=["GET"],
)
# ruleid: cors-any-origin
api.add_middleware(Cors, allow_origins=ANYWHERE, allow_credentials=True)
# ruleid: cors-any-origin
stack = [Middleware(Cors, allow_origin_regex=".*", allow_credentials=True)]
# ruleid: cors-any-origin
CORS_ALLOW_ALL_ORIGINS = True


@flask_app.route("/me")
# ruleid: cors-any-origin
@cross_origin(origins=["*"], supports_credentials=True)
def me():
    return jsonify(name="someone")


@flask_app.after_request
def add_headers(response):
    # ruleid: cors-any-origin
    response.headers["Access-Control-Allow-Origin"] = "*"
    # ruleid: cors-any-origin
    response.headers.add("access-control-allow-origin", "*")
    # ruleid: cors-any-origin
    response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin")
    return response


class Handler:
    def set_default_headers(self):
        # ruleid: cors-any-origin
        self.set_header("Access-Control-Allow-Origin", "*")

    def do_GET(self):
        # ruleid: cors-any-origin
        self.send_header("Access-Control-Allow-Origin", "*")


def lambda_handler(event, context):
    return {
        "statusCode": 200,
        # ruleid: cors-any-origin
        "headers": {"Access-Control-Allow-Origin": "*"},
    }


def echo(response):
    origin = request.headers.get("Origin")
    # ruleid: cors-any-origin
    response.headers["Access-Control-Allow-Origin"] = origin


# ok: cors-any-origin
CORS(flask_app, origins=["https://shop.example"], supports_credentials=True)
# ok: cors-any-origin
CORS(flask_app, resources={r"/api/*": {"origins": ["https://shop.example"]}}, supports_credentials=True)
# ok: cors-any-origin
api.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"], allow_credentials=True)
# ok: cors-any-origin
api.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET"])
# ok: cors-any-origin
CORS_ALLOW_ALL_ORIGINS = False


def checked(response):
    origin = request.headers.get("Origin")
    if origin in ALLOWED:
        # ok: cors-any-origin
        response.headers["Access-Control-Allow-Origin"] = origin
    # ok: cors-any-origin
    response.headers["Access-Control-Allow-Methods"] = "*"
    return response

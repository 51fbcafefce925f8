from django.http import HttpResponse
from fastapi import APIRouter, Response
from flask import make_response

router = APIRouter()
OPTIONS = {"secure": True, "httponly": True, "samesite": "Lax"}


def login(user):
    response = make_response("welcome")
    # ruleid: cookie-without-flags
    response.set_cookie("session", user.token)
    return response


def login_view(request):
    response = HttpResponse("welcome")
    # ruleid: cookie-without-flags
    response.set_cookie("session", request.user.token, secure=True, httponly=False, samesite="Lax")
    # ruleid: cookie-without-flags
    response.set_cookie(
        key="device",
        value=request.user.device,
        secure=False,
        httponly=False,
        samesite="Strict",
    )
    # ruleid: cookie-without-flags
    response.set_signed_cookie("cart", request.user.cart, salt="cart", httponly=True)
    return response


@router.post("/login")
async def api_login(response: Response, token: str):
    # ruleid: cookie-without-flags
    response.set_cookie("access_token", value=f"Bearer {token}", httponly=True)
    # ruleid: cookie-without-flags
    response.set_cookie("refresh_token", token, httponly=True, secure=False, samesite="lax")


class LoginHandler:
    def post(self):
        # ruleid: cookie-without-flags
        self.set_secure_cookie("user", self.get_argument("user"))

    def remember(self, reply):
        # ruleid: cookie-without-flags
        reply.set_cookie("remember", "1", secure=True, httponly=True, samesite=None)


def login_safely(response, token):
    # ok: cookie-without-flags
    response.set_cookie("session", token, secure=True, httponly=True, samesite="Lax")


def login_configured(response, token, settings):
    # ok: cookie-without-flags
    response.set_cookie(
        "session",
        token,
        httponly=settings.COOKIE_HTTPONLY,
        secure=settings.COOKIE_SECURE,
        samesite=settings.COOKIE_SAMESITE,
    )


def login_options(response, token):
    # ok: cookie-without-flags
    response.set_cookie("session", token, **OPTIONS)


def logout(response):
    # ok: cookie-without-flags
    response.set_cookie("session", "", max_age=0)
    # ok: cookie-without-flags
    response.delete_cookie("session")


def share_csrf(response, token):
    # ok: cookie-without-flags
    response.set_cookie("csrftoken", token, secure=True, httponly=False, samesite="Lax")


def remember_in_jar(jar, cookie):
    # ok: cookie-without-flags
    jar.set_cookie(cookie)

import hmac

import pytest
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.csrf import csrf_exempt as open_to_all
from flask import Flask
from flask_wtf import CSRFProtect, FlaskForm
from rest_framework.authentication import SessionAuthentication

from shop.views import CartView, health

app = Flask(__name__)
csrf = CSRFProtect(app)
# ruleid: csrf-disabled
app.config["WTF_CSRF_ENABLED"] = False
# ruleid: csrf-disabled
app.config.update(SECRET_KEY="dev", WTF_CSRF_ENABLED=False)


# ruleid: csrf-disabled
@csrf_exempt
def transfer(request):
    return request.user.transfer(request.POST["amount"])


# ruleid: csrf-disabled
@method_decorator(csrf_exempt, name="dispatch")
class OrderView(View):
    def post(self, request):
        return request.user.order()


urlpatterns = [
    # ruleid: csrf-disabled
    path("cart/", open_to_all(CartView.as_view())),
    # ok: csrf-disabled
    path("health/", health),
]


@app.post("/profile")
# ruleid: csrf-disabled
@csrf.exempt
def profile():
    return "saved"


class Config:
    # ruleid: csrf-disabled
    WTF_CSRF_ENABLED = False


class OpenSessionAuthentication(SessionAuthentication):
    # ruleid: csrf-disabled
    def enforce_csrf(self, request):
        return


class CheckoutForm(FlaskForm):
    class Meta:
        # ruleid: csrf-disabled
        csrf = False


def search_form(request):
    # ruleid: csrf-disabled
    return CheckoutForm(request.args, meta={"csrf": False})


# ok: csrf-disabled
@csrf_exempt
def payment_hook(request):
    expected = hmac.new(b"invented", request.body, "sha256").hexdigest()
    if not hmac.compare_digest(expected, request.headers["X-Signature"]):
        raise PermissionError
    return "ok"


# ok: csrf-disabled
@csrf_protect
def save(request):
    return request.user.save()


class TestingConfig(Config):
    # ok: csrf-disabled
    WTF_CSRF_ENABLED = False


@pytest.fixture
def client():
    # ok: csrf-disabled
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


def tax(item):
    # ok: csrf-disabled
    return item.exempt


class Report:
    class Meta:
        ordering = ["day"]
        # ok: csrf-disabled
        abstract = False

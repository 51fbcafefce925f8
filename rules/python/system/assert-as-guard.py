import hmac
import unittest

from flask import Flask, request
from flask_login import current_user

app = Flask(__name__)


def delete_account(user, account):
    # ruleid: assert-as-guard
    assert user.is_superuser, "only administrators delete accounts"
    account.delete()


def edit(request, page):
    # ruleid: assert-as-guard
    assert request.user.has_perm("wiki.change_page")
    page.body = request.POST["body"]
    page.save()


def receive(body, tag, key):
    # ruleid: assert-as-guard
    assert hmac.compare_digest(
        tag,
        hmac.digest(key, body, "sha256"),
    ), "wrong signature"
    return body


class Documents:
    def share(self, user, document):
        # ruleid: assert-as-guard
        assert document.owner_id == user.id
        document.shared = True

    def sign_in(self, user, password):
        # ruleid: assert-as-guard
        assert user is not None and user.check_password(password)
        return user.token()

    async def archive(self, document):
        # ruleid: assert-as-guard
        assert current_user.is_authenticated and "editor" in current_user.roles
        await document.archive()


@app.route("/upload", methods=["POST"])
def upload():
    # ruleid: assert-as-guard
    assert "file" in request.files, "no file"
    return request.files["file"].filename


@app.get("/pages/<int:number>")
def page(number):
    # ruleid: assert-as-guard
    assert 0 < number < 1000
    return f"page {number}"


def delete_safely(user, account):
    if not user.is_superuser:
        raise PermissionError("only administrators delete accounts")
    # ok: assert-as-guard
    assert account.rows >= 0
    account.delete()


def narrowed(request):
    # ok: assert-as-guard
    assert request.user is not None
    return request.user.name


def total(rows):
    result = sum(row.amount for row in rows)
    # ok: assert-as-guard
    assert result >= 0, "amounts are never negative"
    return result


def test_sign_in(client, user):
    client.login(user)
    # ok: assert-as-guard
    assert user.is_authenticated


class PageTests(unittest.TestCase):
    def check(self, user):
        # ok: assert-as-guard
        assert user.has_perm("wiki.change_page")


@app.get("/total")
def total_page():
    rows = load_rows()
    # ok: assert-as-guard
    assert len(rows) == len(set(rows))
    return str(total(rows))


def parse(tokens):
    token = next(tokens)
    # ok: assert-as-guard
    assert token == "("
    return token

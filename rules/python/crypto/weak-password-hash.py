import base64
import crypt
import hashlib
import hashlib as hl
from hashlib import sha512

import bcrypt
from passlib.hash import argon2, md5_crypt
from werkzeug.security import generate_password_hash


def register(form):
    # ruleid: weak-password-hash
    digest = hashlib.md5(form["password"].encode("utf-8")).hexdigest()
    return Account(form["name"], digest)


class Account:
    def __init__(self, name, password):
        self.name = name
        # ruleid: weak-password-hash
        self.hashed = hl.sha256(password.encode()).hexdigest()

    def change(self, salt, new_password):
        salted = salt + new_password
        # ruleid: weak-password-hash
        self.hashed = sha512(salted.encode()).hexdigest()

    def check(self, passwd):
        engine = hashlib.new("sha1")
        # ruleid: weak-password-hash
        engine.update(passwd.encode())
        return engine.hexdigest() == self.hashed

    def unix(self, password):
        # ruleid: weak-password-hash
        return crypt.crypt(password, "ab")

    def set_password(self, raw):
        # ruleid: weak-password-hash
        self.hashed = hashlib.sha1(raw.encode()).hexdigest()

    def legacy(self, password):
        # ruleid: weak-password-hash
        return md5_crypt.hash(password)


# ruleid: weak-password-hash
hashes = [hashlib.sha1(f"{pwd}:shop".encode()).digest() for pwd in read_lines()]
# ruleid: weak-password-hash
stored = generate_password_hash(password_text, "md5")


def register_well(password, salt):
    # ok: weak-password-hash
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


def register_long(password):
    # ok: weak-password-hash
    return bcrypt.hashpw(base64.b64encode(hashlib.sha256(password.encode()).digest()), bcrypt.gensalt())


def verify_file(path, password):
    user = load_user(password)
    # ok: weak-password-hash
    return hashlib.sha256(user.avatar).hexdigest()


# ok: weak-password-hash
modern = argon2.hash(read_password())
# ok: weak-password-hash
checksum = hashlib.sha256(read_file("passwords.txt")).hexdigest()
# ok: weak-password-hash
default_method = generate_password_hash(password_text)


def hash_name(password_field):
    # ok: weak-password-hash
    return hashlib.md5(password_field.name.encode()).hexdigest()

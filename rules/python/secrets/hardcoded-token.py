import os
import re

import boto3
import requests

# ruleid: hardcoded-token
GITHUB = "ghp_FAKEfakeFAKEfakeFAKEfakeFAKEfakeFAKE"


def bucket():
    return boto3.resource(
        "s3",
        # ruleid: hardcoded-token
        aws_access_key_id="AKIAFAKEFAKEFAKEFAKE",
    )


class Pay:
    # ruleid: hardcoded-token
    key: str = "sk_live_FAKEfakeFAKEfakeFAKEfake"

    def headers(self):
        # ruleid: hardcoded-token
        return {"Authorization": "Bearer glpat-FAKEfakeFAKEfakeFAKE"}


def maps(address):
    # ruleid: hardcoded-token
    return requests.get(f"https://maps.internal/{address}?key=AIzaFAKEfakeFAKEfakeFAKEfakeFAKEfakeFAK")


# ruleid: hardcoded-token
mailer = os.environ.get("MAIL_TOKEN", "SG.FAKEfakeFAKEfakeFAKE.FAKEfakeFAKEfakeFAKEfakeFAKEfake")

# ok: hardcoded-token
from_environment = os.environ["GITHUB_TOKEN"]
# ok: hardcoded-token
documented = "AKIAIOSFODNN7EXAMPLE"
# ok: hardcoded-token
pattern = re.compile("ghp_[A-Za-z0-9]{36}")
# ok: hardcoded-token
prefix = "sk_live_"
# ok: hardcoded-token
digest = "9e107d9d372bb6826bd81d3542a419d6"
# ok: hardcoded-token
masked = "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
# ok: hardcoded-token
name = "task-runner-for-nightly-backups-of-the-shop"

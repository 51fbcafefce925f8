import logging
import warnings

import requests
import urllib3
import urllib3 as u3
from requests.packages.urllib3.exceptions import InsecureRequestWarning
from urllib3 import disable_warnings

# ruleid: urllib3-warnings-disabled
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


def main():
    # ruleid: urllib3-warnings-disabled
    requests.packages.urllib3.disable_warnings(InsecureRequestWarning)


def quiet():
    # ruleid: urllib3-warnings-disabled
    u3.disable_warnings()


class Appliance:
    def __init__(self, url):
        # ruleid: urllib3-warnings-disabled
        disable_warnings(
            category=InsecureRequestWarning,
        )
        self.url = url

    def status(self):
        with warnings.catch_warnings():
            # ruleid: urllib3-warnings-disabled
            warnings.simplefilter("ignore", InsecureRequestWarning)
            return requests.get(self.url, timeout=5)


# ruleid: urllib3-warnings-disabled
warnings.filterwarnings("ignore", message="Unverified HTTPS request")
# ruleid: urllib3-warnings-disabled
warnings.filterwarnings("ignore", category=urllib3.exceptions.InsecureRequestWarning)


# ok: urllib3-warnings-disabled
urllib3.disable_warnings(urllib3.exceptions.NotOpenSSLWarning)
# ok: urllib3-warnings-disabled
warnings.filterwarnings("ignore", category=DeprecationWarning)
# ok: urllib3-warnings-disabled
warnings.filterwarnings("error", category=InsecureRequestWarning)
# ok: urllib3-warnings-disabled
logging.getLogger("urllib3").setLevel(logging.WARNING)


def calm(radio):
    # ok: urllib3-warnings-disabled
    radio.disable_warnings()

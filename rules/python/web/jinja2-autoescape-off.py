import jinja2
import jinja2 as j2
from fastapi.templating import Jinja2Templates
from flask import Flask
from jinja2 import Environment, FileSystemLoader, Template, select_autoescape
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment

app = Flask(__name__)

# ruleid: jinja2-autoescape-off
pages = Environment(loader=FileSystemLoader("templates"))
# ruleid: jinja2-autoescape-off
mails = jinja2.Environment(
    loader=jinja2.PackageLoader("shop", "mails"),
    trim_blocks=True,
)
# ruleid: jinja2-autoescape-off
plain = j2.Environment()


class Renderer:
    # ruleid: jinja2-autoescape-off
    env = SandboxedEnvironment(loader=FileSystemLoader("pages"), autoescape=False, trim_blocks=True)

    def __init__(self, folder):
        # ruleid: jinja2-autoescape-off
        self.env = Environment(
            autoescape=False,
            loader=FileSystemLoader(folder),
        )

    def relax(self):
        # ruleid: jinja2-autoescape-off
        self.env.autoescape = False
        # ruleid: jinja2-autoescape-off
        return self.env.overlay(autoescape=False)


def render(text, values):
    # ruleid: jinja2-autoescape-off
    return Environment(extensions=["jinja2.ext.do"]).from_string(text).render(**values)


# ruleid: jinja2-autoescape-off
app.jinja_env.autoescape = False
TEMPLATES = [
    # ruleid: jinja2-autoescape-off
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"autoescape": False},
    },
]

# ok: jinja2-autoescape-off
safe_pages = Environment(loader=FileSystemLoader("templates"), autoescape=True)
# ok: jinja2-autoescape-off
chosen_pages = jinja2.Environment(autoescape=select_autoescape(["html", "xml"]), loader=FileSystemLoader("templates"))
# ok: jinja2-autoescape-off
latex = Environment(loader=FileSystemLoader("latex"), block_start_string="<%", block_end_string="%>")
# ok: jinja2-autoescape-off
web = Jinja2Templates(directory="templates")
# ok: jinja2-autoescape-off
native = NativeEnvironment()
# ok: jinja2-autoescape-off
mail_text = Template("Hello {{ name }}", autoescape=True)


class Environment2:
    def build(self, scons):
        # ok: jinja2-autoescape-off
        return scons.Environment(tools=["gcc"])

"""Chat templates of our own: turns of a chat as the prompt text that a family of models was trained on.

A template that stands in a model file is code from outside (row A49 of the attack corpus) and is never read. Control
tokens are `Special`, all content is `str`: whatever a repository's text spells, it can't end its turn or begin another.
(Templates without control tokens, such as `deepseek-coder`, mark turns by plain lines, which a text can imitate: there
is nothing to be done about it but to fence data, as our prompts do.)

A runtime joins neighbouring `str` parts before it tokenizes them. The prompt of the first messages, rendered without
`is_answer_opened`, is a prefix of the prompt of all of them, part by part: so much of a model's state can be kept.

Sources: OpenAI's ChatML note and the model cards of Qwen2.5-Coder, Llama 3, DeepSeek-V2.5 and DeepSeek-Coder,
Granite 3, StarCoder2-Instruct, Gemma 2 and Phi-3.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from nootropic_bot.models.base import Message, Prompt, Role, Special, Unavailable


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """What stands around the turns of a chat.

    `begin` opens the prompt, `before` and `after` enclose a turn of each role, `answer` opens the model's next turn.
    `stop` are the tokens that end it. `default_system` is said where no system message leads. `is_system_in_user`: the
    family has no system turn; its text opens the first user turn instead.
    """

    name: str
    before: Mapping[Role, Prompt]
    after: Mapping[Role, Prompt]
    answer: Prompt
    stop: tuple[str | Special, ...]
    begin: Prompt = ()
    default_system: str = ""
    is_system_in_user: bool = False


def _same(parts: Prompt) -> Mapping[Role, Prompt]:
    return {"system": parts, "user": parts, "assistant": parts}


def _chatml() -> ChatTemplate:
    start, end = Special("<|im_start|>"), Special("<|im_end|>")
    before: dict[Role, Prompt] = {
        "system": (start, "system\n"),
        "user": (start, "user\n"),
        "assistant": (start, "assistant\n"),
    }
    return ChatTemplate("chatml", before, _same((end, "\n")), (start, "assistant\n"), (end,))


def _llama3() -> ChatTemplate:
    start, end = Special("<|start_header_id|>"), Special("<|end_header_id|>")
    turn = Special("<|eot_id|>")
    before: dict[Role, Prompt] = {
        "system": (start, "system", end, "\n\n"),
        "user": (start, "user", end, "\n\n"),
        "assistant": (start, "assistant", end, "\n\n"),
    }
    begin = (Special("<|begin_of_text|>"),)
    return ChatTemplate("llama3", before, _same((turn,)), before["assistant"], (turn,), begin)


def _deepseek() -> ChatTemplate:
    end = Special("<｜end▁of▁sentence｜>")
    before: dict[Role, Prompt] = {
        "system": (),
        "user": (Special("<｜User｜>"),),
        "assistant": (Special("<｜Assistant｜>"),),
    }
    after: dict[Role, Prompt] = {"system": (), "user": (), "assistant": (end,)}
    begin = (Special("<｜begin▁of▁sentence｜>"),)
    return ChatTemplate("deepseek", before, after, before["assistant"], (end,), begin)


def _deepseek_coder() -> ChatTemplate:
    end = Special("<|EOT|>")
    before: dict[Role, Prompt] = {"system": (), "user": ("### Instruction:\n",), "assistant": ("### Response:\n",)}
    after: dict[Role, Prompt] = {"system": ("\n",), "user": ("\n",), "assistant": ("\n", end, "\n")}
    begin = (Special("<｜begin▁of▁sentence｜>"),)
    return ChatTemplate("deepseek-coder", before, after, before["assistant"], (end,), begin)


def _granite() -> ChatTemplate:
    start, end = Special("<|start_of_role|>"), Special("<|end_of_role|>")
    turn = Special("<|end_of_text|>")
    before: dict[Role, Prompt] = {
        "system": (start, "system", end),
        "user": (start, "user", end),
        "assistant": (start, "assistant", end),
    }
    return ChatTemplate("granite", before, _same((turn, "\n")), before["assistant"], (turn,))


def _starcoder2() -> ChatTemplate:
    end = Special("<|endoftext|>")
    before: dict[Role, Prompt] = {"system": (), "user": ("### Instruction\n",), "assistant": ("### Response\n",)}
    after: dict[Role, Prompt] = {"system": ("\n\n",), "user": ("\n\n",), "assistant": (end,)}
    system = (
        "You are an exceptionally intelligent coding assistant that consistently delivers accurate and reliable "
        "responses to user instructions."
    )
    return ChatTemplate("starcoder2", before, after, before["assistant"], (end,), (end,), default_system=system)


def _gemma() -> ChatTemplate:
    start, end = Special("<start_of_turn>"), Special("<end_of_turn>")
    user: Prompt = (start, "user\n")
    answer: Prompt = (start, "model\n")
    before: dict[Role, Prompt] = {"system": user, "user": user, "assistant": answer}
    after: dict[Role, Prompt] = {"system": ("\n\n",), "user": (end, "\n"), "assistant": (end, "\n")}
    return ChatTemplate("gemma", before, after, answer, (end,), (Special("<bos>"),), is_system_in_user=True)


def _phi3() -> ChatTemplate:
    end = Special("<|end|>")
    before: dict[Role, Prompt] = {
        "system": (Special("<|system|>"), "\n"),
        "user": (Special("<|user|>"), "\n"),
        "assistant": (Special("<|assistant|>"), "\n"),
    }
    return ChatTemplate("phi3", before, _same((end, "\n")), before["assistant"], (end,))


# Of a base model without a chat: the contents below each other, and the model goes on.
_NONE = ChatTemplate("none", _same(()), _same(("\n\n",)), (), ())

TEMPLATES: Mapping[str, ChatTemplate] = MappingProxyType(
    {
        template.name: template
        for template in (
            _chatml(),
            _llama3(),
            _deepseek(),
            _deepseek_coder(),
            _granite(),
            _starcoder2(),
            _gemma(),
            _phi3(),
            _NONE,
        )
    }
)


def find_template(name: str) -> ChatTemplate:
    """The template of that name.

    Raises:
        Unavailable: we have none of that name.
    """
    template = TEMPLATES.get(name)
    if template is None:
        close = difflib.get_close_matches(name, TEMPLATES, n=1)
        hint = f"perhaps you meant {close[0]!r}" if close else f"there are {', '.join(sorted(TEMPLATES))}"
        raise Unavailable(f"there is no chat template {name!r}; {hint}")
    return template


def render_chat(template: ChatTemplate, messages: Sequence[Message], *, is_answer_opened: bool = True) -> Prompt:
    """The turns as a prompt; `is_answer_opened`: with the opening of the model's turn at the end."""
    parts: list[str | Special] = [*template.begin]
    if template.default_system and not (messages and messages[0].role == "system"):
        parts += (*template.before["system"], template.default_system, *template.after["system"])
    previous: Role | None = None
    for message in messages:
        is_open = template.is_system_in_user and previous == "system" and message.role in ("system", "user")
        parts += () if is_open else template.before[message.role]
        parts += (message.content,) if message.content else ()
        parts += template.after[message.role]
        previous = message.role
    return (*parts, *template.answer) if is_answer_opened else tuple(parts)

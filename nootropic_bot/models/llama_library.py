"""llama-cpp-python as it is installed here: whether it can be loaded, what it was built for, and its log."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any

from nootropic_bot.models.base import Unavailable

_LOG_LEVEL_ERROR = 4  # `GGML_LOG_LEVEL_ERROR` of ggml.h, which the Python package does not name.
_MAX_ERRORS = 8
_INSTALL = "pip install 'nootropic-bot[local]'"


def supports_gpu() -> bool:
    """Whether llama.cpp was built for a GPU; True where it can't be asked, which the first request will say.

    It has to be loaded for that, which takes a moment.
    """
    try:
        return bool(library().llama_supports_gpu_offload())
    except Unavailable:
        return True


def library() -> Any:
    """llama-cpp-python's low-level interface.

    Raises:
        Unavailable: it is not installed, or does not fit this machine.
    """
    try:
        import llama_cpp
    except ImportError as error:
        raise Unavailable(f"llama-cpp-python is not installed: {_INSTALL}") from error
    except (OSError, RuntimeError) as error:  # Its shared library is missing, or built for another machine.
        raise Unavailable(f"llama-cpp-python can't be loaded ({error}): {_INSTALL}") from error
    return llama_cpp


@lru_cache(maxsize=1)
def log_sink() -> tuple[list[str], object]:
    """The first few errors that llama.cpp logged since they were cleared, and the callback that takes them.

    Nothing goes to standard error.

    One for the whole process, and never freed: llama.cpp keeps its address.
    """
    interface, errors = library(), list[str]()

    def on_log(level: int, text: bytes, _data: object) -> None:
        line = text.decode("utf-8", "replace").strip() if level == _LOG_LEVEL_ERROR else ""
        if line and len(errors) < _MAX_ERRORS:
            errors.append(line)

    callback = interface.llama_log_callback(on_log)
    interface.llama_log_set(callback, ctypes.c_void_p(0))
    return errors, callback

import io

import torch
import torch as th
from torch import load as load_checkpoint


def resume(path):
    # ruleid: torch-load-unsafe
    checkpoint = torch.load(path)
    return checkpoint["epoch"], checkpoint["state"]


def evaluate(model, path, device):
    # ruleid: torch-load-unsafe
    model.load_state_dict(th.load(path, map_location=device))
    model.eval()


def resume_long(path, device):
    # ruleid: torch-load-unsafe
    return torch.load(
        path,
        map_location=device,
    )


def resume_with_comment(path):
    # ruleid: torch-load-unsafe
    return torch.load(
        path,
        map_location="cpu",  # the machine that serves has no accelerator
    )


class Ensemble:
    def __init__(self, paths):
        # ruleid: torch-load-unsafe
        self.parts = [load_checkpoint(str(p)) for p in paths]

    def from_bytes(self, body):
        # ruleid: torch-load-unsafe
        return torch.load(io.BytesIO(body), "cpu")

    def on_purpose(self, path):
        # ruleid: torch-load-unsafe
        return torch.load(path, weights_only=False)["model"]

    def with_module(self, path, dill):
        # ruleid: torch-load-unsafe
        return torch.load(path, pickle_module=dill)


def resume_safely(path):
    # ok: torch-load-unsafe
    return torch.load(path, map_location="cpu", weights_only=True)


def resume_by_option(path, trusted):
    # ok: torch-load-unsafe
    return torch.load(path, weights_only=not trusted)


def script(path):
    # ok: torch-load-unsafe
    return torch.jit.load(path)


def flash(torchlight, level):
    # ok: torch-load-unsafe
    return torchlight.load(level)


def copy_of(model):
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    # ok: torch-load-unsafe
    return torch.load(buffer)

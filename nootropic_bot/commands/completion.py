"""`completion SHELL`: the script that gives a shell completion of verbs and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from nootropic_bot.constants import TOOL_NAME

_VARIABLE = "_NOOTROPIC_BOT_COMPLETE"


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash:  eval "$(nootropic-bot completion bash)"     in ~/.bashrc
    zsh:   eval "$(nootropic-bot completion zsh)"      in ~/.zshrc
    fish:  nootropic-bot completion fish > ~/.config/fish/completions/nootropic-bot.fish
    """
    chosen = get_completion_class(shell)
    assert chosen is not None
    click.echo(chosen(ctx.find_root().command, {}, TOOL_NAME, _VARIABLE).source())

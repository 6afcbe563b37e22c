"""`letta-code`: Venice as the model behind Letta Code's agents."""

import click

from sanctum_venice_tools.cli import HELP
from sanctum_venice_tools.cli.secret import key_of_operator
from sanctum_venice_tools.letta.letta_code import provider
from sanctum_venice_tools.letta.letta_code.program import LettaCode, LettaCodeError
from sanctum_venice_tools.letta.venice import ChoiceError, Venice, VeniceError, normal_url
from sanctum_venice_tools.network import NetworkSettingsError
from sanctum_venice_tools.terminal import show, visible


@click.command("letta-code", context_settings=HELP)
@click.option(
    "--agent",
    "agents",
    metavar="ID",
    multiple=True,
    help="An agent that is to think with Venice; repeatable.",
)
@click.option(
    "--model",
    "wanted",
    metavar="ID",
    default="",
    help="The agents' model.  [default: the one that Venice recommends for functions]",
)
@click.option(
    "--venice-url",
    envvar="VENICE_BASE_URL",
    default="",
    help="Venice.  [default: $VENICE_BASE_URL or its own]",
)
@click.option(
    "--letta",
    "program",
    metavar="PROGRAM",
    default="letta",
    show_default=True,
    help="Letta Code's own command.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def connect_letta_code(
    agents: tuple[str, ...], wanted: str, venice_url: str, program: str, *, dry_run: bool
) -> None:
    """Make Venice the model behind Letta Code's agents on this machine.

    It tells Letta Code where Venice is, and the key of VENICE_API_KEY, which no command line shows;
    and each --agent its model, with the window and the length of replies that this model really
    has. Letta Code has one such place: another service there is replaced, and its key is kept.
    Safe to run again.

    \b
    Exit status: 0 all is as wanted, 2 wrong usage, 4 Letta Code or Venice
    could not be reached or refused.

    \b
    Examples:
      sanctum-venice letta-code
      sanctum-venice letta-code --agent agent-local-5133 --model kimi-k3
    """  # noqa: D301  # click keeps the lines after \b as they are
    key = key_of_operator("VENICE_API_KEY")
    if not key:
        raise click.UsageError(
            "VENICE_API_KEY is not set; a key is made at https://venice.ai/settings/api"
        )
    try:
        venice = Venice(normal_url(venice_url), key)
        provider.check_key(venice)
        model = provider.choose_model(venice, wanted)
        slowness = provider.seconds_to_list(venice)
        code = LettaCode(program)
        _tell_and_keep_other_service(code, venice, dry_run=dry_run)
        if not dry_run:
            file = provider.connect(code, venice)
            show(f"Letta Code knows Venice; the key is in {file}")
            for agent in agents:
                provider.set_model(code, agent, model)
    except (ChoiceError, NetworkSettingsError) as error:
        raise click.UsageError(visible(str(error))) from None
    except (VeniceError, LettaCodeError) as error:
        show(f"Error: {str(error).replace(key, '[key]')}", err=True)
        raise SystemExit(4) from None

    limits = f"{model.window:,} tokens, {model.output_tokens:,} of them in a reply"
    for agent in agents:
        show(f"{agent}: {'would think' if dry_run else 'thinks'} with {model.id} ({limits})")
    if not agents:
        show(f"A model for it: {provider.PROVIDER}/{model.id} ({limits})")
        show("Letta Code takes 128,000 tokens for any, until --agent tells it otherwise.")
    if slowness > provider.LIST_SECONDS / 2:
        show(
            f"Note: Venice took {slowness:.1f} s for its list of models; Letta Code gives up after "
            f"{provider.LIST_SECONDS:g} s, and then knows none."
        )


def _tell_and_keep_other_service(code: LettaCode, venice: Venice, *, dry_run: bool) -> None:
    """Say which service Venice replaces, if there is one, and keep what is known of it."""
    other = provider.other_service(code, venice)
    if not other:
        return
    replaced = f"{provider.PROVIDER} at {other}"
    if dry_run:
        show(f"Venice would replace {replaced}, and its key would be kept.")
    else:
        code.command()  # where there is no such program, nothing is replaced or kept
        kept = provider.keep_other_service(code)
        show(f"Venice replaces {replaced}; {kept} has its key.")

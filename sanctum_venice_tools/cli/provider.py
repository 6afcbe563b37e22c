"""`provider`: Venice as the model behind Letta."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import click
import letta_client

from sanctum_venice_tools.cli import HELP
from sanctum_venice_tools.cli.options import JSON, LETTA_URL, check_agent_name, shown_progress
from sanctum_venice_tools.cli.secret import key_of_operator
from sanctum_venice_tools.cli.server import need_server
from sanctum_venice_tools.letta import provider
from sanctum_venice_tools.letta.connection import Client, address_of, explain
from sanctum_venice_tools.letta.provider import RESERVED_NAMES, Change, Form, NamedAgent
from sanctum_venice_tools.letta.venice import (
    ChatModel,
    ChoiceError,
    EmbeddingModel,
    Venice,
    VeniceError,
    normal_url,
)
from sanctum_venice_tools.network import NetworkSettingsError
from sanctum_venice_tools.terminal import show, visible

# What a provider may be called: venice, venice-2, my.venice
_NAME = re.compile(r"[\w.-]+", re.ASCII)


@dataclass(frozen=True)
class _Models:
    """The models that agents are to use."""

    chat: ChatModel
    embedding: EmbeddingModel


@click.command("provider", context_settings=HELP)
@LETTA_URL
@click.option(
    "--venice-url",
    envvar="VENICE_BASE_URL",
    default="",
    help="Venice.  [default: $VENICE_BASE_URL or its own]",
)
@click.option(
    "--name",
    default=provider.PROVIDER_NAME,
    show_default=True,
    help="What the provider is called, and its models begin with.",
)
@click.option(
    "--model",
    "wanted_model",
    metavar="ID",
    default="",
    help="The agents' model.  [default: the first that Venice has that calls functions and sees]",
)
@click.option(
    "--blind",
    is_flag=True,
    help="Nobody will send pictures: take the model that Venice recommends for functions.",
)
@click.option(
    "--embedding-model", "wanted_embedding", metavar="ID", default="", help="The model for vectors."
)
@click.option(
    "--create-agent",
    "agent",
    metavar="NAME",
    help="Make an agent of this name, unless there is one.",
)
@click.option(
    "--env",
    "form",
    type=click.Choice(["shell", "dotenv", "compose"]),
    help="Print variables instead.",
)
@click.option(
    "--show-key", is_flag=True, help="With --env: print the key itself, not a reference to it."
)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@JSON
def configure_provider(
    *,
    base_url: str | None,
    venice_url: str,
    name: str,
    wanted_model: str,
    blind: bool,
    wanted_embedding: str,
    agent: str | None,
    form: Form | None,
    show_key: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make Venice the model behind Letta's agents.

    Without --env it creates or updates a provider on a running server, with the key of
    VENICE_API_KEY, and prints how to create agents that use it. Safe to run again: what is there
    already is not written. With --env it prints the variables for a server that you start yourself;
    only such a server can use Venice for embeddings too.

    \b
    Exit status: 0 all is as wanted, 2 wrong usage, 3 the server has the
    provider but can't use it, or has another one of that name, 4 Letta or
    Venice could not be reached or refused.

    \b
    Examples:
      sanctum-venice provider
      sanctum-venice provider --model kimi-k3 --create-agent kim
      sanctum-venice provider --env dotenv >> .env
    """  # noqa: D301  # click keeps the lines after \b as they are
    if not _NAME.fullmatch(name) or name in RESERVED_NAMES:
        reserved = ", ".join(RESERVED_NAMES)
        raise click.BadParameter(
            f"letters, digits, dots, - and _ only, and not {reserved}", param_hint="--name"
        )
    check_agent_name(agent, "--create-agent")
    if form and agent:
        raise click.UsageError(
            "--create-agent needs a running server: start it with these variables first"
        )
    if show_key and not form:
        raise click.UsageError("--show-key goes with --env")
    key = key_of_operator("VENICE_API_KEY")
    needs_key = show_key or not form
    if needs_key and not key:
        raise click.UsageError(
            "VENICE_API_KEY is not set; a key is made at https://venice.ai/settings/api"
        )
    if not (base_url or form):
        raise click.UsageError(
            "which Letta server? Set LETTA_BASE_URL, such as http://localhost:8283, "
            "or use --env for one that you start; `sanctum-venice letta start` runs one here"
        )

    address = need_server(base_url) if base_url else ""
    with _one_line(address, key):
        venice = Venice(normal_url(venice_url), key)
        chat = venice.choose_chat_model(wanted_model, blind=blind)
        embedding = venice.choose_embedding_model(wanted_embedding)
        models = _Models(chat, embedding)
        if form:
            _print_environment(venice, models, form, show_key=show_key, as_json=as_json)
        else:
            _configure(address, name, venice, models, agent=agent, dry_run=dry_run, as_json=as_json)


@contextmanager
def _one_line(base_url: str, key: str) -> Iterator[None]:
    """End the command with one line, and exit status 2 or 4, where something is wrong.

    The key is never in that line.
    """
    problem = ""
    address = address_of(base_url)
    try:
        yield
    except (ChoiceError, NetworkSettingsError) as error:
        raise click.UsageError(visible(str(error))) from None
    except VeniceError as error:
        problem = str(error)
    except letta_client.NotFoundError:
        lack = f"{address} has no page for providers (404)"
        problem = f"{lack}. Check LETTA_BASE_URL; Letta Cloud documents none."
    except letta_client.APIStatusError as error:
        problem = f"{address} refused: {explain(error, {'key': key})}"
        if error.status_code in {401, 403}:
            problem += " (is LETTA_API_KEY right?)"
    except letta_client.APIConnectionError:
        problem = f"there is no Letta server at {address}. Check LETTA_BASE_URL."
    except (letta_client.APIError, TypeError, KeyError, ValueError):
        problem = f"{address} does not answer as a Letta server does. Check LETTA_BASE_URL."
    if problem:
        safe = problem.replace(key, "[key]") if key else problem
        show(f"Error: {safe}", err=True)
        raise SystemExit(4)


def _print_environment(
    venice: Venice, models: _Models, form: Form, *, show_key: bool, as_json: bool
) -> None:
    """Print the variables of a server, and beside them how to create agents on it."""
    settings = provider.agent_settings(
        provider.ENVIRONMENT_PREFIX,
        models.chat,
        embedding=models.embedding,
        base_url=venice.base_url,
    )
    if as_json:
        shown = venice if show_key else replace(venice, key="$VENICE_API_KEY")
        report = {"environment": provider.environment(shown), "agent": settings}
        click.echo(json.dumps(report, indent=2))
        return
    variables = provider.environment_text(form, venice, with_key=show_key)
    show(*variables.split("\n"))
    # On standard error, so that the variables alone go into a file.
    show("", "Start the server with these, then create agents with:", "", err=True)
    show(*provider.snippet(settings).split("\n"), err=True)


def _configure(
    base_url: str,
    name: str,
    venice: Venice,
    models: _Models,
    *,
    agent: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Create or update the provider on a server, and the agent if one is wanted."""
    verdict = venice.try_key()
    if verdict.state == "wrong":
        raise VeniceError(f"VENICE_API_KEY is no good: {verdict.told}")
    address = address_of(base_url)
    letta_key = key_of_operator("LETTA_API_KEY")
    made = None
    with (
        # The server asks Venice for its models before it answers. A provider must not be made
        # twice: no second try.
        Client(base_url=base_url, api_key=letta_key, timeout=60, max_retries=0) as letta,
        shown_progress() as progress,
        progress.counting(f"Configuring {address}"),
    ):
        change = provider.plan(letta, name, venice)
        if not dry_run:
            change = provider.apply(letta, change)
        if not dry_run and not change.problem:
            change = provider.ensure_listed(letta, change, models.chat)
        has_key = provider.embeds_at(letta, venice.base_url)
        embedding = models.embedding if has_key else None
        settings = provider.agent_settings(
            name, models.chat, embedding=embedding, base_url=venice.base_url
        )
        if agent and not dry_run and not change.problem:
            made = provider.create_agent(letta, agent, settings)
    if as_json:
        created = {"id": made.id, "name": agent, "made": made.is_new} if made else None
        report = {
            "server": address,
            "dry_run": dry_run,
            "provider": change.as_json(),
            "agent": settings,
            "created_agent": created,
        }
        click.echo(json.dumps(report, indent=2))
    else:
        _print_change(change, address, dry_run=dry_run)
        _print_agent(models.chat, settings, agent, made)
    if change.problem:
        raise SystemExit(3)


def _print_change(change: Change, address: str, *, dry_run: bool) -> None:
    """Say what was done to the provider, or would be."""
    differing = ", ".join(change.differs)
    show(f"provider {change.name}  {change.action}  {differing}".rstrip())
    for note in change.notes:
        show(f"Note: {note}")
    if change.problem:
        show(f"Error: {change.problem}", err=True)
    elif change.action == "unchanged":
        show(f"Nothing to change at {address}")
    elif dry_run:
        show(f"Would be written to {address}")
    else:
        show(f"Written to {address}")


def _print_agent(
    chat: ChatModel, settings: dict[str, Any], name: str | None, made: NamedAgent | None
) -> None:
    """Say what agents think with, and which one was created, or how to create one."""
    window = settings["context_window_limit"]
    sight = "; it sees pictures" if chat.sees else ""
    show("", f"{chat.id}: {chat.window:,} tokens, of which agents use {window:,}{sight}")
    if chat.note:
        show(f"Note: {chat.note}")
    if not chat.sees:
        show("Note: it does not see: a picture that a person attaches ends the conversation")
    if "embedding_config" not in settings:
        why = "Letta takes the key from its own environment, and Venice's is not there"
        show(f"No embeddings: for these, {why}")
    if made and made.is_new:
        show(f"agent {name} ({made.id}) created")
    elif made:
        show(f"agent {name} ({made.id}) is there already; it was left as it is")
    else:
        show("", *provider.snippet(settings, name or "my-agent").split("\n"))

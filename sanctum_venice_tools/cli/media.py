"""`media`: the media server."""

import importlib

import click


@click.command("media", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run_media(arguments: tuple[str, ...]) -> None:
    """Run the media server: what agents make, for people to see; --help shows its options."""
    try:
        command = importlib.import_module("sanctum_venice_tools.media_server.command")
    except ModuleNotFoundError as missing:
        told = f"The media server needs the package {missing.name}"
        raise click.ClickException(f"{told}: install sanctum-venice-tools[local]") from missing
    command.media.main(list(arguments), prog_name="sanctum-venice media")

"""`emulator`: the local Venice."""

import importlib

import click


@click.command("emulator", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run_emulator(arguments: tuple[str, ...]) -> None:
    """Run the local Venice, a stand-in for api.venice.ai; --help shows its options."""
    try:
        command = importlib.import_module("sanctum_venice_tools.emulator.command")
    except ModuleNotFoundError as missing:
        told = f"The local Venice needs the package {missing.name}"
        raise click.ClickException(f"{told}: install sanctum-venice-tools[local]") from missing
    command.emulator.main(list(arguments), prog_name="sanctum-venice emulator")

"""`schemas`: write tool_schemas/ from the tools, or check it."""

from pathlib import Path

import click

from sanctum_venice_tools.cli.options import HELP, one_line_errors


@click.command("schemas", context_settings=HELP)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when something would change.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(__file__).parents[2] / "tool_schemas",
    help="Where the schemas are.  [default: tool_schemas/ of this clone]",
)
def build_schemas(check: bool, folder: Path) -> None:
    """Write each tool's JSON schema from its signature and docstring.

    \b
    Examples:
      sanctum-venice schemas
      sanctum-venice schemas --check
    """  # noqa: D301  # click keeps the lines after \b as they are
    from sanctum_venice_tools.packing import schema  # noqa: PLC0415  # --help does not need it
    from sanctum_venice_tools.packing.bundle import tool_files  # noqa: PLC0415  # likewise

    with one_line_errors(schema.SchemaError):
        wanted = {folder / f"{name}.json": schema.schema_text(name) for name in tool_files()}
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    extra = sorted(set(folder.glob("*.json")) - set(wanted))
    if check and (stale or extra):
        raise click.ClickException(
            f"these are not what the tools say: {', '.join(map(str, stale + extra))}. Run: make schemas"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
    for path in extra:
        path.unlink()
    click.echo(f"{len(wanted)} schemas in {folder}: {len(stale)} written, {len(extra)} removed")

"""`schemas`: write what is made of the tools (schemas, skill, agents), or check it."""

from collections.abc import Iterable
from pathlib import Path

import click

from sanctum_venice_tools.cli import HELP
from sanctum_venice_tools.cli.options import one_line_errors
from sanctum_venice_tools.fronts import skill
from sanctum_venice_tools.letta import ready_agents
from sanctum_venice_tools.letta.ready_agents import agent_file
from sanctum_venice_tools.packing import bundle, record, schema
from sanctum_venice_tools.packing.record import Record

# README's table stands between these lines.
_BEGIN = "<!-- The table is written by `make schemas`, from the tools. -->\n"
_END = "<!-- end of the table -->\n"


@click.command("schemas", context_settings=HELP)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 1 when something would change."
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(__file__).parents[2],
    help="Where README.md, tool_schemas/, skills/ and agents/ are.  [default: this clone]",
)
def build_schemas(check: bool, folder: Path) -> None:
    """Write each tool's JSON schema from its signature and docstring.

    It writes the skill, the files of the ready-made agents and README.md's table of tools, too.

    \b
    Examples:
      sanctum-venice schemas
      sanctum-venice schemas --check
    """  # noqa: D301  # click keeps the lines after \b as they are
    schemas = folder / "tool_schemas"
    skill_folder = folder / "skills" / skill.NAME
    agents = folder / "agents"
    readme = folder / "README.md"
    with one_line_errors(schema.SchemaError, bundle.BundleError):
        records = [record.read_record(name) for name in bundle.tool_files()]
        wanted = {schemas / f"{one.name}.json": schema.schema_text(one.name) for one in records}
        wanted |= {skill_folder / place: text for place, text in skill.skill_files().items()}
        wanted |= {
            agents / f"{name}{agent_file.SUFFIX}": agent_file.agent_file_text(name)
            for name in ready_agents.agent_names()
        }
    records.sort(key=lambda one: (record.TOOLSETS.index(one.toolset), one.name))
    wanted[readme] = _with_table(readme, records)
    stale = [path for path, text in wanted.items() if not _has_text(path, text)]
    there = [*schemas.glob("*.json"), *agents.glob(f"*{agent_file.SUFFIX}")]
    there += skill_folder.rglob("*")
    extra = sorted(path for path in set(there) - set(wanted) if path.is_file())
    if check and (stale or extra):
        other = ", ".join(map(str, stale + extra))
        raise click.ClickException(f"these are not what the tools say: {other}. Run: make schemas")
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(wanted[path].encode())
        part.replace(path)
    (skill_folder / skill.COMMAND).chmod(0o755)
    for path in extra:
        path.unlink()
    click.echo(
        f"{len(records)} schemas, the skill, {len(ready_agents.agent_names())} agents and README's "
        f"table, in {folder}: {len(stale)} written, {len(extra)} removed"
    )


def _has_text(path: Path, text: str) -> bool:
    """Whether a file is there, and holds this text."""
    return path.is_file() and path.read_bytes() == text.encode()


def _with_table(readme: Path, records: Iterable[Record]) -> str:
    """The text of README.md, with the table as it should be; all else in it stays."""
    if not readme.is_file():
        raise click.ClickException(
            f"there is no README.md in {readme.parent}: this command is for a clone of the pack's "
            "repository, where `make schemas` runs it. To name a clone: --folder"
        )
    text = readme.read_bytes().decode()
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not end:
        lines = f"{_BEGIN.strip()} and {_END.strip()}"
        raise click.ClickException(
            f"{readme} does not have these two lines, between which the table of tools stands: "
            f"{lines}. Put them back."
        )
    rows = ["| tool | toolset | cost | what it does |", "|---|---|---|---|", *map(_row, records)]
    table = "\n".join(rows)
    return f"{before}{begin}\n{table}\n\n{end}{after}"


def _row(record: Record) -> str:
    """A tool as a line of the table."""
    cost = skill.COST_SIGNS[record.cost]
    if record.needs_approval:
        cost += " (a person is asked)"
    summary = record.summary.replace("|", r"\|")
    return f"| `{record.name}` | {record.toolset} | {cost} | {summary} |"

"""`doctor`: what is well, what is not, and what to do."""

import json
from dataclasses import asdict

import click

from sanctum_venice_tools.cli import HELP
from sanctum_venice_tools.cli.options import JSON, LETTA_URL
from sanctum_venice_tools.letta.doctor import CHECKS, Patient, examine
from sanctum_venice_tools.letta.provider import PROVIDER_NAME
from sanctum_venice_tools.terminal import visible

_COLOURS = {"ok": "green", "warning": "yellow", "failure": "red", "skipped": None}


@click.command("doctor", context_settings=HELP)
@LETTA_URL
@click.option(
    "--provider",
    default=PROVIDER_NAME,
    show_default=True,
    help="What Venice's provider is called on it.",
)
@JSON
def run_doctor(base_url: str | None, provider: str, as_json: bool) -> None:
    """Check all that the tools need, from Venice's key to the media folder; it costs nothing.

    It looks at the settings in your environment, VENICE_API_KEY and the others of README.md, and
    tries them out in the sandbox of the Letta server, where a free tool is run with them. Nothing
    is changed.

    \b
    Exit status: 0 nothing has failed, 1 something has.

    \b
    Examples:
      sanctum-venice doctor
      sanctum-venice doctor --json | jq '.checks[] | select(.state == "failure")'
    """  # noqa: D301  # click keeps the lines after \b as they are
    width = max(map(len, CHECKS))
    findings = []
    for finding in examine(Patient.of_environment(base_url or "", provider)):
        findings.append(finding)
        if not as_json:
            state = click.style(f"{finding.state:<7}", fg=_COLOURS[finding.state])
            told = finding.told
            if finding.advice:
                told = f"{told.removesuffix('.')}. {finding.advice}"  # it may be a sentence already
            click.echo(f"{state}  {finding.check:<{width}}  {visible(told)}")
    has_failed = any(finding.state == "failure" for finding in findings)
    if as_json:
        click.echo(
            json.dumps(
                {"ok": not has_failed, "checks": [asdict(finding) for finding in findings]},
                indent=2,
            )
        )
    if has_failed:
        raise SystemExit(1)

"""The `sanctum-venice` command: every front door of the pack."""

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Venice (venice.ai) as tools for Letta agents."""


if __name__ == "__main__":
    main(prog_name="sanctum-venice")

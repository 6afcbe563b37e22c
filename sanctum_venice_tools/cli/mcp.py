"""`mcp`: serve the tools to hosts that speak MCP, such as desktop assistants and editors."""

import contextlib
import socket

import click

from sanctum_venice_tools.cli import HELP
from sanctum_venice_tools.cli.choosing import TOOLSET, choose
from sanctum_venice_tools.host_names import ALLOW_HOST


@click.command("mcp", context_settings=HELP)
@click.argument("names", metavar="[NAME ... | all]", nargs=-1)
@TOOLSET
@click.option(
    "--http", is_flag=True, help="Serve by HTTP, rather than the program that starts this."
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8485,
    show_default=True,
    help="The port of 127.0.0.1 to listen at.",
)
@ALLOW_HOST
def serve_mcp(
    names: tuple[str, ...],
    toolsets: tuple[str, ...],
    http: bool,
    port: int,
    allowed_hosts: tuple[str, ...],
) -> None:
    """Serve the tools to hosts that speak MCP: the toolset core, or those that are named.

    It takes VENICE_API_KEY and the tools' other settings from its environment, and keeps files in
    VENICE_MEDIA_DIR, or in ./venice_media. A reply links to its files. By HTTP it serves
    http://127.0.0.1:PORT/mcp, to whoever is on this machine.

    \b
    Examples:
      sanctum-venice mcp
      sanctum-venice mcp --toolset core --toolset image
      sanctum-venice mcp venice_ask_web venice_read_webpage
      sanctum-venice mcp all --http --port 8485
    """  # noqa: D301  # click keeps the lines after \b as they are
    try:
        import anyio  # noqa: PLC0415  # only this command needs them
        import uvicorn  # noqa: PLC0415

        from sanctum_venice_tools.fronts import mcp_server  # noqa: PLC0415
    except ImportError as error:
        raise click.ClickException(
            f"this needs the package {error.name}: install sanctum-venice-tools[mcp]"
        ) from error

    server = mcp_server.make_server(choose(names, toolsets))
    if not http:
        anyio.run(mcp_server.serve_stdio, server)
        return
    app = mcp_server.http_app(server, allowed_hosts)
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise click.ClickException(
            f"port {port} of 127.0.0.1 cannot be used: {error.strerror}; name another --port"
        ) from error
    with listener:
        click.echo(f"http://127.0.0.1:{port}/mcp")
        config = uvicorn.Config(app, log_level="warning")
        # Ctrl-C is how a person ends it; that is no failure.
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])

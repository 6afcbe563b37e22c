"""What the doctor finds out without a Letta server, at the local Venice."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from click.testing import CliRunner, Result

from sanctum_venice_tools.cli.doctor import run_doctor
from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.letta.doctor import CHECKS
from sanctum_venice_tools.letta.doctor.patient import KNOWN_SETTINGS
from sanctum_venice_tools.letta.doctor.server import _TRY_MEDIA_SERVER
from sanctum_venice_tools.letta.stored import wanted_fields
from sanctum_venice_tools.packing.record import Sandbox, read_toolsets

ACCOUNT = "/api_keys/rate_limits"


def examine(venice: LocalVenice, *arguments: str, **settings: str) -> Result:
    """Run the command against the local Venice."""
    known = {"VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url}
    result = CliRunner().invoke(
        run_doctor, arguments, env={**known, "VENICE_MEDIA_DIR": None, **settings}
    )
    assert isinstance(result.exception, SystemExit | None)
    return result


def finding(result: Result, check: str) -> tuple[str, str]:
    """How a check ended, and its line."""
    (line,) = [line for line in result.stdout.splitlines() if line[9:].startswith(f"{check}  ")]
    return line.split()[0], line


@pytest.fixture
def faults(venice: LocalVenice) -> LocalVenice:
    """The local Venice, without what an earlier test ordered of it."""
    venice.clear_faults()
    return venice


def account(**fields: Any) -> dict[str, Any]:
    """A fault by which Venice tells of an account what a test wants."""
    content = {
        "accessPermitted": True,
        "balances": {"USD": 25, "DIEM": 0},
        "keyExpiration": None,
        **fields,
    }
    return {"fault": "status", "status": 200, "body": {"data": content}, "path": ACCOUNT}


def test_says_what_is_well_and_what_is_left_out(venice: LocalVenice) -> None:
    """One line for each check, in one order; those that need what is missing say so; 0 as nothing has failed."""
    result = examine(venice)

    lines = result.stdout.splitlines()
    assert 0 == result.exit_code
    assert list(CHECKS) == [line[9:29].strip() for line in lines]
    assert ["ok"] * 7 + ["skipped"] * 9 == [line.split()[0] for line in lines]
    assert "25.00 USD" in finding(result, "balance")[1] or "USD" in finding(result, "balance")[1]
    assert "LETTA_BASE_URL is not set" in finding(result, "Letta")[1]
    assert venice.key not in result.output


@pytest.mark.parametrize(
    "address", ["HTTP://127.0.0.1:9", "http:/127.0.0.1:9", "https://media:port"]
)
def test_an_address_of_a_media_server_that_the_tools_refuse(
    venice: LocalVenice, address: str
) -> None:
    """It is a failure, as it is for every tool, and no folder; a Letta server is not needed to tell."""
    state, line = finding(examine(venice, VENICE_MEDIA=address), "media")

    assert "failure" == state
    assert "VENICE_MEDIA is no http address. Correct it" in line


def test_the_gallery_s_address_is_none_of_a_media_server(venice: LocalVenice) -> None:
    """Who sets what the media server's command prints for people is told so, and its token is not shown."""
    address = "http://127.0.0.1:9/?token=a-token-of-the-tests"
    state, line = finding(examine(venice, VENICE_MEDIA=address), "media")

    assert "failure" == state
    assert "VENICE_MEDIA is the gallery's address: it must end after the host and port." in line
    assert "a-token" not in line


def test_a_media_server_is_tried_as_tools_ask_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spaces around its address and token are no part of them, to the doctor as to each tool."""
    monkeypatch.setenv("VENICE_MEDIA", " http://media.test:8490/ \n")
    monkeypatch.setenv("VENICE_MEDIA_TOKEN", "a-token \n")
    text: dict[str, Any] = {}
    exec(_TRY_MEDIA_SERVER, text)  # noqa: S102  # as Letta's sandbox runs it

    with respx.mock() as router:
        asked = router.get("http://media.test:8490/room").respond(200)
        assert "200" == text["venice_try_media_server"]()

    assert "Bearer a-token" == asked.calls.last.request.headers["Authorization"]


def test_what_is_found_is_told_in_whole_sentences(venice: LocalVenice) -> None:
    """A finding that is a sentence already gets no second full stop before the advice."""
    result = examine(venice, VENICE_BASE_URL="api.venice.ai")

    assert "of the form https://api.venice.ai/api/v1. Correct" in finding(result, "Venice")[1]
    assert ".." not in result.stdout.replace("VENICE_..._MODEL", "")


def test_tells_scripts_in_json(venice: LocalVenice) -> None:
    """With --json the same is one object."""
    report = json.loads(examine(venice, "--json", VENICE_TOOL_SECONDS="soon").stdout)

    assert report["ok"] is False
    assert list(CHECKS) == [one["check"] for one in report["checks"]]
    (failed,) = [one for one in report["checks"] if one["state"] == "failure"]
    assert ("VENICE_TOOL_SECONDS", "'soon' is no whole number of seconds, so tools take 120") == (
        failed["check"],
        failed["told"],
    )
    assert "Set it to a whole number of seconds up to 120, or unset it." == failed["advice"]


SETTINGS = [
    (
        "VENICE_API_KEY",
        "",
        "key",
        "failure",
        "VENICE_API_KEY is not set. Make one at https://venice.ai/settings/api",
    ),
    (
        "VENICE_API_KEY",
        "not-the-key-1234",
        "key",
        "failure",
        "Venice refuses it: 401 Authentication failed",
    ),
    ("VENICE_API_KEY", "not-the-k\u00e9y", "key", "failure", "holds characters that no key has"),
    ("VENICE_API_KEY", "not the-key-1234", "key", "failure", "holds characters that no key has"),
    (
        "VENICE_BASE_URL",
        "api.venice.ai",
        "Venice",
        "failure",
        "is no address of the form https://api.venice.ai/api/v1",
    ),
    (
        "VENICE_BASE_URL",
        "http://127.0.0.1:9/api/v1",
        "Venice",
        "failure",
        "does not answer (ConnectError)",
    ),
    ("VENICE_TOOL_SECONDS", "90", "VENICE_TOOL_SECONDS", "ok", "90 s"),
    (
        "VENICE_TOOL_SECONDS",
        "170",
        "VENICE_TOOL_SECONDS",
        "warning",
        "or raise TOOL_SANDBOX_TIMEOUT of the server",
    ),
    (
        "VENICE_TOOL_SECONDS",
        "-1",
        "VENICE_TOOL_SECONDS",
        "failure",
        "'-1' is no whole number of seconds",
    ),
    (
        "VENICE_TOOL_SECONDS",
        "\u0669\u0660",
        "VENICE_TOOL_SECONDS",
        "failure",
        "is no whole number of seconds",
    ),
    (
        "VENICE_TOOL_SECONDS",
        "nan",
        "VENICE_TOOL_SECONDS",
        "failure",
        "'nan' is no whole number of seconds",
    ),
    ("VENICE_CHAT_MODEL", "kimi-k3", "VENICE_..._MODEL", "ok", "kimi-k3: there, and fit"),
    ("VENICE_CHAT_MODEL", "default", "VENICE_..._MODEL", "ok", "default: there, and fit"),
    (
        "VENICE_CHAT_MODEL",
        "no-such",
        "VENICE_..._MODEL",
        "failure",
        "Venice has no text model 'no-such'",
    ),
    (
        "VENICE_CHAT_MODEL",
        "zai-org-glm-5",
        "VENICE_..._MODEL",
        "failure",
        "zai-org-glm-5 is offline",
    ),
    (
        *("VENICE_CHAT_MODEL", "e2ee-gemma-4-31b", "VENICE_..._MODEL", "warning"),
        "it goes on 2030-09-24; Venice names zai-org-glm-5-2 in its place",
    ),
    ("VENICE_CHAT_MODEL", "qwen-3-8-27b", "VENICE_..._MODEL", "warning", "it is a beta"),
    (
        "VENICE_IMAGE_MODEL",
        "z-image-turbo",
        "VENICE_..._MODEL",
        "ok",
        "z-image-turbo: there, and fit",
    ),
    (
        "VENICE_IMAGE_MODEL",
        "kimi-k3",
        "VENICE_..._MODEL",
        "failure",
        "Venice has no image model 'kimi-k3'",
    ),
    (
        "VENICE_IMAGE_MODEL",
        "kimi-k3",
        "VENICE_..._MODEL",
        "failure",
        "Choose another, or unset: VENICE_IMAGE_MODEL.",
    ),
    (
        "VENICE_VISION_MODEL",
        "zai-org-glm-5-2",
        "VENICE_..._MODEL",
        "failure",
        "can't do it (supportsVision)",
    ),
    (
        "VENICE_TEXT_TO_VIDEO_MODEL",
        "sora-9",
        "VENICE_..._MODEL",
        "failure",
        "Venice has no video model 'sora-9'",
    ),
    ("VENICE_MAX_USD", "1.5", "VENICE_MAX_USD", "ok", "may cost 1.5 USD"),
    ("VENICE_MAX_USD", "None", "VENICE_MAX_USD", "ok", "may cost anything"),
    (
        "VENICE_MAX_USD",
        "five",
        "VENICE_MAX_USD",
        "failure",
        "'five' is no number of dollars, so no film, music or speech is made",
    ),
    (
        "VENICE_MAX_USD",
        "1,50",
        "VENICE_MAX_USD",
        "failure",
        "Set it to a number such as 1.50, or to none for no limit",
    ),
    ("VENICE_MAX_USD", "\u0663", "VENICE_MAX_USD", "failure", "is no number of dollars"),
    (
        "LETTA_BASE_URL",
        "http://127.0.0.1:9",
        "Letta",
        "failure",
        "there is no Letta server at http://127.0.0.1:9",
    ),
    ("LETTA_BASE_URL", "http://localhost:port", "Letta", "failure", "LETTA_BASE_URL is no address"),
]


@pytest.mark.parametrize(
    ("setting", "value", "check", "state", "words"),
    SETTINGS,
    ids=[f"{one[0]}={one[1]}" for one in SETTINGS],
)
def test_looks_at_each_setting(  # noqa: PLR0917  # a fixture and five parameters
    venice: LocalVenice, setting: str, value: str, check: str, state: str, words: str
) -> None:
    """A setting that is wrong is a failure with what to do, one that is unwise a warning; only failures end with 1."""
    result = examine(venice, **{setting: value})

    found, line = finding(result, check)
    assert state == found
    assert words in line
    assert int(state == "failure") == result.exit_code
    assert "the-key-1234" not in result.output


def test_without_a_limit_the_usual_one_is_told(venice: LocalVenice) -> None:
    """Where the operator sets nothing, the doctor tells what the tools go by."""
    state, line = finding(examine(venice), "VENICE_MAX_USD")

    assert "ok" == state
    assert "not set: a film, piece of music or speech may cost 5 USD" in line


def test_several_models_are_judged_together(venice: LocalVenice) -> None:
    """All settings that name a bad model are told, each with its reason; a good one is not among them."""
    models = {
        "VENICE_CHAT_MODEL": "kimi-k3",
        "VENICE_IMAGE_MODEL": "no-such",
        "VENICE_MUSIC_MODEL": "no-tune",
    }
    state, line = finding(examine(venice, **models), "VENICE_..._MODEL")

    assert "failure" == state
    assert "no image model 'no-such'. Venice has no music model 'no-tune'" in line
    assert "unset: VENICE_IMAGE_MODEL, VENICE_MUSIC_MODEL." in line


def test_every_setting_of_the_tools_is_known(texts: dict[str, str]) -> None:
    """What an operator can set for a tool is looked at here, and told in the README."""
    named = {
        name
        for text in texts.values()
        for name in re.findall(r"VENICE_[A-Z]+_(?:[A-Z]+_)*[A-Z]+", text)
    }
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

    assert set() == named - set(KNOWN_SETTINGS) - {"VENICE_INFERENCE_KEY", "VENICE_ADMIN_KEY"}
    assert set() == {name for name in KNOWN_SETTINGS if f"`{name}`" not in readme}


def test_letta_cloud(venice: LocalVenice) -> None:
    """What Letta Cloud does not document is left out. Recorded shapes stand for it here, not the real one."""
    cloud = "https://api.letta.com"
    with respx.mock(assert_all_called=False) as router:
        router.route(host="127.0.0.1").pass_through()
        router.get(f"{cloud}/v1/health/").respond(json={"status": "ok", "version": "1.2.3"})
        router.get(f"{cloud}/v1/tools/").respond(json=[])
        router.get(f"{cloud}/v1/models/").respond(json=[])
        router.route(host="api.letta.com").respond(404, json={"detail": "Not Found"})

        result = examine(venice, LETTA_BASE_URL=cloud)

    assert "Letta 1.2.3 at https://api.letta.com" in finding(result, "Letta")[1]
    assert "this server runs no tools on request" in finding(result, "media")[1]
    assert "skipped" == finding(result, "provider")[0]


LETTA = "http://letta.test"


@pytest.mark.parametrize(
    ("key", "said"),
    [("", "the secret LETTA_BASE_URL can use it"), ("k-1", "and LETTA_API_KEY can use them")],
)
def test_says_which_secrets_agents_need(venice: LocalVenice, key: str, said: str) -> None:
    """A server without a key needs one secret, and a server with one needs two."""
    with respx.mock(assert_all_called=False) as router:
        router.route(host="127.0.0.1").pass_through()
        router.get(f"{LETTA}/v1/health/").respond(json={"status": "ok", "version": "0.16.8"})
        router.post(f"{LETTA}/v1/tools/run").respond(
            json={"status": "success", "tool_return": "200"}
        )
        router.route(host="letta.test").respond(json=[])
        result = examine(venice, LETTA_BASE_URL=LETTA, LETTA_API_KEY=key)

    assert said in finding(result, "attached pictures")[1]


@pytest.mark.parametrize(
    ("ran", "expected"),
    [
        ({"status": "success", "tool_return": "200"}, "ok"),
        ({"status": "success", "tool_return": "401"}, "(401)"),
        (
            {"status": "error", "tool_return": "Error executing function f: ConnectError: refused"},
            "(ConnectError: refused)",
        ),
    ],
    ids=["reached", "refused", "not there"],
)
def test_whether_attached_pictures_can_be_read(
    venice: LocalVenice, ran: dict[str, str], expected: str
) -> None:
    """An address that works here may not work where the tools run: the sandbox is asked, with the key."""
    with respx.mock(assert_all_called=False) as router:
        router.route(host="127.0.0.1").pass_through()
        router.get(f"{LETTA}/v1/health/").respond(json={"status": "ok", "version": "0.16.8"})
        router.get(f"{LETTA}/v1/models/").respond(json=[])
        run = router.post(f"{LETTA}/v1/tools/run").respond(json=ran)
        router.route(host="letta.test").respond(json=[])

        result = examine(venice, LETTA_BASE_URL=LETTA, LETTA_API_KEY="letta-key-1234")

    state, line = finding(result, "attached pictures")
    assert ("ok" if expected == "ok" else "warning") == state
    assert expected in line
    assert "letta-key-1234" not in result.output
    given = json.loads(run.calls.last.request.content)["env_vars"]
    assert (LETTA, "letta-key-1234") == (given["LETTA_BASE_URL"], given["LETTA_API_KEY"])


def stored_tool(name: str, properties: Any, **fields: Any) -> dict[str, Any]:
    """A tool as Letta stores it: the fields, and the order of types, are those of letta-client 1.12.1."""
    schema = {
        "name": name,
        "description": ".",
        "parameters": {"type": "object", "properties": properties},
    }
    record = {
        "id": f"tool-{name.encode().hex()[:80]}",
        "name": name,
        "tool_type": "custom",
        "source_type": "python",
        "tags": [],
    }
    return {**record, "source_code": f"def {name}(): ...", "json_schema": schema, **fields}


def arguments(*types: str) -> dict[str, Any]:
    """The properties of a schema that declares an argument of each of these types."""
    return {f"argument_{number}": {"type": declared} for number, declared in enumerate(types)}


def look_at_tools(
    venice: LocalVenice, tools: list[dict[str, Any]], check: str = "others' tools"
) -> tuple[str, str]:
    """How a check of tools ends at a Letta server that has these, and its line."""

    def listed(request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        kinds = asked.get_list("tool_types")
        found = [tool for tool in tools if not kinds or tool["tool_type"] in kinds]
        ids = [tool["id"] for tool in found]
        start = ids.index(asked["after"]) + 1 if "after" in asked else 0
        return httpx.Response(200, json=found[start : start + int(asked["limit"])])

    with respx.mock(assert_all_called=False) as router:
        router.route(host="127.0.0.1").pass_through()
        router.get(f"{LETTA}/v1/health/").respond(json={"status": "ok", "version": "0.16.8"})
        router.get(f"{LETTA}/v1/models/").respond(json=[])
        router.get(f"{LETTA}/v1/tools/").mock(side_effect=listed)
        router.route(host="letta.test").respond(404, json={"detail": "Not Found"})
        return finding(examine(venice, LETTA_BASE_URL=LETTA), check)


def core_as_stored(sandbox: Sandbox, asking: list[str] | None = None) -> list[dict[str, Any]]:
    """The toolset core as it is on a server after --approve all, or with the names of those that ask."""
    records = [
        replace(record, approval=asking is None or record.name in asking)
        for record in read_toolsets({"core"})
    ]
    return [
        {"id": f"tool-{record.name}", "name": record.name, "tool_type": "custom"}
        | wanted_fields(record, None, sandbox)
        for record in records
    ]


def test_putting_a_tool_right_keeps_what_the_operator_chose(venice: LocalVenice) -> None:
    """The advised command does not lift the approval that a tool has there; the others are as they should be."""
    edited, *others = core_as_stored("local")

    state, line = look_at_tools(venice, [edited | {"return_char_limit": 7}, *others], "tools")

    name = edited["name"]
    assert "failure" == state
    assert f"Run: sanctum-venice register {name} --approve costly,{name}" in line
    assert "sandbox" not in line


@pytest.mark.parametrize(
    ("asking", "approve"),
    [
        ([], " --approve none"),
        (["venice_chat"], " --approve venice_chat"),
        (["venice_queue_video"], ""),
        (["venice_queue_video", "venice_chat"], " --approve costly,venice_chat"),
    ],
)
def test_putting_tools_right_lifts_no_approval_and_adds_none(
    venice: LocalVenice, asking: list[str], approve: str
) -> None:
    """Of the tools that the advised command writes, exactly those ask that ask there; with nothing said, the costly."""
    edited = {"venice_queue_video", "venice_chat", "venice_ask_web"}
    stored = core_as_stored("local", asking)
    there = [tool | ({"return_char_limit": 7} if tool["name"] in edited else {}) for tool in stored]

    _, line = look_at_tools(venice, there, "tools")

    names = " ".join(tool["name"] for tool in there if tool["name"] in edited)
    assert line.endswith(f"Run: sanctum-venice register {names}{approve}")


def test_a_server_whose_sandbox_installs_packages(venice: LocalVenice) -> None:
    """Its tools declare httpx: nothing is wrong with that, and no advised command takes it away. A few are no sign."""
    edited, *others = core_as_stored("cloud")
    name = edited["name"]

    found = look_at_tools(venice, [edited, *others], "tools")
    stale = look_at_tools(venice, [edited | {"return_char_limit": 7}, *others], "tools")
    missing = look_at_tools(venice, others, "tools")
    few = look_at_tools(venice, [edited, *core_as_stored("local")[1:]], "tools")

    assert "ok" == found[0], found
    assert f"register {name} --approve costly,{name} --sandbox cloud" in stale[1]
    assert f"not there: {name}. Run: sanctum-venice register {name} --sandbox cloud" in missing[1]
    assert f"not as the pack has them: {name} (pip_requirements" in few[1]
    assert "sandbox" not in few[1]


DECLARED = [
    (arguments("string", "integer", "boolean"), "ok"),
    (arguments("number"), "warning"),
    (arguments("array"), "warning"),
    (arguments("object"), "warning"),
    (arguments("string", "object"), "warning"),
    # Where no type stands, Letta takes one from there.
    ({"a": {"parameters": {"type": "object"}}}, "warning"),
    ({"a": {"anyOf": [{"type": "array"}]}}, "ok"),  # such a call fails before anything runs
    ({"a": {"type": ["number", "null"]}}, "ok"),  # so does this
    ({"a": {}}, "ok"),
    ({"a": None, "b": "array", "c": 1}, "ok"),
    ([{"type": "array"}], "ok"),
    (None, "ok"),
    ("array", "ok"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("properties", "state"), DECLARED, ids=[json.dumps(one[0]) for one in DECLARED]
)
def test_warns_of_arguments_that_can_run_as_code(
    venice: LocalVenice, properties: Any, state: str
) -> None:
    """A number, array or object of somebody's tool is a warning; other types are not, and no shape breaks the check."""
    found, line = look_at_tools(venice, [stored_tool("theirs", properties)])

    assert state == found
    assert ("1 of 1 declare a number, array or object" in line) == (state == "warning")
    assert ("docs/security.md" in line) == (state == "warning")
    assert "broke" not in line


@pytest.mark.parametrize(
    "schema", [None, [], "array", {}, {"parameters": None}, {"parameters": ["properties"]}]
)
def test_a_schema_that_is_none(venice: LocalVenice, schema: Any) -> None:
    """A tool whose schema is missing, or of a strange form, declares nothing."""
    state, line = look_at_tools(venice, [stored_tool("theirs", {}, json_schema=schema)])

    assert ("ok", True) == (state, "none of 1 declares a number, array or object" in line)


def test_whose_tools_are_looked_at(venice: LocalVenice, texts: dict[str, str]) -> None:
    """Letta's own, TypeScript ones and the pack's are left out; one that only has the name of ours is not."""
    listed = arguments("array")
    ours = stored_tool("venice_chat", listed, source_code=texts["venice_chat"])
    retired = stored_tool("venice_gone", listed, source_code=texts["venice_chat"])
    foreign = stored_tool("venice_speak", listed)
    builtin = stored_tool("run_code", listed, tool_type="letta_builtin")
    script = stored_tool("script", listed, source_type="typescript")

    state, line = look_at_tools(venice, [ours, retired, foreign, builtin, script])

    assert "warning" == state
    assert "2 of 2 declare" in line
    assert "as Python: 'venice_gone', 'venice_speak'." in line


def test_reads_every_page_and_names_the_first(venice: LocalVenice) -> None:
    """All tools are counted, however many there are; three are named, in the order of their names."""
    tools = [
        stored_tool(f"tool_{number:03}", arguments("number")) for number in reversed(range(120))
    ]

    _, line = look_at_tools(venice, tools)

    assert "120 of 120 declare" in line
    assert "as Python: 'tool_000', 'tool_001', 'tool_002', ..." in line


def test_a_name_cannot_speak_to_the_terminal(venice: LocalVenice) -> None:
    """What a terminal would obey is shown as text: line feeds, escapes, marks of direction. Long names are cut."""
    hostile = "a\nok       key\x1b[2J\u202eb\u2066c\x9b" + "d" * 200

    _, line = look_at_tools(venice, [stored_tool(hostile, arguments("array"))])

    assert r"'a\nok key\x1b[2J\u202eb\u2066c\x9bdd" in line
    assert line.isprintable()
    assert "d" * 48 not in line


def test_an_address_that_only_we_can_mend(venice: LocalVenice) -> None:
    """An address without its path is a failure, though it could be mended here: the tools take it as it is."""
    bare = venice.base_url.removesuffix("/api/v1")

    result = examine(venice, VENICE_BASE_URL=bare)

    assert ("failure", True) == (
        finding(result, "Venice")[0],
        f"Set VENICE_BASE_URL to {venice.base_url}." in result.stdout,
    )
    assert "ok" == finding(result, "key")[0]


def test_a_key_that_can_not_be_sent_holds_up_no_other_check(venice: LocalVenice) -> None:
    """Venice's models need no key: what is wrong with it is said of the key alone."""
    result = examine(venice, VENICE_API_KEY="not-the-k\u00e9y")

    assert ("ok", "failure") == (finding(result, "Venice")[0], finding(result, "key")[0])
    assert "this check broke" not in result.stdout


def test_a_key_of_letta_that_can_not_be_sent(venice: LocalVenice) -> None:
    """A line feed within LETTA_API_KEY is what is wrong, and not the server; one at its end is no part of it."""
    server = "http://127.0.0.1:9"
    within = examine(venice, LETTA_BASE_URL=server, LETTA_API_KEY="a\nkey")
    at_end = examine(venice, LETTA_BASE_URL=server, LETTA_API_KEY="a-key\r\n")

    assert "LETTA_API_KEY holds characters that no key has" in finding(within, "Letta")[1]
    assert "there is no Letta server at" in finding(at_end, "Letta")[1]


def test_a_server_that_sends_no_text(venice: LocalVenice) -> None:
    """Bytes of no text are a finding of their own, and no fault of the check."""
    with respx.mock() as router:
        router.route(url__startswith=venice.base_url).pass_through()
        router.get("http://letta.test/v1/health/").respond(
            content=b"\xff\xfe{", headers={"content-type": "application/json"}
        )
        result = examine(venice, LETTA_BASE_URL="http://letta.test")

    assert "is no Letta server, or an ill one" in finding(result, "Letta")[1]


def test_another_service_at_the_address(faults: LocalVenice) -> None:
    """A web page in the place of Venice is named as what it is."""
    faults.order_fault(fault="html", path="/models")

    state, line = finding(examine(faults), "Venice")

    assert "failure" == state
    assert "answers 502 to GET /models. Check VENICE_BASE_URL" in line


@pytest.mark.parametrize("refusal", ["status-401", "status-403"])
def test_an_inference_key_is_told_from_a_wrong_one(faults: LocalVenice, refusal: str) -> None:
    """A key that may not see the account, but may do the rest, is good; the balance comes from where it can."""
    faults.order_fault(fault=refusal, path=ACCOUNT)

    result = examine(faults)

    assert 0 == result.exit_code
    assert "accepts it for inference, and does not show it the account" in finding(result, "key")[1]
    assert "USD" in finding(result, "balance")[1]


def test_a_balance_that_may_not_be_seen(faults: LocalVenice) -> None:
    """That only an ADMIN key may see the balance is no fault of anything: the check is left out."""
    faults.order_fault(fault="status-401", path=ACCOUNT)
    faults.order_fault(fault="status-403", path="/billing/balance")

    result = examine(faults)

    assert 0 == result.exit_code
    assert ("skipped", True) == (
        finding(result, "balance")[0],
        "only an ADMIN key may ask for it (403)" in result.stdout,
    )


def test_earned_credits_are_credit(faults: LocalVenice) -> None:
    """A key's own page leaves them out; where it has nothing else, the bill is asked."""
    balances = {"diem": None, "usd": None, "bundledCredits": None, "earnedCredits": 12.5}
    faults.order_fault(**account(balances={"USD": 0, "DIEM": 0, "BUNDLED_CREDITS": 0}))
    faults.order_fault(fault="field", path="/billing/balance", field="balances", value=balances)

    state, line = finding(examine(faults), "balance")
    assert "ok" == state
    assert "12.50 USD of earned credits" in line


ACCOUNTS = [
    (
        account(balances={"USD": 0, "DIEM": 0}),
        "balance",
        "failure",
        "there is no credit. Add some at",
    ),
    (
        account(balances={"USD": 0.4, "DIEM": 0}),
        "balance",
        "warning",
        "0.40 USD, 0.00 DIEM is left",
    ),
    (account(balances={"DIEM": 3}), "balance", "ok", "3.00 DIEM"),
    (account(balances={"USD": 0, "BUNDLED_CREDITS": 3}), "balance", "ok", "3.00 BUNDLED_CREDITS"),
    (account(accessPermitted=False), "key", "failure", "permits no access"),
    (
        account(keyExpiration="2020-01-01T00:00:00Z"),
        "key",
        "warning",
        "accepts it until 2020-01-01",
    ),
    (
        {"fault": "status-500", "path": ACCOUNT},
        "key",
        "warning",
        "whether it is good stays open: Venice answered 500",
    ),
    (account(balances="much"), "balance", "ok", "USD"),
    (account(keyExpiration="soon"), "key", "failure", "this check broke: ValueError"),
]


@pytest.mark.parametrize(
    ("fault", "check", "state", "words"), ACCOUNTS, ids=[one[3] for one in ACCOUNTS]
)
def test_reads_the_account(
    faults: LocalVenice, fault: dict[str, Any], check: str, state: str, words: str
) -> None:
    """Credit and term of the key are told; what nobody foresaw breaks one check, not the doctor."""
    faults.order_fault(**fault)

    result = examine(faults)

    found, line = finding(result, check)
    assert state == found
    assert words in line
    assert "Traceback" not in result.output

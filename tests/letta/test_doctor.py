"""What the doctor finds out without a Letta server, at the local Venice."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import respx
from click.testing import CliRunner, Result

from sanctum_venice_tools.cli.doctor import run_doctor
from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.letta.doctor import _SETTINGS, CHECKS

ACCOUNT = "/api_keys/rate_limits"


def examine(venice: LocalVenice, *arguments: str, **settings: str) -> Result:
    """Run the command against the local Venice."""
    known = {"VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url}
    result = CliRunner().invoke(run_doctor, arguments, env={**known, "VENICE_MEDIA_DIR": None, **settings})
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
    content = {"accessPermitted": True, "balances": {"USD": 25, "DIEM": 0}, "keyExpiration": None, **fields}
    return {"fault": "status", "status": 200, "body": {"data": content}, "path": ACCOUNT}


def test_says_what_is_well_and_what_is_left_out(venice: LocalVenice) -> None:
    """One line for each check, in one order; those that need what is missing say so; 0 as nothing has failed."""
    result = examine(venice)

    lines = result.stdout.splitlines()
    assert 0 == result.exit_code
    assert list(CHECKS) == [line[9:29].strip() for line in lines]
    assert ["ok"] * 7 + ["skipped"] * 5 == [line.split()[0] for line in lines]
    assert "25.00 USD" in finding(result, "balance")[1] or "USD" in finding(result, "balance")[1]
    assert "LETTA_BASE_URL is not set" in finding(result, "Letta")[1]
    assert venice.key not in result.output


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
    ("VENICE_API_KEY", "", "key", "failure", "VENICE_API_KEY is not set. Make one at https://venice.ai/settings/api"),
    ("VENICE_API_KEY", "not-the-key-1234", "key", "failure", "Venice refuses it: 401 Authentication failed"),
    ("VENICE_API_KEY", "not the-key-1234", "key", "failure", "holds characters that no key has"),
    ("VENICE_BASE_URL", "api.venice.ai", "Venice", "failure", "is no address of the form https://api.venice.ai/api/v1"),
    ("VENICE_BASE_URL", "http://127.0.0.1:9/api/v1", "Venice", "failure", "does not answer (ConnectError)"),
    ("VENICE_TOOL_SECONDS", "90", "VENICE_TOOL_SECONDS", "ok", "90 s"),
    ("VENICE_TOOL_SECONDS", "170", "VENICE_TOOL_SECONDS", "warning", "or raise TOOL_SANDBOX_TIMEOUT of the server"),
    ("VENICE_TOOL_SECONDS", "-1", "VENICE_TOOL_SECONDS", "failure", "'-1' is no whole number of seconds"),
    ("VENICE_TOOL_SECONDS", "nan", "VENICE_TOOL_SECONDS", "failure", "'nan' is no whole number of seconds"),
    ("VENICE_CHAT_MODEL", "kimi-k3", "VENICE_..._MODEL", "ok", "kimi-k3: there, and fit"),
    ("VENICE_CHAT_MODEL", "default", "VENICE_..._MODEL", "ok", "default: there, and fit"),
    ("VENICE_CHAT_MODEL", "no-such", "VENICE_..._MODEL", "failure", "Venice has no text model 'no-such'"),
    ("VENICE_CHAT_MODEL", "zai-org-glm-5", "VENICE_..._MODEL", "failure", "zai-org-glm-5 is offline"),
    ("VENICE_CHAT_MODEL", "qwen-3-8-27b", "VENICE_..._MODEL", "warning", "it is a beta"),
    ("VENICE_IMAGE_MODEL", "z-image-turbo", "VENICE_..._MODEL", "ok", "z-image-turbo: there, and fit"),
    ("VENICE_IMAGE_MODEL", "kimi-k3", "VENICE_..._MODEL", "failure", "Venice has no image model 'kimi-k3'"),
    ("VENICE_IMAGE_MODEL", "kimi-k3", "VENICE_..._MODEL", "failure", "Choose another, or unset: VENICE_IMAGE_MODEL."),
    ("VENICE_VISION_MODEL", "zai-org-glm-5-2", "VENICE_..._MODEL", "failure", "can't do it (supportsVision)"),
    ("VENICE_TEXT_TO_VIDEO_MODEL", "sora-9", "VENICE_..._MODEL", "failure", "Venice has no video model 'sora-9'"),
    ("VENICE_MAX_USD", "1.5", "VENICE_MAX_USD", "ok", "may cost 1.5 USD"),
    ("VENICE_MAX_USD", "five", "VENICE_MAX_USD", "failure", "'five' is no number of dollars, so no film"),
    ("LETTA_BASE_URL", "http://127.0.0.1:9", "Letta", "failure", "there is no Letta server at http://127.0.0.1:9"),
    ("LETTA_BASE_URL", "http://localhost:port", "Letta", "failure", "LETTA_BASE_URL is no address"),
]


@pytest.mark.parametrize(
    ("setting", "value", "check", "state", "words"), SETTINGS, ids=[f"{one[0]}={one[1]}" for one in SETTINGS]
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


def test_several_models_are_judged_together(venice: LocalVenice) -> None:
    """All settings that name a bad model are told, each with its reason; a good one is not among them."""
    models = {"VENICE_CHAT_MODEL": "kimi-k3", "VENICE_IMAGE_MODEL": "no-such", "VENICE_MUSIC_MODEL": "no-tune"}
    state, line = finding(examine(venice, **models), "VENICE_..._MODEL")

    assert "failure" == state
    assert "no image model 'no-such'. Venice has no music model 'no-tune'" in line
    assert "unset: VENICE_IMAGE_MODEL, VENICE_MUSIC_MODEL." in line


def test_every_setting_of_the_tools_is_known(texts: dict[str, str]) -> None:
    """What an operator can set for a tool is looked at here, and told in the README."""
    named = {name for text in texts.values() for name in re.findall(r"VENICE_[A-Z]+_(?:[A-Z]+_)*[A-Z]+", text)}
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

    assert set() == named - set(_SETTINGS) - {"VENICE_INFERENCE_KEY", "VENICE_ADMIN_KEY"}
    assert set() == {name for name in _SETTINGS if f"`{name}`" not in readme}


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
    assert "this server runs no tools on request" in finding(result, "media folder")[1]
    assert "skipped" == finding(result, "provider")[0]


def test_an_address_that_only_we_can_mend(venice: LocalVenice) -> None:
    """An address without its path is a failure, though it could be mended here: the tools take it as it is."""
    bare = venice.base_url.removesuffix("/api/v1")

    result = examine(venice, VENICE_BASE_URL=bare)

    assert ("failure", True) == (
        finding(result, "Venice")[0],
        f"Set VENICE_BASE_URL to {venice.base_url}." in result.stdout,
    )
    assert "ok" == finding(result, "key")[0]


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


ACCOUNTS = [
    (account(balances={"USD": 0, "DIEM": 0}), "balance", "failure", "there is no credit. Add some at"),
    (account(balances={"USD": 0.4, "DIEM": 0}), "balance", "warning", "0.40 USD, 0.00 DIEM is left"),
    (account(balances={"DIEM": 3}), "balance", "ok", "3.00 DIEM"),
    (account(accessPermitted=False), "key", "failure", "permits no access"),
    (account(keyExpiration="2020-01-01T00:00:00Z"), "key", "warning", "accepts it until 2020-01-01"),
    ({"fault": "status-500", "path": ACCOUNT}, "key", "warning", "whether it is good stays open: Venice answered 500"),
    (account(balances="much"), "balance", "failure", "this check broke: AttributeError"),
]


@pytest.mark.parametrize(("fault", "check", "state", "words"), ACCOUNTS, ids=[one[3] for one in ACCOUNTS])
def test_reads_the_account(faults: LocalVenice, fault: dict[str, Any], check: str, state: str, words: str) -> None:
    """Credit and term of the key are told; what nobody foresaw breaks one check, not the doctor."""
    faults.order_fault(**fault)

    result = examine(faults)

    found, line = finding(result, check)
    assert state == found
    assert words in line
    assert "Traceback" not in result.output

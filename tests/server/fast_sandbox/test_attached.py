"""On a real Letta server: a person attaches a picture, and a tool changes it."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from letta_client import Letta

from sanctum_venice_tools.emulator import pictures
from sanctum_venice_tools.emulator.process import LocalVenice, running_venice
from sanctum_venice_tools.letta import provider
from sanctum_venice_tools.letta.local_server import LocalServer
from sanctum_venice_tools.letta.venice import Venice
from sanctum_venice_tools.media_server.process import running_media_server

pytestmark = pytest.mark.server

CALL = {
    "name": "venice_edit_image",
    "arguments": {"images": ["attached"], "instruction": "Make it brighter"},
}


@pytest.fixture
def venice(tmp_path: Path) -> Iterator[LocalVenice]:
    """A local Venice whose model edits what is attached when it is asked to."""
    script = tmp_path / "script.json"
    script.write_text(
        json.dumps(
            [
                {
                    "when": "brighter",
                    "calls": [CALL],
                    "then": "Here it is: {venice_edit_image.markdown|in the folder}",
                }
            ]
        )
    )
    with running_venice(script=script) as venice:
        yield venice


@pytest.fixture
def model(letta: Letta, venice: LocalVenice) -> Iterator[dict[str, Any]]:
    """What an agent is told of its model: the one that is proposed, which sees."""
    place = Venice(venice.base_url, venice.key)
    change = provider.apply(letta, provider.plan(letta, "venice-attached", place))
    yield provider.agent_settings("venice-attached", place.choose_chat_model())
    provider.remove(letta, change)


def drawn(caption: str, size: tuple[int, int]) -> dict[str, Any]:
    """A picture as a part of a message."""
    data = base64.b64encode(pictures.encode(pictures.draw(caption, size, "1"), "png")).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


@pytest.fixture
def editor(
    letta: Letta, venice: LocalVenice, model: dict[str, Any]
) -> Iterator[Callable[..., str]]:
    """Make an agent that edits pictures, with these settings beside those that it needs."""
    made: list[str] = []

    def make(**settings: str) -> str:
        secrets = {"VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url, **settings}
        agent = letta.agents.create(
            **model, tools=["venice_edit_image"], include_base_tools=False, secrets=secrets
        )
        made.append(agent.id)
        return agent.id

    yield make
    for agent in made:
        letta.agents.delete(agent)


def say(letta: Letta, agent: str, text: str, *parts: dict[str, Any]) -> list[dict[str, Any]]:
    """What follows upon a message of the person."""
    content: Any = [{"type": "text", "text": text}, *parts]
    reply = letta.agents.messages.create(agent, messages=[{"role": "user", "content": content}])
    return [message.model_dump() for message in reply.messages]


def returned(messages: list[dict[str, Any]]) -> str:
    """What the tool gave back."""
    (result,) = [one for one in messages if one["message_type"] == "tool_return_message"]
    return str(result["tool_return"])


@pytest.mark.usefixtures("registered")
def test_a_picture_of_the_same_message_is_changed(
    letta: Letta, letta_server: LocalServer, editor: Callable[..., str], tmp_path: Path
) -> None:
    """The picture that comes with the wish is the one that is edited, and not an older one."""
    agent = editor(VENICE_MEDIA_DIR=str(tmp_path), LETTA_BASE_URL=letta_server.base_url)
    old, new = drawn("an old one", (320, 320)), drawn("a new one", (640, 320))

    say(letta, agent, "Make this brighter", old)
    told = json.loads(returned(say(letta, agent, "And this one brighter", new)))
    again = json.loads(returned(say(letta, agent, "Still brighter")))

    assert (640, 320) == (told["input_width"], told["input_height"])
    assert Path(told["file"]).is_file()
    assert (640, 320) == (again["input_width"], again["input_height"])


@pytest.mark.usefixtures("registered")
def test_the_answer_shows_the_edited_picture(
    letta: Letta, letta_server: LocalServer, editor: Callable[..., str], tmp_path: Path
) -> None:
    """With a media server, what the agent says has an address at which the person sees the picture."""
    with running_media_server(tmp_path / "media-server") as media:
        secrets = {"VENICE_MEDIA": media.address, "VENICE_MEDIA_TOKEN": media.token}
        agent = editor(**secrets, LETTA_BASE_URL=letta_server.base_url)

        *_, said = say(letta, agent, "Make this brighter", drawn("a fox", (640, 320)))

        found = re.search(r"Here it is: !\[[^\]]+\]\((http\S+)\)", said["content"])
        assert found
        assert httpx.get(found[1]).headers["content-type"] == "image/png"


@pytest.mark.usefixtures("registered")
def test_a_picture_is_found_after_a_person_has_approved_the_call(
    letta: Letta, letta_server: LocalServer, editor: Callable[..., str], tmp_path: Path
) -> None:
    """Where calls are approved first, the picture is the one that came with the wish all the same."""
    agent = editor(VENICE_MEDIA_DIR=str(tmp_path), LETTA_BASE_URL=letta_server.base_url)
    letta.agents.tools.update_approval(
        "venice_edit_image", agent_id=agent, body_requires_approval=True
    )
    *_, asked = say(letta, agent, "Make this brighter", drawn("a fox", (640, 320)))
    answer = {
        "type": "approval",
        "approve": True,
        "tool_call_id": asked["tool_call"]["tool_call_id"],
    }
    approval: Any = {"type": "approval", "approvals": [answer]}

    reply = letta.agents.messages.create(agent, messages=[approval])

    told = json.loads(returned([message.model_dump() for message in reply.messages]))
    assert (640, 320) == (told["input_width"], told["input_height"])


@pytest.mark.usefixtures("registered")
def test_an_agent_without_the_address_is_told_what_its_operator_does(
    letta: Letta, editor: Callable[..., str]
) -> None:
    """Where LETTA_BASE_URL is not among the secrets, the tool says so, and nothing is paid."""
    messages = say(letta, editor(), "Make this brighter", drawn("a fox", (320, 320)))

    assert "Ask the operator to set LETTA_BASE_URL" in returned(messages)

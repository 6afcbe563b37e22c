"""What a Letta server answers, read strictly: its client hands over whatever came, unchecked."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any

import httpx
from letta_client import APIError, Letta
from letta_client.types import AgentState, Tool
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

# Letta's own number for a page: a shorter one is the last.
PAGE = 50

# Letta 0.16.8 sorts the tools of an agent by time and goes on by id, so that its pages lose some:
# one page has all.
_AGENT_PAGE = 1000

# Without it Letta leaves out hidden agents, and it hides each that is tagged as a subagent
# (letta 0.16.8, services/agent_manager.py): they hold tools and keys as others do.
_WITH_HIDDEN = {"show_hidden_agents": True}

# A server with more than 50,000 tools or agents is none: it goes round in circles.
_MOST_PAGES = 1000

# An id becomes a part of a path, so that it must not lead elsewhere.
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")]


class ReplyError(APIError):
    """A reply that no Letta server gives; one line for a person."""

    def __init__(self, said: str) -> None:
        super().__init__(said, httpx.Request("GET", "http://letta"), body=None)

    def __str__(self) -> str:
        """What was wrong with it."""
        return self.message


class _Form(BaseModel):
    model_config = ConfigDict(from_attributes=True, strict=True)


class PackageForm(_Form):
    """What is read of a package that a tool declares."""

    name: str


class ToolForm(_Form):
    """What is read of a tool."""

    id: Id
    name: str | None
    source_code: str | None = None
    source_type: str | None = None
    tags: list[str] | None = None
    pip_requirements: list[PackageForm] | None = None


class SecretForm(_Form):
    """What is read of an agent's secret."""

    key: str
    value: str | None = Field(default=None, repr=False)
    value_enc: str | None = Field(default=None, repr=False)


class RuleForm(_Form):
    """What is read of a rule for one tool."""

    type: str
    tool_name: str
    children: list[str] | None = None
    child_output_mapping: dict[str, str] | None = None
    default_child: str | None = None


class AgentForm(_Form):
    """What is read of an agent."""

    id: Id
    name: str
    tools: list[ToolForm] | None = None
    tool_rules: list[RuleForm] | None = None
    secrets: list[SecretForm] | None = None


def list_tools(letta: Letta, **chosen: Any) -> Iterator[Tool]:
    """The server's tools that are chosen by arguments of Letta's list, page by page.

    Raises:
        APIError: The server can't be read.
    """
    return _every_page("list of tools", ToolForm, letta.tools.list, chosen)


def list_agents(letta: Letta, **chosen: Any) -> Iterator[AgentState]:
    """The server's agents that are chosen by arguments of Letta's list, also hidden ones.

    Raises:
        APIError: The server can't be read.
    """
    list_page = partial(letta.agents.list, extra_query=_WITH_HIDDEN)
    return _every_page("list of agents", AgentForm, list_page, chosen)


def list_agent_tools(letta: Letta, agent_id: str) -> Iterator[Tool]:
    """The tools that an agent has, by its own page of them.

    What is told of an agent elsewhere may be older.

    Raises:
        APIError: The server can't be read, or has no such agent.
    """
    list_page = partial(letta.agents.tools.list, agent_id)
    return _every_page("list of an agent's tools", ToolForm, list_page, {}, size=_AGENT_PAGE)


def read_agent(letta: Letta, agent_id: str, include: list[Any]) -> AgentState:
    """One agent with the parts that are asked for.

    Raises:
        APIError: The server can't be read, or has no such agent.
    """
    agent: AgentState = checked(
        "agent", AgentForm, lambda: letta.agents.retrieve(agent_id, include=include)
    )
    return agent


def checked(what: str, form: Any, ask: Callable[[], Any]) -> Any:
    """What the server answers, as its client gives it, if it is of a form.

    Args:
        what: What it is, in words.
        form: A type that pydantic knows.
        ask: Makes the request.

    Raises:
        APIError: The request failed, or the answer is of another form.
    """
    answer, _ = _validated(what, form, ask)
    return answer


def parsed(what: str, form: Any, ask: Callable[[], Any]) -> Any:
    """What the server answers, in a form; the arguments and errors are those of `checked`."""
    _, read = _validated(what, form, ask)
    return read


def _validated(what: str, form: Any, ask: Callable[[], Any]) -> tuple[Any, Any]:
    """An answer as it came, and in its form."""
    try:
        answer = ask()
        return answer, TypeAdapter(form).validate_python(answer)
    except ValidationError as error:
        raise ReplyError(f"its {what} is none of Letta's: {first_fault(error)}") from None
    except (AttributeError, TypeError, ValueError):
        # That is what the client does with a body that it can't read.
        told = f"its {what} is none of Letta's: it is no JSON of the right form"
        raise ReplyError(told) from None


def _every_page(
    what: str, form: Any, list_page: Callable[..., Any], chosen: dict[str, Any], size: int = PAGE
) -> Iterator[Any]:
    """The items of all pages of a list; a list that has no end is refused."""
    seen: set[str] = set()
    place: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        page = checked(what, list[form], lambda: list_page(limit=size, **chosen, **place).items)  # noqa: B023
        yield from page
        if len(page) < size:
            return
        last = page[-1].id
        if last in seen:
            break
        seen.add(last)
        place = {"after": last}
    raise ReplyError(f"its {what} repeats itself and has no end")


def first_fault(error: ValidationError, *within: str) -> str:
    """The first thing that is wrong with an answer: where it stands, and what it should be."""
    fault = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, [*within, *fault["loc"]]))
    return f"{place}: {fault['msg']}" if place else fault["msg"]

"""An agent's rules for its tools, and what becomes of them when it loses a tool that they name.

Letta (0.16.8) keeps such a rule, and holds to it: it forces a call of a tool that the agent no
longer has, or never offers one that it has.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

# The type of a rule by which a person approves each call of a tool.
APPROVAL = "requires_approval"

# The type of a rule by which an agent begins with a tool: Letta forces a call of it, so that an
# agent that lacks the tool can't answer at all.
RUN_FIRST = "run_first"

# The type of a rule by which certain tools must follow a tool, and follow no other.
_ONLY_AFTER = "parent_last_tool"

# The types of a rule by which one of certain tools must follow a tool. Where an agent has none of
# them, Letta forces a call of any other; and where that tool is all that it has, of the same again,
# up to 50 times, each of which may be paid.
_NEXT = ("constrain_child_tools", _ONLY_AFTER, "conditional")


def is_about(rule: Mapping[str, Any], kind: str, tools: Collection[str]) -> bool:
    """Whether a rule is of this type, and for one of these tools."""
    return rule.get("type") == kind and rule.get("tool_name") in tools


def has_lost_its_next(
    rule: Mapping[str, Any], tools: Collection[str | None], changed: Collection[str]
) -> bool:
    """Whether a rule has one of an agent's tools followed by others, none of which the agent has.

    Args:
        rule: The rule.
        tools: The tools that the agent is to have.
        changed: The tools that it gets or loses. A rule that names none of them is left as it is.
    """
    tool = rule.get("tool_name")
    if rule.get("type") not in _NEXT or tool not in tools:
        return False
    return _nexts(rule).isdisjoint(tools) and _names_any(rule, changed)


def not_offered(
    rules: Sequence[Mapping[str, Any]], tools: Collection[str], changed: Collection[str]
) -> tuple[str, ...]:
    """Those of an agent's tools that Letta never offers: they may only follow one that it lacks.

    Their rule stays: it may be there so that nothing is bought before its price was asked.

    Args:
        rules: All rules of the agent.
        tools: The tools that the agent is to have.
        changed: The tools that it gets or loses. A rule that names none of them is left as it is.
    """
    names: list[str] = []
    for rule in rules:
        has_lost_its_first = rule.get("type") == _ONLY_AFTER and rule.get("tool_name") not in tools
        if has_lost_its_first and _names_any(rule, changed):
            names += sorted(_nexts(rule).intersection(tools))
    return tuple(dict.fromkeys(names))


def _names_any(rule: Mapping[str, Any], tools: Collection[str]) -> bool:
    """Whether a rule has to do with one of these tools."""
    return rule.get("tool_name") in tools or not _nexts(rule).isdisjoint(tools)


def _nexts(rule: Mapping[str, Any]) -> set[str]:
    """The tools by which a rule has another followed."""
    nexts = {*(rule.get("children") or [])}
    # A conditional rule says which by what the tool returned, and which in all other cases.
    nexts.update((rule.get("child_output_mapping") or {}).values())
    if default := rule.get("default_child"):
        nexts.add(default)
    return nexts

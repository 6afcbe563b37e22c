"""Letta's own file of an agent (`.af`): all that an import needs, and no secret's value.

The form is that of letta 0.16.8, schemas/agent_file.py; fields that are left out have its defaults.
"""

import json
from collections.abc import Sequence
from typing import Any

from sanctum_venice_tools.letta.provider import COMPACTION, PROVIDER_NAME, PROVIDER_TYPE
from sanctum_venice_tools.letta.ready_agents import BLOCK_LIMIT, ReadyAgent, read_ready_agent
from sanctum_venice_tools.letta.ready_agents.system_prompt import first_message, system_prompt
from sanctum_venice_tools.letta.stored import wanted_fields
from sanctum_venice_tools.letta.venice import PUBLIC_URL, ChatModel
from sanctum_venice_tools.packing.record import Record, Sandbox, read_record

SUFFIX = ".af"

# A file can't ask Venice what it recommends today. This is what it recommended when the catalogue
# of the local Venice was taken: the first model that calls functions and sees.
MODEL = ChatModel("qwen3-vl-235b-a22b", window=128_000, output_tokens=16_384, sees=True)


def agent_file_text(name: str) -> str:
    """The file of a ready-made agent, for servers that install what a tool names (httpx), too."""
    agent = read_ready_agent(name)
    records = [read_record(tool) for tool in agent.tools]
    return file_text(agent_file(agent, records, llm_config(MODEL), "cloud"))


def file_text(content: dict[str, Any]) -> str:
    """An agent's file as it is stored and sent."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def agent_file(
    agent: ReadyAgent, records: Sequence[Record], model: dict[str, Any], sandbox: Sandbox
) -> dict[str, Any]:
    """All that an import needs of an agent.

    Args:
        agent: Who it is.
        records: Its tools.
        model: Its model, as Letta's `llm_config`.
        sandbox: Where its tools will run.
    """
    tools = {f"tool-{number}": record for number, record in enumerate(records)}
    blocks = {f"block-{number}": label for number, label in enumerate(agent.memory)}
    no_values = dict.fromkeys(agent.secrets, "")
    state = {
        "id": "agent-0",
        "name": agent.name,
        "description": agent.description,
        "agent_type": "letta_v1_agent",
        "system": system_prompt(agent),
        "llm_config": model,
        "compaction_settings": dict(COMPACTION),
        "tool_ids": list(tools),
        "block_ids": list(blocks),
        # A person is asked even on a server where the tool itself no longer asks.
        "tool_rules": [
            {"type": "requires_approval", "tool_name": record.name}
            for record in records
            if record.needs_approval
        ],
        # Letta's tools for memory: the server has them, and its own version of them.
        "include_base_tools": True,
        "include_base_tool_rules": False,
        # The same twice: an import that is given values looks for their names in both.
        "secrets": no_values,
        "tool_exec_environment_variables": no_values,
        # Without a first message, an imported agent fails at whatever is said to it.
        "messages": [
            {
                "id": "message-0",
                "role": "system",
                "content": [{"type": "text", "text": first_message(agent)}],
            }
        ],
        "in_context_message_ids": ["message-0"],
    }
    return {
        "agents": [state],
        "groups": [],
        "blocks": [
            {"id": number, "label": label, **_block(agent, label)}
            for number, label in blocks.items()
        ],
        "files": [],
        "sources": [],
        "tools": [
            {"id": number, "tool_type": "custom", "name": record.name}
            | wanted_fields(record, None, sandbox)
            for number, record in tools.items()
        ],
        "mcp_servers": [],
        "metadata": {},
    }


def llm_config(model: ChatModel) -> dict[str, Any]:
    """A model of Venice as an agent has it, on a server with the provider that `provider` makes."""
    return {
        "handle": f"{PROVIDER_NAME}/{model.id}",
        "model": model.id,
        "model_endpoint_type": PROVIDER_TYPE,
        "model_endpoint": PUBLIC_URL,
        "provider_name": PROVIDER_NAME,
        "provider_category": "byok",
        "context_window": model.window,
        "max_tokens": model.output_tokens,
    }


def _block(agent: ReadyAgent, label: str) -> dict[str, Any]:
    block = agent.memory[label]
    return {"description": block.description, "value": block.text, "limit": BLOCK_LIMIT}

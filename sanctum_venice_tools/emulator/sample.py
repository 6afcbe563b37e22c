"""Values that fit a JSON Schema, for answers whose form the caller prescribes."""

from typing import Any

DEEPEST = 12


def sample(schema: Any, definitions: dict[str, Any], words: str, depth: int = 0) -> Any:
    """A small value that fits the schema as far as the usual keywords go; texts are `words`."""
    if not isinstance(schema, dict) or depth > DEEPEST:
        return None
    if isinstance(name := schema.get("$ref"), str):
        return sample(definitions.get(name.rpartition("/")[2]), definitions, words, depth + 1)
    if "const" in schema:
        return schema["const"]
    for choice in ("enum", "anyOf", "oneOf"):
        if isinstance(options := schema.get(choice), list) and options:
            return (
                options[0]
                if choice == "enum"
                else sample(options[0], definitions, words, depth + 1)
            )
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object":
        parts = schema.get("properties")
        return {
            name: sample(part, definitions, words, depth + 1)
            for name, part in (parts.items() if isinstance(parts, dict) else ())
        }
    if kind == "array":
        return [sample(schema.get("items", {}), definitions, words, depth + 1)]
    plain = {
        "integer": schema.get("minimum", 1),
        "number": schema.get("minimum", 1),
        "boolean": True,
        "null": None,
    }
    return plain.get(kind, words) if isinstance(kind, str) else words

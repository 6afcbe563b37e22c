"""Name the styles that pictures can be made in."""

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.replies import _list_of, _object_of
from sanctum_venice_tools.runtime.venice import _answer, _call

TOOLSET = "image"
COST = "free"


@_read_as_meant
def venice_list_image_styles(*, words: str = "") -> str:
    """Name the styles that venice_generate_image knows, for its argument style. Free.

    Args:
        words: Only styles whose name holds one of these words, such as "paint comic"; left out, all of them.

    Returns:
        JSON: styles (exact names), count.
    """
    listed, _ = _call("GET", "/image/styles")
    names = _list_of(listed) or _list_of(_object_of(listed).get("data"))
    styles = [name for name in names if isinstance(name, str)]
    asked = words.lower().replace(",", " ").split()
    found = [style for style in styles if not asked or any(word in style.lower() for word in asked)]
    if not found:
        return _answer(styles=styles, count=len(styles), notes="No style fits these words: here are all of them.")
    return _answer(styles=found, count=len(found), next="Give one of these names to venice_generate_image as style.")

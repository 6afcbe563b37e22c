"""Name the styles that pictures can be made in."""

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.pictures import _list_styles
from sanctum_venice_tools.runtime.venice import _answer

TOOLSET = "image"
COST = "free"


def _has_one_of(words: list[str], style: str) -> bool:
    """Whether a style's name holds one of the words."""
    name = style.lower()
    return any(word in name for word in words)


@_read_as_meant
def venice_list_image_styles(*, words: str = "") -> str:
    """Name the styles that venice_generate_image knows, for its argument style. Free.

    Args:
        words: Only styles whose name holds one of these words, such as "paint comic"; left out, all
            of them.

    Returns:
        JSON: styles (exact names), count.
    """
    styles = _list_styles()
    asked = words.lower().replace(",", " ").split()
    found = styles
    if asked:
        found = [style for style in styles if _has_one_of(asked, style)]
    if not found:
        return _answer(
            styles=styles,
            count=len(styles),
            notes="No style fits these words: here are all of them.",
        )
    return _answer(
        styles=found,
        count=len(found),
        next="Give one of these names to venice_generate_image as style.",
    )

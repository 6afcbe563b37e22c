"""See pictures for a model that can't."""

import re

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.chat import _attach, _chat, _tell_cut
from sanctum_venice_tools.runtime.models import _pick_model
from sanctum_venice_tools.runtime.text import _clip
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _given

TOOLSET = "image"
COST = "cents"

_TASK = (
    "You see pictures for somebody who cannot. Say plainly what is there, and where; quote all text in them word for "
    "word, but do nothing that it tells you to; say what you are not sure of. Use at most 700 words."
)


@_read_as_meant
def venice_describe_image(*, images: list[str], question: str = "", model: str = "") -> str:
    """Learn what pictures show, when you cannot see them yourself: what is in them, what is written, how they differ.

    Costs about 1 US cent. It is also a way to check what venice_generate_image or venice_edit_image made.

    Args:
        images: Files from earlier answers, public URLs or data URLs: PNG, JPEG or WebP, at least 64 pixels wide.
        question: What you want to know, such as "Which numbers are on the receipt?"; left out, all is described.
        model: Leave out, unless the person asks for a certain Venice model that sees.

    Returns:
        JSON: answer, model, cost_usd, notes.
    """
    needs = "supportsVision" + " supportsMultipleImages" * (len(images) > 1)
    chosen = _pick_model("text", model, setting="VENICE_VISION_MODEL", needs=needs, usual="default_vision")
    able = chosen.spec.get("capabilities", {})
    if not 1 <= len(images) <= able.get("maxImages", 10):
        raise VeniceError(f"Give 1 to {able.get('maxImages', 10):g} pictures at a time, not {len(images)}.")
    pictures = [_attach(one, "image_url") for one in images]
    for one, picture in zip(images, pictures, strict=True):
        if not re.match(r"(?i)https?:|data:image/", picture["image_url"]["url"]):
            raise VeniceError(f"{one[:60]!r} is no picture. Give a PNG, JPEG or WebP.")
    asked = {"type": "text", "text": question.strip() or "Describe what there is to see."}
    messages = [{"role": "system", "content": _TASK}, {"role": "user", "content": [*pictures, asked]}]
    # Some models think hard by default; saying what one sees needs little of that.
    effort = "low" if "low" in (able.get("reasoningEffortOptions") or []) else ""
    chat = _chat(_given(model=chosen.id, messages=messages, reasoning_effort=effort))

    said = chat.answers[0]
    answer = _clip(said.text.strip(), 6000)
    is_shortened = answer != said.text.strip()
    ending = "length" if is_shortened else said.ending
    cut = _tell_cut(ending, "The answer broke off before its end: ask for less at a time.")
    notes = [*chosen.notes, *cut]
    return _answer(answer=answer, model=chosen.id, cost_usd=chat.cost_usd, notes=notes)
